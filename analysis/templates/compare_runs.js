"use strict";
// The texts of two runs, side by side.
function comparedText(data, run, what) {
  const page = data.pages[run[RUN.page]];
  if (!page) return null;
  if (what === "report") return page.text === undefined ? "" : data.texts[page.text];
  const lines = [];
  for (const call of page.calls) {
    for (const [role, texts, tools] of call.messages || []) {
      lines.push(`[${call.agent || "of no agent"}, ${role}]`, ...texts.map((place) => data.texts[place]));
      for (const [name, given] of tools) lines.push(`calls ${name} ${data.texts[given]}`);
    }
    if (call.sent !== undefined) lines.push(`[${call.what}]`, data.texts[call.sent]);
  }
  return lines.join("\n");
}

function comparedCell(pieces, mark, spoken) {
  const cell = element("td", null, "words said");
  for (const [text, shared] of pieces) {
    if (shared) { cell.append(text); continue; }
    const marked = element(mark);
    marked.append(element("span", spoken, "unseen"), text);
    cell.append(marked);
  }
  return cell;
}

function comparedTable(names, found) {
  const table = element("table", null, "compared");
  const head = table.createTHead().insertRow();
  for (const name of names) { const cell = element("th", name, "words"); cell.scope = "col"; head.append(cell); }
  const body = table.createTBody();
  for (const row of found.rows) {
    const line = body.insertRow();
    if (row.same) line.className = "same";
    const [left, right] = row.same || !found.marked ? [[[row.left || "", true]], [[row.right || "", true]]] : wordsApart(row.left, row.right);
    line.append(comparedCell(left, "del", "[only here] "), comparedCell(right, "ins", "[only here] "));
  }
  return table;
}

// What to show and a sentence that says what was found.
function compareRuns(data, runs, what) { // eslint-disable-line no-unused-vars
  const texts = runs.map((run) => comparedText(data, run, what));
  if (texts.includes(null)) return [null, "The text of at least one of the two is not in this file."];
  const names = runs.map((run) => runName(data, run));
  if (texts[0] === texts[1]) return [comparedTable(names, sideBySide(...texts)), "The two are the same, character by character."];
  const found = sideBySide(...texts);
  const changed = found.rows.filter((row) => !row.same).length;
  const words = found.marked ? `${changed.toLocaleString("en")} of ${found.rows.length.toLocaleString("en")} lines differ.` : "Too long to look for what they share: shown side by side without marks.";
  return [comparedTable(names, found), words];
}
