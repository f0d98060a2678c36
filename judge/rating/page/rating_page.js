// What both ways to rate have in common: one showing after another, saving, going back, keys, help.

import { ask } from "./server.js";
import { Watch } from "./watch.js";

const $ = (id) => document.getElementById(id);
const SINGLE_KEYS = "levelfield-single-keys";

export class RatingPage {
  // desk: noun, draw(content), read() -> answer, write(answer), missing() -> words or "", and
  // key(event) -> whether the key was its own.
  constructor(desk) {
    this.desk = desk;
    this.place = 0;
    this.heading = 0; // the place that is on its way to the screen
    this.showings = [];
    this.watch = new Watch();
    this.saving = false;
    this.touched = false;
  }

  async start() {
    this.listen();
    try {
      const { rater, showings } = await ask("showings");
      this.showings = showings;
      $("rater").textContent = rater;
      $("progress").max = showings.length;
      await this.go(this.asked() ?? this.nextUndone(-1));
    } catch (error) {
      this.tell(error);
    }
    document.documentElement.dataset.ready = "";
  }

  listen() {
    $("form").addEventListener("submit", (event) => { event.preventDefault(); this.save(); });
    $("form").addEventListener("input", () => {
      this.touched = true;
      $("alert").textContent = "";
      this.keepDraft();
    });
    $("back").addEventListener("click", () => this.go(this.heading - 1));
    $("skip").addEventListener("click", () => this.go(this.heading + 1));
    $("open-help").addEventListener("click", () => $("help").showModal());
    window.addEventListener("hashchange", () => {
      const place = this.asked();
      if (place !== null && place !== this.place) this.go(place);
    });
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("pagehide", () => this.keepDraft());
    const single = $("single-keys");
    single.checked = stored(localStorage, SINGLE_KEYS) !== "off";
    single.addEventListener("change", () => store(localStorage, SINGLE_KEYS, single.checked ? "on" : "off"));
  }

  // The place in the address, e.g. #7, from 0; null when there is none.
  asked() {
    const number = Number(location.hash.slice(1));
    return Number.isInteger(number) && number >= 1 && number <= this.showings.length ? number - 1 : null;
  }

  // The first that is not done after `place`, else the first of all; the number of showings when all are.
  nextUndone(place) {
    const undone = this.showings.map(({ done }, at) => (done ? -1 : at)).filter((at) => at >= 0);
    return undone.find((at) => at > place) ?? undone[0] ?? this.showings.length;
  }

  // Asked again meanwhile, the later one counts: two presses of a key are two steps.
  async go(place) {
    if (place < 0 || this.saving) return;
    this.keepDraft();
    this.heading = place;
    if (place >= this.showings.length) {
      this.end();
      return;
    }
    try {
      const content = await ask(`showings/${this.showings[place].id}`);
      if (this.heading !== place) return;
      this.place = place;
      this.show(content);
    } catch (error) {
      this.heading = this.place;
      this.tell(error);
    }
  }

  // What is on the screen is no longer, or not yet, what is asked about.
  get busy() {
    return this.saving || this.heading !== this.place;
  }

  show(content) {
    const draft = parsed(stored(sessionStorage, this.draftName()));
    const answer = draft ?? content.given;
    $("end").hidden = true;
    $("problem").textContent = "";
    $("showing").hidden = false;
    $("title").textContent = `${this.desk.noun} ${this.place + 1} of ${this.showings.length}`;
    document.title = `${$("title").textContent} · Rate reports`;
    $("task").textContent = content.task;
    $("alert").textContent = "";
    $("back").disabled = this.place === 0;
    $("skip").disabled = this.place === this.showings.length - 1;
    this.desk.draw(content);
    if (answer) this.desk.write(answer);
    this.touched = draft !== null;
    this.watch.restart(answer?.seconds ?? 0);
    this.drawProgress();
    history.replaceState(null, "", `#${this.place + 1}`);
    window.scrollTo(0, 0);
    $("title").focus({ preventScroll: true });
  }

  end() {
    const left = this.showings.filter(({ done }) => !done).length;
    if (left) {
      this.go(this.nextUndone(-1));
      return;
    }
    this.place = this.heading = this.showings.length;
    $("showing").hidden = true;
    $("end").hidden = false;
    $("all-fold").open = true;
    this.drawProgress();
    history.replaceState(null, "", location.pathname);
    window.scrollTo(0, 0);
    $("end-title").focus({ preventScroll: true });
  }

  drawProgress() {
    const done = this.showings.filter((showing) => showing.done).length;
    $("progress").value = done;
    $("done").textContent = `${done} of ${this.showings.length} done`;
    $("all").replaceChildren(...this.showings.map((showing, at) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = showing.done ? `${at + 1} ✓` : `${at + 1}`;
      button.setAttribute("aria-label", `${this.desk.noun} ${at + 1}, ${showing.done ? "done" : "not done"}`);
      if (at === this.place) button.setAttribute("aria-current", "true");
      button.addEventListener("click", () => this.go(at));
      const item = document.createElement("li");
      item.append(button);
      return item;
    }));
  }

  async save() {
    if (this.busy) return;
    const missing = this.desk.missing();
    if (missing) {
      $("alert").textContent = missing;
      return;
    }
    this.saving = true;
    $("save").disabled = true;
    const saved = this.place;
    try {
      const answer = { ...this.desk.read(), seconds: this.watch.read() };
      await ask(`showings/${this.showings[saved].id}`, answer);
      drop(sessionStorage, this.draftName());
      this.touched = false;
      this.showings[saved].done = true;
      $("status").textContent = `${this.desk.noun} ${saved + 1} is saved.`;
    } catch (error) {
      this.tell(error);
      return;
    } finally {
      this.saving = false;
      $("save").disabled = false;
    }
    await this.go(this.nextUndone(saved));
  }

  key(event) {
    if ($("help").open || event.altKey || event.metaKey || event.isComposing || !this.showings.length) return;
    const inText = event.target instanceof HTMLTextAreaElement;
    if (inText) {
      if (event.key === "Enter" && event.ctrlKey) { event.preventDefault(); this.save(); }
      if (event.key === "Escape") $("title").focus({ preventScroll: true });
      return;
    }
    if (event.ctrlKey || !this.listensAt(event.target)) return;
    const own = () => (this.busy ? event.key.length === 1 : this.desk.key(event));
    if (this.common(event) || (!$("showing").hidden && own())) event.preventDefault();
  }

  listensAt(target) {
    return $("single-keys").checked || $("form").contains(target);
  }

  common(event) {
    if (event.key === "?") $("help").showModal();
    else if ($("showing").hidden) return false;
    else if (event.key === "b") this.go(this.heading - 1);
    else if (event.key === "n") this.go(this.heading + 1);
    else if (event.key === "f") $("facts-fold").open = !$("facts-fold").open;
    else if (event.key === "Enter" && !event.target.closest("button, summary, a")) this.save();
    else return false;
    return true;
  }

  tell(error) {
    const place = $("showing").hidden ? $("problem") : $("alert");
    place.textContent = error.message;
  }

  draftName() {
    return `levelfield-draft-${this.showings[this.place].id}`;
  }

  // What is entered and not saved yet outlives a reload of the page.
  keepDraft() {
    if (!this.touched) return;
    const answer = { ...this.desk.read(), seconds: this.watch.read() };
    store(sessionStorage, this.draftName(), JSON.stringify(answer));
  }
}

// Storage may be switched off: then there are no drafts, and everything else works.
function stored(storage, name) {
  try { return storage.getItem(name); } catch { return null; }
}

function store(storage, name, value) {
  try { storage.setItem(name, value); } catch { /* as above */ }
}

function drop(storage, name) {
  try { storage.removeItem(name); } catch { /* as above */ }
}

function parsed(text) {
  try { return text ? JSON.parse(text) : null; } catch { return null; }
}
