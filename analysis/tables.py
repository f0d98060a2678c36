"""The report's tables as rows of text: what a reader sees and downloads, each number already formatted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from analysis.result import Analysis, Checks, FrameworkResult
from analysis.significance_result import Metric

MISSING = "–"  # noqa: RUF001 - an en dash is what a table shows for "no value"
MOST_PAIRS = 60
METRIC_NAMES: dict[Metric, str] = {"quality": "Quality", "latency_s": "Latency", "tokens": "Tokens"}


@dataclass(frozen=True)
class Cell:
    text: str
    swatch: str | None = None
    """Framework whose colour stands before the text."""
    strong: bool = False


@dataclass(frozen=True)
class Table:
    id: str
    caption: str
    columns: tuple[str, ...]
    rows: list[list[Cell]]
    note: str = ""
    text_columns: frozenset[int] = frozenset()
    """Columns that hold words: aligned left. The first always does and heads its row."""


def number(value: float | None, digits: int = 2, *, unit: str = "") -> str:
    return MISSING if value is None else f"{value:,.{digits}f}{unit}"


def digits_for(values: Iterable[float | None]) -> int:
    """Decimals that show at least three figures of the largest value."""
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    return 1 if largest >= 10 else 2 if largest >= 1 else 3


def beside(exceeds: bool | None) -> str:
    """How a difference compares with the noise floor."""
    return MISSING if exceeds is None else "larger" if exceeds else "within"


def share(value: float | None) -> str:
    return MISSING if value is None else f"{value:.0%}"


def signed_share(value: float) -> str:
    return f"{round(value, 2) + 0.0:+.0%}"  # without the 0.0 a small loss reads -0%


def p_value(value: float | None) -> str:
    if value is None:
        return MISSING
    if value == 0:
        return "< 1e-300"
    return f"{value:.4f}" if value >= 0.0001 else f"{value:.1g}"


def titled(name: str, framework: FrameworkResult) -> Cell:
    return Cell(framework.title, swatch=name)


def plain_cells(values: Iterable[str]) -> list[Cell]:
    return [Cell(value) for value in values]


def _judged(analysis: Analysis) -> list[tuple[str, FrameworkResult]]:
    return [(name, f) for name, f in analysis.frameworks.items() if f.role != "dry"]


def quality_table(analysis: Analysis) -> Table:
    rows = [
        [
            titled(name, f),
            *plain_cells([number(f.n_scored, 0), *(number(f.criteria.get(c)) for c in analysis.criteria)]),
            Cell(number(f.quality), strong=True),
        ]
        for name, f in _judged(analysis)
    ]
    return Table(
        "quality",
        "Mean score per criterion, from 1 to 10",
        ("Framework", "Scored runs", *(c.capitalize() for c in analysis.criteria), "Overall"),
        rows,
    )


def distribution_table(analysis: Analysis) -> Table:
    rows = []
    for name, f in _judged(analysis):
        s = f.quality_spread
        rows.append([titled(name, f), *plain_cells(number(v) for v in (s.min, s.q1, s.median, s.q3, s.max))])
    return Table(
        "distribution",
        "Distribution of overall scores",
        ("Framework", "Lowest", "First quartile", "Median", "Third quartile", "Highest"),
        rows,
    )


def tokens_table(analysis: Analysis) -> Table:
    calls = any(f.model_calls is not None for f in analysis.frameworks.values())
    rows = []
    for name, f in _judged(analysis):
        texts = [number(f.prompt_tokens, 0), number(f.completion_tokens, 0), number(f.tokens, 0)]
        texts += [
            number(f.tokens_per_quality_point, 0),
            number(f.tokens_spread.min, 0),
            number(f.tokens_spread.max, 0),
        ]
        rows.append([titled(name, f), *plain_cells([*texts, *([number(f.model_calls, 1)] if calls else [])])])
    return Table(
        "tokens",
        "Tokens per run, means",
        (
            "Framework",
            "Input",
            "Output",
            "Total",
            "Per point of quality",
            "Min",
            "Max",
            *(("Model calls",) if calls else ()),
        ),
        rows,
    )


def consistency_table(analysis: Analysis) -> Table:
    rows = []
    for name, f in _judged(analysis):
        texts = [number(f.n, 0), number(f.distinct_outputs, 0)]
        texts += [number(v) for v in (f.std, f.min, f.max, f.range)]
        rows.append([titled(name, f), *plain_cells([*texts, number(f.latency_spread.std, 1, unit=" s")])])
    noisy = any(alarm.code == "judge_noise" for alarm in analysis.alarms)
    copies = analysis.replication.distinct_outputs is not None and any(cell.copies for cell in analysis.cells)
    warning = "Judge noise is not consistency: " if noisy else ""
    return Table(
        "consistency",
        "Spread of overall scores",
        ("Framework", "Runs", "Distinct reports", "Std", "Min", "Max", "Range", "Std of latency"),
        rows,
        f"{warning}many of these reports are byte-identical, so the spread of their scores is the judge's, "
        "not the "
        "framework's."
        if copies
        else "",
    )


_CHECKS: dict[str, Callable[[Checks], str]] = {
    "Passed the task's own score": lambda c: share(c.passed),
    "Sections present": lambda c: share(c.section_share),
    "Words": lambda c: number(c.words, 0),
    "Within the asked length": lambda c: share(c.words_in_range),
    "Known facts stated": lambda c: share(c.fact_recall),
}


def checks_table(analysis: Analysis) -> Table | None:
    """With the columns that any framework has a value in: a task asks for what it asks for."""
    judged = list(_judged(analysis))
    columns = {title: [text(f.checks) for _, f in judged] for title, text in _CHECKS.items()}
    known = {title: texts for title, texts in columns.items() if set(texts) != {MISSING}}
    if not judged or not known:
        return None
    rows = [
        [titled(name, f), *plain_cells([texts[place] for texts in known.values()])]
        for place, (name, f) in enumerate(judged)
    ]
    return Table(
        "checks", "Checks that need no model, means over completed runs", ("Framework", *known), rows
    )


def omnibus_table(analysis: Analysis) -> Table:
    verdicts = {
        "shown": "difference shown",
        "tests_disagree": "the tests disagree",
        "only_if_repeats_count": "only if repeats count as new evidence",
        "not_shown": "no difference shown",
        "cannot_tell": "cannot tell",
    }
    rows = []
    for metric, tests in analysis.omnibus.items():
        first = tests.kruskal_wallis
        each = (first, tests.kruskal_wallis_item_means, tests.friedman, tests.friedman_permutation)
        ps = [p_value(test.p) if test.p is not None else test.reason or MISSING for test in each]
        rows.append(
            plain_cells([METRIC_NAMES[metric], number(first.statistic), *ps, verdicts[tests.verdict]])
        )
    return Table(
        "omnibus",
        "Do the frameworks differ at all?",
        (
            "Metric",
            "Kruskal-Wallis H, all runs",
            "p, all runs",
            "p, one mean per item",
            "p, item by item (Friedman)",
            "The same, counting orders",
            "Verdict",
        ),
        rows,
        "The first p counts every run as independent. The verdict follows Friedman's p where it can be "
        "computed; with few items its usual approximation is coarse, and counting orders is exact.",
        frozenset({6}),
    )


def pairs_table(analysis: Analysis, metric: Metric) -> Table:
    mine = [pair for pair in analysis.pairs if pair.metric == metric]
    shown = sorted(mine, key=lambda pair: 1.0 if pair.mann_whitney.p is None else pair.mann_whitney.p)[
        :MOST_PAIRS
    ]
    digits = 2 if metric == "quality" else digits_for(pair.mean_difference for pair in shown)
    floor = any(pair.noise is not None for pair in shown)
    rows = []
    for pair in shown:
        t = pair.mann_whitney
        names = f"{analysis.frameworks[pair.a].title} – {analysis.frameworks[pair.b].title}"  # noqa: RUF001 - typography
        texts = [number(pair.mean_difference, digits), number(t.u, 1), p_value(t.p), p_value(t.p_bonferroni)]
        texts += [number(t.r, 3), number(t.rank_biserial), "yes" if pair.significant else "no"]
        if floor:
            texts += [number(pair.noise, digits), beside(pair.exceeds_noise)]
        rows.append([Cell(names), *(Cell(text, strong=pair.significant) for text in texts)])
    rest = (
        f" The {len(shown)} pairs with the smallest p of {len(mine)}; all are in the JSON."
        if len(mine) > len(shown)
        else ""
    )
    return Table(
        f"pairs-{metric}",
        f"{METRIC_NAMES[metric]}: Mann-Whitney U for each pair",
        (
            *("Pair", "Difference of means", "U", "p", "p, Bonferroni", "r", "Rank-biserial", "Significant"),
            *(("Noise floor", "Beside it") if floor else ()),
        ),
        rows,
        "The classic test: every run counts as independent here, copies too. It decides nothing." + rest,
        frozenset({7}),
    )


def items_table(analysis: Analysis) -> Table:
    cells = {(cell.framework, cell.item): cell for cell in analysis.cells}
    rows = []
    for name, f in _judged(analysis):
        found = [cells.get((name, item)) for item in analysis.items]
        rows.append([titled(name, f), *plain_cells(number(cell.quality if cell else None) for cell in found)])
    return Table("items", "Mean overall score per item", ("Framework", *analysis.items), rows)
