"use strict";
// The table of predicted latency follows the rates that the reader gives; without this it shows the measured ones.
(function () {
  const data = JSON.parse(document.getElementById("what-if-data").textContent);
  const rows = document.getElementById("table-what-if").tBodies[0].rows;
  const heads = document.getElementById("table-what-if").tHead.rows[0].cells;
  const field = (name) => document.getElementById("what-if-" + name);
  const rates = { prefill: field("prefill"), decode: field("decode"), call: field("call") };
  const shown = (value, digits) => value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });

  function money(value, sign) {
    if (value === null) return "–";
    const digits = value >= 1000 ? 0 : value >= 1 || value <= 0 ? 2 : Math.min(8, 2 - Math.floor(Math.log10(value)));
    return sign + shown(value, digits);
  }

  // An empty field is a part of a call that takes no time; anything else that is no rate leaves the table as it is.
  function read(input, least) {
    if (input.value === "" && !input.validity.badInput) return null;
    const value = Number(input.value);
    return input.validity.badInput || !Number.isFinite(value) || value < least ? undefined : value;
  }

  function update() {
    const prefill = read(rates.prefill, 0.001), decode = read(rates.decode, 0.001), call = read(rates.call, 0);
    const price = data.prices[Number(field("price").value)];
    if ([prefill, decode, call].includes(undefined)) {
      field("words").textContent = "Rates are numbers above 0.";
      return;
    }
    let best = null;
    data.rows.forEach((row, place) => {
      const atModel = (prefill ? row.fresh / prefill : 0) + (decode ? row.output / decode : 0) + row.calls * (call || 0);
      const seconds = row.other + row.overlap * atModel;
      const change = 100 * (seconds / row.measured - 1);
      const cells = rows[place].cells;
      cells[data.columns.predicted].textContent = shown(seconds, data.digits);
      cells[data.columns.change].textContent = row.measured > 0 ? (change < 0 ? "-" : "+") + shown(Math.abs(change), 1) + " %" : "–";
      cells[data.columns.cost].textContent = money(price.per_run[place], price.sign);
      if (best === null || seconds < best.seconds) best = { seconds, title: row.title };
    });
    heads[data.columns.cost].textContent = "Tokens at " + price.title;
    field("words").textContent = "Least: " + best.title + ", " + shown(best.seconds, data.digits) + " s.";
  }

  function reset() {
    for (const name of Object.keys(rates)) rates[name].value = data.rates[name] === null ? "" : String(data.rates[name]);
    update();
  }

  for (const input of Object.values(rates)) input.addEventListener("input", update);
  field("price").addEventListener("change", update);
  field("reset").addEventListener("click", reset);
  document.getElementById("what-if").hidden = false;
  reset();
})();
