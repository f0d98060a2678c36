"""The tables of consistency."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from analysis.consistency.result import SubjectConsistency, Variation, Variations
from analysis.consistency.sentences import wording
from analysis.result import Analysis
from analysis.tables import MISSING, Cell, Table, number, plain_cells, share, titled
from analysis.wire_result import Interval

MOST_COLUMNS = 4
"""Values of k side by side; the JSON holds all."""

Row = Callable[[SubjectConsistency], list[str]]


def outcomes_table(analysis: Analysis) -> Table | None:
    shown = _shown_powers(analysis)

    def row(found: SubjectConsistency) -> list[str]:
        powers = {power.k: power for power in found.pass_power}
        texts = [number(found.trials, 0), number(found.accepted, 0)]
        for k in shown:
            power = powers.get(k)
            texts.append(_beside(share(power.value), power.interval) if power else MISSING)
        return texts

    return _table(
        analysis,
        "outcomes",
        "Do repeats pass too? pass^k against the stated criteria",
        ("Trials", "Accepted", *(f"pass^{k}" for k in shown)),
        row,
        note="pass^k: the chance that k trials of one item are all accepted. In brackets 95 % intervals over "
        "items; none below five items.",
    )


def criteria_table(analysis: Analysis) -> Table | None:
    """Where reports fail; None where just completion is known."""
    known = [criterion for criterion in analysis.acceptance if criterion.known]
    if not known:
        return None
    return _table(
        analysis,
        "criteria",
        "Share of the completed reports that meet each criterion",
        tuple(wording(criterion).capitalize() for criterion in known),
        lambda found: [share(found.met.get(criterion.column)) for criterion in known],
    )


def outputs_table(analysis: Analysis) -> Table | None:
    if not any(found.repeated_items for found in analysis.consistency.values()):
        return None
    return _table(
        analysis,
        "outputs",
        "Are the reports on one item the same?",
        ("Repeated items", "All copies", "Different reports per item", "Similarity"),
        lambda found: [
            number(found.repeated_items, 0),
            number(found.items_of_copies, 0),
            number(found.distinct_per_item),
            _beside(number(found.similarity), found.similarity_interval),
        ],
        note="Similarity: Jaccard index of word 5-grams over all pairs of an item's reports, copies "
        "included, mean over items; 1 is word for word the same. Not known where the texts are not.",
    )


def variation_table(analysis: Analysis) -> Table | None:
    if not any(
        v.all_runs.groups
        for v in chain.from_iterable((f.latency, f.tokens) for f in analysis.consistency.values())
    ):
        return None
    kinds = ("all repeats", "same text", "other texts")
    return _table(
        analysis,
        "variation",
        "Variation of the repeats of one item: standard deviation over mean",
        tuple(f"{what}, {kind}" for what in ("Latency", "Tokens") for kind in kinds),
        lambda found: [*_variations(found.latency), *_variations(found.tokens)],
        note="Same text: what varies although the output does not, so the machine or the way to it. Other "
        "texts: among an item's different reports.",
    )


def _variations(found: Variations) -> list[str]:
    return [_percent(v) for v in (found.all_runs, found.same_text, found.other_text)]


def _percent(found: Variation) -> str:
    if found.value is None:
        return MISSING
    interval = found.interval
    beside = f" ({interval.low:.1%} to {interval.high:.1%})" if interval else ""
    return f"{found.value:.1%}{beside}"


def _beside(text: str, interval: Interval | None) -> str:
    """Both ends as the text itself is written."""
    if interval is None:
        return text
    as_text = share if text.endswith("%") else number
    return f"{text} ({as_text(interval.low)} to {as_text(interval.high)})"


def _shown_powers(analysis: Analysis) -> list[int]:
    """The first values of k, and the last."""
    ks = sorted({power.k for found in analysis.consistency.values() for power in found.pass_power})
    return ks if len(ks) <= MOST_COLUMNS else [*ks[: MOST_COLUMNS - 1], ks[-1]]


def _table(
    analysis: Analysis, table_id: str, caption: str, columns: tuple[str, ...], row: Row, *, note: str = ""
) -> Table | None:
    rows: list[list[Cell]] = [
        [titled(name, framework), *plain_cells(row(found))]
        for name, framework in analysis.frameworks.items()
        if (found := analysis.consistency.get(name))
    ]
    return Table(table_id, caption, ("Framework", *columns), rows, note) if rows else None
