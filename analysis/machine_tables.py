"""Tables of what surrounded the runs: the machine's load, the model's speed, quarantine, the noise floor."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from analysis.result import Analysis
from analysis.run_tables import MOST_RUNS
from analysis.tables import MISSING, Cell, Table, digits_for, number, plain_cells, share, titled
from analysis.wire_result import DifferenceMetric, Noise, QuarantinedRun
from analysis.wording import p_text


def machine_table(analysis: Analysis) -> Table | None:
    rows = []
    for name, f in analysis.frameworks.items():
        if m := f.machine:
            shares = (m.busy_share, m.other_share, m.steal_share, m.cpu_pressure)
            texts = [number(f.n_timed, 0), *(share(value) for value in shares), number(m.energy_j, 0)]
            rows.append([titled(name, f), *plain_cells(texts)])
    if not rows:
        return None
    return Table(
        "machine",
        "The machine during the runs, means",
        (
            *("Framework", "Runs", "Processors busy", "By other programs", "Taken by the hypervisor"),
            *("Waiting for a processor", "GPU energy (J)"),
        ),
        rows,
        "Shares of all processors' time. Disturbed runs are left out here and listed below.",
    )


def drift_table(analysis: Analysis) -> Table | None:
    """The figure's points, by framework."""
    runs = analysis.runs
    by_name: dict[str, list[float]] = {}
    for name, rate in zip(runs.framework, runs.decode_rate, strict=True):
        if rate is not None:
            by_name.setdefault(name, []).append(rate)
    rows = [
        [titled(name, f), *plain_cells(_rates(by_name[name]))]
        for name, f in analysis.frameworks.items()
        if name in by_name
    ]
    probes = analysis.drift.probes
    note = "No probes were made."
    if probes:
        answered = [mark.tokens_per_s for mark in probes.marks if mark.tokens_per_s is not None]
        rows.append([Cell("Probes"), *plain_cells(_rates(answered))])
        texts = "one and the same text" if probes.texts == 1 else f"{probes.texts} different texts"
        note = f"Of {probes.n} probes {probes.failed} failed; the others got {texts}."
    if not rows:
        return None
    return Table(
        "drift",
        "The model's speed, output tokens per second",
        ("Framework", "Runs", "Mean", "Slowest", "Fastest", "Fastest over slowest"),
        rows,
        note,
    )


def _rates(rates: Sequence[float]) -> list[str]:
    if not rates:
        return ["0", *[MISSING] * 4]
    low, high = min(rates), max(rates)
    return [str(len(rates)), number(fmean(rates), 1), number(low, 1), number(high, 1), number(high / low)]


def nodes_table(analysis: Analysis) -> Table | None:
    """None with one node."""
    effect = analysis.nodes
    if len(effect.nodes) < 2:
        return None
    rows = []
    for name, node in effect.nodes.items():
        counts = [number(node.blocks, 0), number(node.runs, 0), number(node.latency_s, 1)]
        rates = [number(node.tokens_per_s, 1), number(node.probe_tokens_per_s, 1), number(node.quality, 2)]
        rows.append([Cell(name), *plain_cells([*counts, *rates])])
    note = "A block stays on one node, so what is compared ran on the same machine."
    if effect.ratio is not None:
        note += f" Speeds of blocks, fastest node over slowest: {effect.ratio:.2f}"
        note += f" ({p_text(effect.p)})." if effect.p is not None else "."
    return Table(
        "nodes",
        "Nodes, means of completed runs",
        ("Node", "Blocks", "Runs", "Latency (s)", "Tokens/s", "Probe tokens/s", "Quality"),
        rows,
        note,
    )


def quarantine_table(analysis: Analysis) -> Table | None:
    if not analysis.quarantined:
        return None
    rows = []
    for run in analysis.quarantined[:MOST_RUNS]:
        f = analysis.frameworks.get(run.framework)
        texts = [
            run.item,
            str(run.iteration) if run.iteration else "warm-up",
            number(run.attempt, 0),
            run.code.replace("_", " "),
            "; ".join(run.reasons) or "not recorded",
            _consequence(run),
        ]
        rows.append([titled(run.framework, f) if f else Cell(run.framework), *plain_cells(texts)])
    return Table(
        "quarantine",
        "Attempts in quarantine",
        ("Framework", "Item", "Iteration", "Attempt", "Code", "Why", "So"),
        rows,
        "",
        frozenset({1, 4, 5, 6}),
    )


def _consequence(run: QuarantinedRun) -> str:
    if not run.kept:
        return "another attempt counts" if run.iteration else "counts nowhere in any case"
    return "its times count nowhere" if run.code == "disturbed" else "nothing of it counts"


def noise_table(analysis: Analysis) -> Table | None:
    floor = analysis.noise_floor
    if not floor.pairs:
        return None
    titles = {name: f.title for name, f in analysis.frameworks.items()}
    rows = [
        [titled(pair.a, analysis.frameworks[pair.a]), *plain_cells(_noises(pair.metrics))]
        for pair in floor.pairs
    ]
    if len(floor.pairs) > 1:
        rows.append([Cell("All of them"), *plain_cells(_noises(floor.metrics))])
    twins = ", ".join(titles[pair.b] for pair in floor.pairs)
    return Table(
        "noise",
        "Noise floor: a framework against itself, item by item",
        (
            *("Framework", "Item pairs", "Quality", "Largest", "Latency (s)", "Largest"),
            *("Framework itself (s)", "Largest", "Tokens", "Largest"),
        ),
        rows,
        f"Mean absolute difference of item means from the second name ({twins}), and the largest. A "
        "difference counts as larger than the noise when it is above the mean absolute one over all pairs.",
    )


def _noises(metrics: dict[DifferenceMetric, Noise]) -> list[str]:
    texts = [str(max((noise.n_items for noise in metrics.values()), default=0))]
    order: tuple[DifferenceMetric, ...] = ("quality", "latency_s", "framework_s", "tokens")
    for metric in order:
        noise = metrics.get(metric)
        if noise is None:
            texts += [MISSING, MISSING]
            continue
        digits = {"quality": 2, "tokens": 0}.get(metric, digits_for([noise.largest]))
        texts += [number(noise.mean_absolute, digits), number(noise.largest, digits)]
    return texts
