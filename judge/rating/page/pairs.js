import { choose } from "./choose.js";
import { RatingPage } from "./rating_page.js";
import { build } from "./tree.js";

const KEYS = { ArrowLeft: "first", ArrowRight: "second", t: "tie" };
const $ = (id) => document.getElementById(id);
const radios = () => [...$("form").elements.winner];
const radio = (winner) => radios().find(({ value }) => value === winner);

const desk = {
  noun: "Pair",

  draw(content) {
    $("first").replaceChildren(build(content.first));
    $("second").replaceChildren(build(content.second));
    $("facts").replaceChildren(build(content.facts));
    $("questions").textContent = content.criteria.join(" ");
    for (const button of radios()) button.checked = false;
  },

  read: () => ({ winner: radios().find(({ checked }) => checked)?.value }),

  write({ winner }) {
    const button = radio(winner);
    if (button) button.checked = true;
  },

  missing: () => (radios().some(({ checked }) => checked) ? "" : "Choose A, B or about equal first."),

  key(event) {
    const winner = KEYS[event.key];
    if (!winner) return false;
    choose(radio(winner));
    radio(winner).focus({ preventScroll: true });
    return true;
  },
};

await new RatingPage(desk).start();
