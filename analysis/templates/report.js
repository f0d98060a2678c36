"use strict";
(function () {
  const root = document.documentElement;
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const system = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 640px)");

  let runs = { redraw() {} };

  function isDark() { return root.dataset.theme ? root.dataset.theme === "dark" : system.matches; }

  function colour(name) { return getComputedStyle(root).getPropertyValue(name).trim(); }

  function pageTemplate() {
    const axis = { gridcolor: colour("--line"), linecolor: colour("--line"), zerolinecolor: colour("--line-strong"), automargin: true, title: { standoff: 12, font: { size: 13 } }, fixedrange: true };
    return { layout: {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: narrow.matches ? 11.5 : 13, color: colour("--ink") },
      xaxis: axis, yaxis: Object.assign({}, axis, { ticklabelstandoff: 8 }),
      polar: { bgcolor: "rgba(0,0,0,0)", angularaxis: { gridcolor: colour("--line"), linecolor: colour("--line") },
               radialaxis: { gridcolor: colour("--line"), linecolor: colour("--line"), tickfont: { color: colour("--ink-soft") } } },
      legend: { orientation: "h", x: 0.5, xanchor: "center", y: -0.2, yanchor: "top", bgcolor: "rgba(0,0,0,0)" },
      hoverlabel: { bgcolor: colour("--surface"), bordercolor: colour("--line-strong"), font: { color: colour("--ink") } },
      margin: narrow.matches ? { l: 8, r: 12, t: 24, b: 8 } : { l: 24, r: 24, t: 32, b: 24 },
    }, data: { bar: [{ error_x: { color: colour("--ink") } }] } };
  }

  function layoutOf(id, element) {
    const layout = Object.assign({}, figures[id].layout, { template: pageTemplate(), height: Number(element.dataset.height), autosize: true });
    if (id === "radar") layout.margin = narrow.matches ? { l: 68, r: 68, t: 32, b: 8 } : { l: 84, r: 84, t: 36, b: 8 }; // its labels have no automargin
    return layout;
  }

  function drawWaterfall(data, run) {
    const element = document.getElementById("figure-waterfall");
    const drawn = waterfallFigure(data, run, colour);
    const layout = Object.assign({}, drawn.layout, { template: pageTemplate(), height: drawn.height, autosize: true });
    element.style.height = drawn.height + "px";
    element.setAttribute("aria-label", "Waterfall of " + drawn.words);
    document.getElementById("waterfall-words").textContent = drawn.words + ".";
    Plotly.react(element, drawn.data, layout, { displayModeBar: false, responsive: true });
  }

  function drawAll() {
    if (typeof Plotly === "undefined") return; // not unpacked yet: it draws them when it is
    runs.redraw();
    Object.keys(figures).forEach(drawFigure);
  }

  function drawFigure(id) {
    const element = document.getElementById("figure-" + id);
    if (element) Plotly.react(element, figures[id].data, layoutOf(id, element), { displayModeBar: false, responsive: true });
  }

  async function start() {
    if (document.getElementById("plotly-code").textContent) {
      const code = document.createElement("script");
      code.textContent = await unpack("plotly-code");
      document.head.append(code);
    }
    runs = prepareRuns(drawWaterfall, saveCsv);
    for (const id of Object.keys(figures)) {
      drawFigure(id);
      await new Promise((resume) => { setTimeout(resume); }); // a reader who scrolls or types comes first
    }
    root.dataset.ready = "yes";
  }

  function saveFile(name, type, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  function csvCell(text) {
    // A leading =, +, - or @ would make a spreadsheet run the text as a formula; numbers stay as they are.
    const safe = /^[=+@\-\t]/.test(text) && !/^-?[\d.,]+$/.test(text) ? "'" + text : text;
    return /[",\n]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
  }

  function saveCsv(name, rows) {
    saveFile(name + ".csv", "text/csv", rows.map((row) => row.map(csvCell).join(",")).join("\n") + "\n");
  }

  function tableRows(table) {
    return Array.from(table.rows, (row) => Array.from(row.cells, (cell) => cell.textContent.trim()));
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.id === "theme") {
      root.dataset.theme = isDark() ? "light" : "dark";
      try { localStorage.setItem("levelfield-theme", root.dataset.theme); } catch (_) { /* kept for this page only */ }
      drawAll();
    } else if (button.dataset.table) {
      saveCsv(button.dataset.table, tableRows(document.getElementById("table-" + button.dataset.table)));
    } else if (button.dataset.figure) {
      Plotly.downloadImage("figure-" + button.dataset.figure, { format: button.dataset.format, filename: button.dataset.figure, scale: button.dataset.format === "png" ? 2 : 1 });
    }
  });

  let before = "";
  addEventListener("beforeprint", () => {
    before = root.dataset.theme || "";
    root.dataset.theme = "light";
    document.querySelectorAll("details").forEach((d) => { d.open = true; });
    drawAll();
  });
  addEventListener("afterprint", () => {
    if (before) root.dataset.theme = before; else delete root.dataset.theme;
    drawAll();
  });
  system.addEventListener("change", drawAll);
  narrow.addEventListener("change", drawAll);
  start().catch((error) => {
    document.getElementById("too-old").hidden = false;
    console.error(error);
  });
})();
