"use strict";
// Ties the select boxes of "One run" and "Compare runs" to what they show; the data is unpacked when first seen.
function prepareRuns(drawWaterfall, saveCsv) { // eslint-disable-line no-unused-vars
  const sections = [document.getElementById("run"), document.getElementById("compare")].filter(Boolean);
  if (!sections.length) return { redraw() {} };
  let redraw = () => {};
  const shown = (id) => document.getElementById(id);

  function begin(data) {
    const withPage = data.runs.filter((run) => run[RUN.page] >= 0);
    runChoice(shown("run-choice"), data, withPage[0], (run) => {
      const page = data.pages[run[RUN.page]];
      redraw = () => { if (page) drawWaterfall(data, page.waterfall); };
      shown("waterfall-frame").hidden = !page;
      redraw();
      shown("run-shown").replaceChildren(...runView(data, run));
    });
    const first = withPage[0];
    const rival = withPage.find((run) => run[RUN.subject] !== first[RUN.subject] && run[RUN.item] === first[RUN.item] && run[RUN.iteration] === first[RUN.iteration]);
    const pair = [first, rival || withPage[withPage.length - 1]];
    const what = shown("compare-what");
    const compare = () => {
      const [table, words] = compareRuns(data, pair, what.value);
      shown("compare-words").textContent = words;
      shown("compare-shown").replaceChildren(...(table ? [table] : []));
    };
    ["a", "b"].forEach((name, place) => {
      runChoice(shown(`compare-${name}`), data, pair[place], (run) => { pair[place] = run; compare(); });
    });
    what.addEventListener("change", compare);
    shown("every-run").addEventListener("click", () => saveCsv("every-run", runRows(data)));
    sections.forEach((section) => { section.dataset.ready = "yes"; });
  }

  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    unpack("run-data").then((text) => begin(JSON.parse(text)));
  }, { rootMargin: "1200px" });
  sections.forEach((section) => seen.observe(section));
  return { redraw: () => redraw() };
}
