"use strict";
// Two texts side by side: lines by their longest common subsequence, then words within lines that changed.
const MOST_CELLS = 4000000; // of the table below: 2,000 lines that differ against 2,000, in 8 MB and a tenth of a second

// Pairs of places that are the same in both lists, in order; null when finding them would take too long.
function commonPlaces(a, b) {
  const shorter = Math.min(a.length, b.length);
  let head = 0;
  while (head < shorter && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const rows = a.length - head - tail, columns = b.length - head - tail, width = columns + 1;
  if (rows * columns > MOST_CELLS) return null;
  const longest = new Uint16Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i -= 1) {
    for (let j = columns - 1; j >= 0; j -= 1) {
      longest[i * width + j] = a[head + i] === b[head + j]
        ? longest[(i + 1) * width + j + 1] + 1
        : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  const pairs = Array.from({ length: head }, (_, place) => [place, place]);
  for (let i = 0, j = 0; i < rows && j < columns;) {
    if (a[head + i] === b[head + j]) pairs.push([head + i++, head + j++]);
    else if (longest[(i + 1) * width + j] >= longest[i * width + j + 1]) i += 1;
    else j += 1;
  }
  for (let place = tail; place > 0; place -= 1) pairs.push([a.length - place, b.length - place]);
  return pairs;
}

// Rows of {left, right, same}; a side without a line is null. `marked` is false where the texts are too long.
function sideBySide(left, right) { // eslint-disable-line no-unused-vars
  const a = left.split("\n"), b = right.split("\n"), rows = [];
  const pairs = commonPlaces(a, b);
  let i = 0, j = 0;
  for (const [nextA, nextB] of [...(pairs || []), [a.length, b.length]]) {
    while (i < nextA || j < nextB) rows.push({ left: i < nextA ? a[i++] : null, right: j < nextB ? b[j++] : null, same: false });
    if (nextA < a.length) { rows.push({ left: a[nextA], right: b[nextB], same: true }); i += 1; j += 1; }
  }
  return { rows, marked: pairs !== null };
}

// Each side of a changed line as [text, whether the other side has it].
function wordsApart(left, right) { // eslint-disable-line no-unused-vars
  const split = (text) => (text || "").match(/\s+|[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) || [];
  const a = split(left), b = split(right), pairs = commonPlaces(a, b) || [];
  const side = (words, kept) => {
    const pieces = [];
    words.forEach((word, place) => {
      const last = pieces[pieces.length - 1];
      if (last && last[1] === kept.has(place)) last[0] += word; else pieces.push([word, kept.has(place)]);
    });
    return pieces;
  };
  return [side(a, new Set(pairs.map((pair) => pair[0]))), side(b, new Set(pairs.map((pair) => pair[1])))];
}
