"""Tables of what the paired tests say: standings by group, and what each family could show."""

from __future__ import annotations

from analysis.estimates.result import Decider, Family
from analysis.latency_tables import stage_digits
from analysis.result import Analysis
from analysis.subjects import arms_of
from analysis.tables import (
    MISSING,
    Cell,
    Table,
    number,
    p_value,
    plain_cells,
    share,
    titled,
)
from analysis.wire_result import DifferenceMetric

NAMES: dict[DifferenceMetric, str] = {
    "quality": "Quality", "latency_s": "Latency", "framework_s": "Framework's own time", "tokens": "Tokens"
}  # fmt: skip
UNITS: dict[DifferenceMetric, str] = {"quality": "points", "latency_s": "s", "framework_s": "s", "tokens": ""}
DECIDERS: dict[Decider, str] = {
    "wilcoxon": "Wilcoxon signed-rank", "paired_t": "paired t", "none": "nothing: too few items"
}  # fmt: skip
SHOWN: tuple[DifferenceMetric, ...] = ("quality", "latency_s", "tokens")


def standings_table(analysis: Analysis) -> Table:
    """In place of a rank list: in each arm by the alphabet, with the letters of the groups."""
    shown = [metric for metric in SHOWN if analysis.estimates[metric].families]
    competing = [(name, f) for name, f in analysis.frameworks.items() if f.role not in ("dry", "twin")]
    order = arms_of(f.arm or "" for _, f in competing)
    rows = []
    for name, f in sorted(competing, key=lambda entry: order.index(entry[1].arm or "")):
        cells: list[Cell] = []
        for metric in SHOWN:
            standing = analysis.estimates[metric].best.get(name)
            value = getattr(f, metric) if standing is None or standing.mean is None else standing.mean
            letters = f" {standing.letters}" if standing and standing.letters else ""
            text = number(value, digits(metric, [value])) + letters
            cells.append(Cell(text, strong=bool(standing and standing.best_of_all)))
            cells.append(Cell(_chance(standing.probability if standing else None)))
        rows.append([titled(name, f), *cells])
    columns = [text for metric in SHOWN for text in (NAMES[metric], "Best?")]
    return Table(
        "standings",
        "Mean quality, latency in seconds and tokens over the items that all completed, with groups",
        ("Framework", *columns),
        rows,
        " ".join(_standing_notes(analysis, shown)),
    )


def _standing_notes(analysis: Analysis, shown: list[DifferenceMetric]) -> list[str]:
    families = [analysis.estimates[metric].families[0] for metric in shown]
    if not families:
        return ["No two frameworks have an item in common, so none is compared."]
    if all(family.decided_by == "none" for family in families):
        return [
            (
                "No letters and no chances of being best: no two frameworks can be told apart, "
                f"{families[0].reason}."
            )
        ]
    notes = [
        (
            "Within an arm, frameworks that share a letter are not told apart; those that share none are. "
            "Not told apart is not equal. Bold: shown better than every other. Best?: how likely its mean is "
            "the best one, on items like these."
        )
    ]
    tangled = [
        NAMES[metric].lower()
        for metric in shown
        if analysis.estimates[metric].families[0].decided_by != "none"
        and not analysis.estimates[metric].groups
    ]
    if tangled:
        notes.append(f"There are too many groups to letter in {' and '.join(tangled)}.")
    return notes


def _chance(value: float | None) -> str:
    """Never quite none or all: a few thousand draws cannot tell."""
    if value is None:
        return MISSING
    return "< 1%" if value < 0.005 else "> 99%" if value > 0.995 else share(value)


def groups_table(analysis: Analysis) -> Table | None:
    rows = [
        plain_cells(
            [
                NAMES[metric],
                *([group.arm or MISSING] if several_arms(analysis) else []),
                group.letter,
                ", ".join(analysis.frameworks[name].name for name in group.subjects),
                "shown equal"
                if group.equal_shown
                else "not told apart"
                if len(group.subjects) > 1
                else "alone",
            ]
        )
        for metric in SHOWN
        for group in analysis.estimates[metric].groups
    ]
    if not rows:
        return None
    arm = ("Arm",) if several_arms(analysis) else ()
    return Table(
        "groups",
        "Groups in place of ranks: frameworks of which no two are told apart",
        ("Metric", *arm, "Group", "Frameworks, best mean first", "They are"),
        rows,
        "",
        frozenset(range(1, 5)),
    )


def families_table(analysis: Analysis) -> Table | None:
    """What could be shown at all with so many items and pairs."""
    rows = [
        plain_cells(
            [
                NAMES[metric],
                *([family.arm or MISSING] if several_arms(analysis) else []),
                str(family.n_items),
                f"{family.pairs:,}",
                p_value(family.smallest_p),
                p_value(family.smallest_p_holm),
                DECIDERS[family.decided_by],
                _margin(metric, family),
            ]
        )
        for metric, found in analysis.estimates.items()
        for family in found.families
    ]
    if not rows:
        return None
    arm = ("Arm",) if several_arms(analysis) else ()
    return Table(
        "families",
        "What the paired tests can show",
        (
            "Metric",
            *arm,
            "Items",
            "Pairs",
            "Smallest signed-rank p",
            "After Holm",
            "Pairs decided by",
            "Margin",
        ),
        rows,
        "Where even differences on all items could part no pair by ranks, paired t tests decide, from five "
        "items on. Within the margin two frameworks count as equal.",
        frozenset({6, 7} if arm else {5, 6}),
    )


def several_arms(analysis: Analysis) -> bool:
    return any(len(found.families) > 1 for found in analysis.estimates.values())


def digits(metric: DifferenceMetric, values: list[float | None]) -> int:
    return {"quality": 2, "tokens": 0}.get(metric, stage_digits(values))


def _margin(metric: DifferenceMetric, family: Family) -> str:
    if family.margin is None or metric == "quality":
        return family.margin_basis
    value = number(family.margin, digits(metric, [family.margin]))
    return f"{value}{' ' if UNITS[metric] else ''}{UNITS[metric]} ({family.margin_basis})"
