"use strict";
// A part of the page that analysis/packed.py compressed, as text. Rejects where a browser is older than 2023.
async function unpack(id) { // eslint-disable-line no-unused-vars
  const raw = atob(document.getElementById(id).textContent);
  const bytes = new Uint8Array(raw.length);
  for (let place = 0; place < raw.length; place += 1) bytes[place] = raw.charCodeAt(place);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
}
