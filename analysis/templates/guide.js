"use strict";
// The reader's weights -> who is best, in how many resamples, and who is not shown to be worse.
// The same steps as in analysis/guide/weigh.py, on the same whole numbers.
function weighFrameworks(data, weights) {
  const places = data.frameworks.map((_, place) => place);
  const total = (row) => weights.reduce((sum, weight, metric) => sum + weight * row[metric], 0);
  const scores = data.logs.map((cells) => places.map((place) => total(cells.map((cell) => cell[place]))));
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

  const won = places.map(() => 0);
  for (const draw of data.draws) {
    const sums = places.map((place) => draw.reduce((sum, times, item) => sum + times * scores[item][place], 0));
    const least = sums.reduce((a, b) => Math.min(a, b));
    const best = places.filter((place) => sums[place] === least);
    for (const place of best) won[place] += 1 / best.length;
  }
  const probability = won.map((times) => times / data.draws.length);

  const known = data.twins.filter((row) => weights.every((weight, metric) => !weight || row[metric] !== null));
  const noise = known.length ? mean(known.map((row) => Math.abs(total(row)))) : 0;
  const means = places.map((place) => mean(scores.map((row) => row[place])));
  const better = (a, b) => means[a] < means[b] || (means[a] === means[b] && probability[a] > probability[b]);
  const leader = places.reduce((a, b) => (better(b, a) ? b : a));
  const behind = places.map((place) => {
    const each = scores.map((row) => row[place] - row[leader]);
    const centre = mean(each);
    const spread = Math.sqrt(each.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (each.length - 1));
    return { centre, t: spread > 0 ? centre / (spread / Math.sqrt(each.length)) : centre > 0 ? Infinity : 0 };
  });
  const order = places.filter((place) => place !== leader).sort((a, b) => (behind[a].t === behind[b].t ? 0 : behind[b].t - behind[a].t));
  const fails = order.findIndex((place, step) => !(behind[place].t > data.critical_t[step]));
  const passed = fails < 0 ? order : order.slice(0, fails);
  const worse = places.map((place) => passed.includes(place) && behind[place].centre > noise);
  const left = places.filter((place) => !worse[place]);
  const chosen = left.length === 1 && probability[leader] >= data.fewest_best;
  return { probability, leader, worse, left, chosen };
}

(function () {
  const data = JSON.parse(document.getElementById("guide-data").textContent);
  const form = document.getElementById("guide-weights");
  const sliders = Array.from(form.querySelectorAll("input"));
  const rows = Array.from(document.querySelectorAll("#table-guide-weights tbody tr"));
  const words = document.getElementById("guide-words");
  const percent = (value) => Math.round(value * 100) + "%";
  const listing = (names) => (names.length < 2 ? names.join("") : names.slice(0, -1).join(", ") + " and " + names[names.length - 1]);

  function sentence(found) {
    const leader = data.titles[found.leader] + " is best in " + percent(found.probability[found.leader]) + " of the resamples";
    if (found.chosen) return leader + ", and ahead of all others.";
    if (found.left.length === 1) return "No difference shown: " + leader + ", which is too few.";
    return "No difference shown between " + listing(found.left.map((place) => data.titles[place])) + ". " + leader + ".";
  }

  function show() {
    const weights = sliders.map((slider) => Number(slider.value));
    sliders.forEach((slider) => { slider.parentElement.querySelector("output").value = slider.value; });
    const found = weights.some(Boolean) ? weighFrameworks(data, weights) : null;
    rows.forEach((row, place) => {
      row.cells[1].textContent = found ? percent(found.probability[place]) : "–";
      row.cells[1].dataset.value = found ? found.probability[place] : "";
      row.cells[2].textContent = found ? (found.worse[place] ? "yes" : "no") : "–";
    });
    return found ? sentence(found) : "Give at least one of them a weight.";
  }

  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", show);
  form.addEventListener("change", () => { words.textContent = show(); }); // said once, when the slider rests
})();
