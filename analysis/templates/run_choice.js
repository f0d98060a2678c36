"use strict";
// A run as the data has it: [subject, item, iteration, status, quality, latency in s, tokens, page or -1].
const RUN = { subject: 0, item: 1, iteration: 2, status: 3, quality: 4, latency: 5, tokens: 6, page: 7 };

function runName(data, run) { // eslint-disable-line no-unused-vars
  return `${data.subjects[run[RUN.subject]]} on ${data.items[run[RUN.item]]}, iteration ${run[RUN.iteration]}`;
}

function runRows(data) { // eslint-disable-line no-unused-vars
  const rows = data.runs.map((run) => [data.subjects[run[RUN.subject]], data.items[run[RUN.item]], run[RUN.iteration],
    data.statuses[run[RUN.status]], run[RUN.quality], run[RUN.latency], run[RUN.tokens]]);
  return [["framework", "item", "iteration", "status", "quality", "latency_s", "tokens"], ...rows.map((row) => row.map((value) => String(value ?? "")))];
}

// Three select boxes, each offering what the ones before it leave. `chosen` is called with a run.
function runChoice(group, data, first, chosen) { // eslint-disable-line no-unused-vars
  const [subject, item, iteration] = ["subject", "item", "iteration"].map((name) => group.querySelector(`[data-choice="${name}"]`));
  const fill = (box, options, wanted) => {
    box.replaceChildren(...options.map(([value, text]) => new Option(text, value, false, String(value) === String(wanted))));
  };
  const distinct = (runs, column, names) => [...new Set(runs.map((run) => run[column]))].map((place) => [place, names[place]]);
  const iterationText = (run) => String(run[RUN.iteration])
    + (data.statuses[run[RUN.status]] === "completed" ? "" : `, ${data.statuses[run[RUN.status]]}`)
    + (run[RUN.page] < 0 ? ", figures only" : "");

  function offer(wanted) {
    const ofSubject = data.runs.filter((run) => run[RUN.subject] === Number(subject.value));
    fill(item, distinct(ofSubject, RUN.item, data.items), wanted[RUN.item]);
    const left = ofSubject.filter((run) => run[RUN.item] === Number(item.value));
    const same = left.find((run) => run[RUN.iteration] === wanted[RUN.iteration]) || left[0];
    fill(iteration, left.map((run) => [data.runs.indexOf(run), iterationText(run)]), data.runs.indexOf(same));
    chosen(data.runs[Number(iteration.value)]);
  }

  const now = () => data.runs[Number(iteration.value)];
  subject.addEventListener("change", () => offer(now()));
  item.addEventListener("change", () => { const wanted = [...now()]; wanted[RUN.item] = Number(item.value); offer(wanted); });
  iteration.addEventListener("change", () => chosen(now()));
  fill(subject, distinct(data.runs, RUN.subject, data.subjects), first[RUN.subject]);
  offer(first);
}
