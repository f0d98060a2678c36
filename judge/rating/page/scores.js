import { choose } from "./choose.js";
import { RatingPage } from "./rating_page.js";
import { build } from "./tree.js";

const HIGHEST = 10;
const WIDE = matchMedia("(min-width: 860px)");
const criteria = document.getElementById("criteria");
const comment = document.getElementById("comment");

function make(tag, properties, ...parts) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...parts);
  return made;
}

function scale(name) {
  return Array.from({ length: HIGHEST }, (_, at) => {
    const radio = make("input", { type: "radio", name, value: `${at + 1}` });
    return make("label", {}, radio, make("span", {}, `${at + 1}`));
  });
}

function fieldset({ name, question, anchors }) {
  const words = anchors.map(({ score, words }) => make("li", {}, make("b", {}, `${score}`), ` ${words}`));
  const described = `anchors-${name}`;
  const made = make("fieldset", { name },
    make("legend", {}, make("span", { className: "name" }, name.replaceAll("_", " ")), ` ${question}`),
    make("div", { className: "scale" }, ...scale(name)),
    make("ul", { className: "anchors", id: described }, ...words));
  made.setAttribute("aria-describedby", described);
  return made;
}

const all = () => [...criteria.children];
const chosen = (set) => set.querySelector("input:checked");

function enter(set) {
  (chosen(set) ?? set.querySelector("input")).focus({ preventScroll: true });
  set.scrollIntoView({ block: "nearest" });
}

const desk = {
  noun: "Report",

  draw(content) {
    document.getElementById("report").replaceChildren(build(content.report));
    document.getElementById("facts").replaceChildren(build(content.facts));
    criteria.replaceChildren(...content.criteria.map(fieldset));
    comment.value = "";
  },

  read() {
    const scored = all().filter(chosen).map((set) => [set.name, Number(chosen(set).value)]);
    return { scores: Object.fromEntries(scored), comment: comment.value };
  },

  write({ scores, comment: words }) {
    for (const set of all()) {
      const radio = set.querySelector(`input[value="${Number(scores[set.name])}"]`);
      if (radio) radio.checked = true;
    }
    comment.value = words;
  },

  missing() {
    const blank = all().filter((set) => !chosen(set));
    if (blank.length) enter(blank[0]);
    return blank.length ? `Still without a score: ${blank.map(({ name }) => name.replaceAll("_", " ")).join(", ")}.` : "";
  },

  key(event) {
    const focused = document.activeElement.closest("fieldset");
    const current = focused ?? all().find((set) => !chosen(set)) ?? all()[0];
    const at = all().indexOf(current);
    if (/^[0-9]$/.test(event.key)) {
      choose(current.querySelector(`input[value="${event.key === "0" ? HIGHEST : event.key}"]`));
      enter(all()[at + 1] ?? current);
    } else if (focused && event.key === "ArrowDown") {
      enter(all()[at + 1] ?? current);
    } else if (focused && event.key === "ArrowUp") {
      enter(all()[at - 1] ?? current);
    } else if (event.key === "PageDown" || event.key === "PageUp") {
      window.scrollBy(0, (event.key === "PageDown" ? 0.8 : -0.8) * innerHeight); // the report, not the panel
    } else if (event.key === "c") {
      comment.focus();
    } else {
      return false;
    }
    return true;
  },
};

document.getElementById("facts-fold").open = WIDE.matches;
await new RatingPage(desk).start();
