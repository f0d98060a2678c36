"use strict";
// One run as a figure: a line per row, a trace per stage, later stages over earlier ones.
function waterfallFigure(data, run, colour) { // eslint-disable-line no-unused-vars
  const bars = (stage) => run.bars.filter((bar) => bar[1] === stage);
  const trace = (stage, name, marker, rank, width) => {
    const mine = bars(stage);
    return {
      type: "bar", orientation: "h", name: name, marker: marker, legendrank: rank, width: width,
      y: mine.map((bar) => bar[0]), base: mine.map((bar) => bar[2] / 1000), x: mine.map((bar) => bar[3] / 1000),
      text: mine.map((bar) => run.rows[bar[0]][1]), textposition: "none",
      hovertemplate: name + ": %{x:.3f} s from %{base:.3f} s<br>%{text}<extra></extra>",
      visible: mine.length > 0,
    };
  };
  const step = trace(data.step, "Agent's step", { color: colour("--line-strong") }, 2000, 0.3);
  const stages = data.draw.map((stage) => trace(stage, data.stages[stage].name, data.stages[stage].marker, 1000 + stage, 0.62));
  return {
    data: [step, ...stages],
    height: 120 + 26 * run.rows.length,
    words: run.words,
    layout: {
      barmode: "overlay",
      xaxis: { title: { text: "Seconds from the call of the framework" }, rangemode: "tozero" },
      yaxis: { tickmode: "array", tickvals: run.rows.map((_, row) => row), ticktext: run.rows.map((row) => row[0]), range: [run.rows.length - 0.4, -0.6], showgrid: false, zeroline: false },
      legend: { traceorder: "normal", y: -56 / (26 * run.rows.length) },
      hovermode: "closest",
    },
  };
}
