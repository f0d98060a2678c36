// Checks a radio button as a click would, so that whoever listens for input hears of it.

export function choose(radio) {
  radio.checked = true;
  radio.dispatchEvent(new Event("input", { bubbles: true }));
}
