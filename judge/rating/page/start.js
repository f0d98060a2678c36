import { ask } from "./server.js";

const form = document.getElementById("form");
const name = document.getElementById("name");
const alert = document.getElementById("alert");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  alert.textContent = "";
  try {
    const { address } = await ask(location.pathname, { name: name.value });
    location.assign(address);
  } catch (error) {
    alert.textContent = error.message;
    name.setAttribute("aria-invalid", "true");
    name.focus();
  }
});

name.focus();
document.documentElement.dataset.ready = "";
