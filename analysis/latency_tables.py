"""Tables of latency taken apart: by stage, by agent, and of the difference of two frameworks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from analysis.result import Analysis
from analysis.stages import STAGES
from analysis.tables import MISSING, MOST_PAIRS, Cell, Table, beside, digits_for, number, plain_cells, titled
from analysis.wire_result import Difference, Interval, Parts

EQUALISED = (
    "With equal messages: the same difference in the equalised arm, which is the framework's; the rest is "
    "its pattern of passing context on."
)
ONE_ARM = "Pattern and framework are told apart only where both arms ran."
NAMES = tuple(stage.name for stage in STAGES)


def latency_table(analysis: Analysis) -> Table:
    """With model, tools and the rest beside it where that is all that is known of its parts."""
    frameworks = analysis.frameworks.values()
    parts = any(f.model_s is not None for f in frameworks) and not all(f.parts for f in frameworks)
    digits = digits_for(f.latency_s for f in frameworks)
    rows = []
    for name, f in analysis.frameworks.items():
        s = f.latency_spread
        texts = [number(f.n_timed, 0), *(number(v, digits) for v in (s.mean, s.median, s.std, s.min, s.max))]
        if parts:
            texts += [number(value, digits) for value in (f.model_s, f.tool_s, f.framework_s)]
        rows.append([titled(name, f), *plain_cells(texts)])
    columns = ("Model", "Tools", "Framework itself") if parts else ()
    return Table(
        "latency",
        "Latency per run in seconds",
        ("Framework", "Runs", "Mean", "Median", "Std", "Min", "Max", *columns),
        rows,
        "Model, tools and the framework itself are means and add up to the mean latency." if parts else "",
    )


def parts_table(analysis: Analysis) -> Table | None:
    """None where no run tells its stages."""
    known = [(name, f, f.parts) for name, f in analysis.frameworks.items() if f.parts]
    if not known:
        return None
    digits = stage_digits(f.latency_s for _, f, _ in known)
    rows = [
        [
            titled(name, f),
            *plain_cells([number(f.n_timed, 0), *_stages(parts, digits)]),
            Cell(number(f.latency_s, digits), strong=True),
        ]
        for name, f, parts in known
    ]
    missing = len(analysis.frameworks) - len(known)
    return Table(
        "parts",
        "Where a run's seconds go, means",
        ("Framework", "Runs", *NAMES, "Latency"),
        rows,
        "The stages add up to the latency. Where calls overlap, an instant belongs to the stage that is "
        f"furthest on.{_not_known(missing)}",
    )


def agents_table(analysis: Analysis) -> Table | None:
    rows = []
    digits = stage_digits(f.latency_s for f in analysis.frameworks.values())
    for name, f in analysis.frameworks.items():
        for agent, parts in f.agent_parts.items():
            total = sum(parts.model_dump().values())
            texts = [agent or "(no agent)", *_stages(parts, digits), number(total, digits)]
            rows.append([titled(name, f), *plain_cells(texts)])
    if not rows:
        return None
    return Table(
        "agents",
        "Where each agent's seconds go, means per run",
        ("Framework", "Agent", *NAMES, "Sum"),
        rows,
        "An agent's step lasts until its last call has ended; what the framework does between two calls "
        "belongs to the agent that calls next, after the last call to the last agent.",
        frozenset({1}),
    )


def boot_table(analysis: Analysis) -> Table | None:
    known = [(name, f) for name, f in analysis.frameworks.items() if f.boot_s is not None]
    if not known:
        return None
    rows = [[titled(name, f), *plain_cells([number(f.boot_s), number(f.import_s)])] for name, f in known]
    return Table(
        "boot",
        "Before the clock starts: seconds per run that are in no latency, means",
        ("Framework", "Starting its process", "Importing it"),
        rows,
    )


def differences_table(analysis: Analysis, metric: Literal["latency_s", "tokens"]) -> Table | None:
    shown, note = _largest(analysis, metric)
    if not shown:
        return None
    arms = any(d.framework is not None for d in shown)
    digits = stage_digits([d.total for d in shown]) if metric == "latency_s" else 0
    rows = []
    for d in shown:
        split = [number(d.pattern, digits), number(d.framework, digits)] if arms else []
        interval = _interval(d.total_interval, digits)
        texts = [str(d.n_items), number(d.total, digits), interval, *split, *_noise(d, digits)]
        rows.append([Cell(_pair(analysis, d)), *plain_cells(texts)])
    what = "Latency in seconds" if metric == "latency_s" else "Tokens per run"
    return Table(
        f"differences-{metric.removesuffix('_s')}",
        f"{what}: difference of two frameworks",
        (
            *("Pair", "Items", "Difference", "95 % interval"),
            *(("Pattern", "With equal messages") if arms else ()),
            *("Noise floor", "Beside it"),
        ),
        rows,
        f"First less second, on means of the items that both completed. {EQUALISED if arms else ONE_ARM}"
        + note,
    )


def stage_differences_table(analysis: Analysis) -> Table | None:
    """What the differences of latency are made of; None where no stages are known."""
    shown, note = _largest(analysis, "latency_s")
    shown = [d for d in shown if d.framework_s is not None]
    if not shown:
        return None
    digits = stage_digits([d.total for d in shown])
    rows = []
    for d in shown:
        stages = (d.model_s, d.tool_s, d.gateway_s, d.framework_s, d.total)
        texts = [d.arm or MISSING, *(number(value, digits) for value in stages)]
        rows.append([Cell(_pair(analysis, d)), *plain_cells(texts)])
    return Table(
        "differences-stages",
        "Latency in seconds: where the difference of two frameworks comes from",
        ("Pair", "Arm", "At the model", "Tools", "Gateway (ours)", "Framework itself", "Difference"),
        rows,
        "The four stages add up to the difference. At the model: other messages, other tokens." + note,
        frozenset({1}),
    )


def stage_digits(values: Iterable[float | None]) -> int:
    """Milliseconds, which is what some stages take, unless the whole is minutes."""
    return 2 if any(abs(value or 0) >= 100 for value in values) else 3


def _stages(parts: Parts, digits: int) -> list[str]:
    return [number(getattr(parts, stage.field), digits) for stage in STAGES]


def _not_known(missing: int) -> str:
    return f" Not known of {missing} of the frameworks." if missing else ""


def _largest(analysis: Analysis, metric: str) -> tuple[list[Difference], str]:
    mine = [d for d in analysis.differences if d.metric == metric]
    shown = sorted(mine, key=lambda d: -abs(d.total))[:MOST_PAIRS]
    rest = f" The {len(shown)} largest of {len(mine)}; all are in the JSON."
    return shown, rest if len(mine) > len(shown) else ""


def _pair(analysis: Analysis, difference: Difference) -> str:
    titles = {f.framework: f.name for f in analysis.frameworks.values()}
    return f"{titles[difference.a]} – {titles[difference.b]}"  # noqa: RUF001 - typography


def _interval(interval: Interval | None, digits: int) -> str:
    return (
        f"{number(interval.low, digits)} to {number(interval.high, digits)}" if interval else "too few items"
    )


def _noise(difference: Difference, digits: int) -> list[str]:
    return [number(difference.noise, digits), beside(difference.exceeds_noise)]
