"use strict";
// One run in full. What a model, a tool or a judge said enters the page as text, never as markup.
function element(tag, text, kind) {
  const made = document.createElement(tag);
  if (text !== undefined && text !== null) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function pairsList(pairs, kind) {
  const list = element("dl", null, kind);
  for (const [name, value] of pairs) list.append(element("dt", name), element("dd", value));
  return list;
}

function folded(title, ...inside) {
  const made = element("details", null, "step");
  made.append(element("summary", title), ...inside);
  return made;
}

function figuresOf(data, run) {
  const known = (value, text) => (value === null ? "not known" : text);
  const list = element("dl", null, "figures");
  for (const [name, value] of [
    ["Status", data.statuses[run[RUN.status]]],
    ["Quality", known(run[RUN.quality], `${run[RUN.quality]}`)],
    ["Latency", known(run[RUN.latency], `${run[RUN.latency]} s`)],
    ["Tokens", known(run[RUN.tokens], Number(run[RUN.tokens]).toLocaleString("en"))],
  ]) {
    const pair = element("div");
    pair.append(element("dt", name), element("dd", value));
    list.append(pair);
  }
  return list;
}

function callTitle(call) {
  const words = [`${call.n} ${call.what}`, call.agent || "of no agent", `${call.seconds} s`];
  if (call.in !== undefined) words.push(`${call.in.toLocaleString("en")} tokens in, ${(call.out || 0).toLocaleString("en")} out`);
  if (call.retry_of) words.push(`repeats call ${call.retry_of}`);
  if (call.status) words.push(`failed with ${call.status}`);
  return words.join(" · ");
}

function callView(data, call) {
  const list = element("ol", null, "messages");
  const add = (role, texts, tools) => {
    const line = element("li");
    line.append(element("b", role, "role"), ...texts.map((place) => element("div", data.texts[place], "said")));
    for (const [name, given] of tools || []) line.append(element("div", `calls ${name} ${data.texts[given]}`, "said called"));
    list.append(line);
  };
  for (const [role, texts, tools] of call.messages || []) add(role, texts, tools);
  if (call.sent !== undefined) add("sent", [call.sent]);
  if (call.answer !== undefined || call.called) add(call.what === "model" ? "answer" : "result", call.answer === undefined ? [] : [call.answer], call.called);
  if (call.error !== undefined) add("error", [call.error]);
  const inside = [list];
  if (call.parameters) inside.push(element("p", call.parameters, "note"));
  if (call.tools !== undefined) inside.push(folded("Tools that were offered", element("div", data.texts[call.tools], "quote")));
  return folded(callTitle(call), ...inside);
}

function verdictView(data, verdict) {
  const made = element("article");
  const scores = Object.entries(verdict.scores).map(([name, score]) => `${name} ${Number(score.toFixed(2))}`).join(", ");
  made.append(element("h4", verdict.judge + (verdict.repeat > 1 ? `, repeat ${verdict.repeat}` : "")));
  if (verdict.overall !== null) made.append(element("p", `Overall ${verdict.overall.toFixed(2)}: ${scores}.`, "note"));
  if (verdict.taken_over_from) made.append(element("p", `Taken over from the same text of ${verdict.taken_over_from}.`, "note"));
  if (verdict.words !== null) made.append(element("div", data.texts[verdict.words], "quote"));
  return made;
}

// It scrolls in itself, so the keyboard must reach it.
function readable(text) {
  const made = element("div", text, "quote boxed");
  made.tabIndex = 0;
  made.setAttribute("role", "region");
  made.setAttribute("aria-label", "The report's text");
  return made;
}

function runView(data, run) { // eslint-disable-line no-unused-vars
  const page = data.pages[run[RUN.page]];
  const parts = [figuresOf(data, run)];
  if (!page) return [...parts, element("p", "Its requests and texts are not in this file.", "note")];
  parts.push(element("p", `In the records: runs/${page.id}/attempt-${page.attempt}.json`, "note"));
  if (page.error !== undefined) parts.push(element("h3", "Error"), element("div", data.texts[page.error], "quote boxed"));
  parts.push(element("h3", "Report"));
  parts.push(page.text === undefined ? element("p", "There is none.", "note") : readable(data.texts[page.text]));
  parts.push(element("h3", "Requests, tools and answers"), ...page.calls.map((call) => callView(data, call)));
  if (page.more_calls) parts.push(element("p", `${page.more_calls} more calls are in the records.`, "note"));
  if (page.checks.length) parts.push(element("h3", "Checks without a judge"), pairsList(page.checks, "methods boxed"));
  if (page.verdicts.length) {
    const forms = element("div", null, "forms boxed");
    forms.append(...page.verdicts.map((verdict) => verdictView(data, verdict)));
    parts.push(element("h3", "Verdicts"), forms);
  }
  return parts;
}
