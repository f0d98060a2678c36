"""Tables of what the paired tests say: standings by group, pairs, and what each family could show."""

from __future__ import annotations

from analysis.estimates.result import Decider, Family, MetricEstimates, PairEstimate
from analysis.latency_tables import stage_digits
from analysis.result import Analysis
from analysis.subjects import arms_of
from analysis.tables import (
    MISSING,
    MOST_PAIRS,
    Cell,
    Table,
    beside,
    number,
    p_value,
    plain_cells,
    share,
    titled,
)
from analysis.wire_result import DifferenceMetric, Interval

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


def pairs_table(analysis: Analysis, metric: DifferenceMetric) -> Table | None:
    found = analysis.estimates[metric]
    if not found.pairs:
        return None
    ranks = {family.arm: family.decided_by == "wilcoxon" for family in found.families}
    shown = sorted(found.pairs, key=lambda p: _deciding(p, ranks=ranks[p.arm]))[:MOST_PAIRS]
    d = digits(metric, [p.mean_difference for p in shown])
    rest = (
        f" The {len(shown)} pairs with the smallest p of {len(found.pairs):,}; all are in the JSON."
        if len(found.pairs) > len(shown)
        else ""
    )
    return Table(
        f"paired-{metric.removesuffix('_s')}",
        f"{NAMES[metric]}: paired by item, {_unit(metric)}first less second",
        (
            *("Pair", "Items", "Mean difference", "95 % interval", "Hodges-Lehmann", "95 % interval, ranks"),
            *("Rank-biserial", "p, signed-rank", "Holm", "p, sign flips", "Holm, paired t", "Told apart"),
            *("Holm, TOST", "Equal", "Noise"),
        ),
        [[Cell(_names(analysis, p)), *_pair_cells(p, d)] for p in shown],
        f"{_smallest(found)}{rest}",
        frozenset({11, 13, 14}),
    )


def reference_table(analysis: Analysis, metric: DifferenceMetric) -> Table | None:
    """What the figure of differences draws."""
    rows = []
    found = analysis.estimates[metric]
    for family in found.families:
        for name, p, sign in against_reference(found, family):
            d = digits(metric, [p.mean_difference])
            low, high = _turned(p.interval, sign)
            texts = [
                analysis.frameworks[family.reference].title,
                number(sign * (p.mean_difference or 0.0), d),
                MISSING if low is None else f"{number(low, d)} to {number(high, d)}",
                number(family.margin, d),
                number(family.noise, d),
                _verdict(p),
            ]
            rows.append([titled(name, analysis.frameworks[name]), *plain_cells(texts)])
    if not rows:
        return None
    return Table(
        f"against-{metric.removesuffix('_s')}",
        f"{NAMES[metric]}: difference to one framework{_comma(metric)}",
        ("Framework", "Less", "Difference", "95 % interval", "Margin", "Noise floor", "By the tests"),
        rows,
        "To the floor where it ran, else to the best mean.",
        frozenset({1, 6}),
    )


def against_reference(found: MetricEstimates, family: Family) -> list[tuple[str, PairEstimate, float]]:
    """Every other subject of the family, its pair, and the sign that makes it subject less reference."""
    pairs = [p for p in found.pairs if p.arm == family.arm and family.reference in (p.a, p.b)]
    other = {(p.b if p.a == family.reference else p.a): p for p in pairs}
    return [(n, other[n], 1.0 if other[n].a == n else -1.0) for n in family.subjects if n in other]


def several_arms(analysis: Analysis) -> bool:
    return any(len(found.families) > 1 for found in analysis.estimates.values())


def digits(metric: DifferenceMetric, values: list[float | None]) -> int:
    return {"quality": 2, "tokens": 0}.get(metric, stage_digits(values))


def _deciding(pair: PairEstimate, *, ranks: bool) -> float:
    p = pair.p_wilcoxon if ranks else pair.p_t
    return 1.0 if p is None else p


def _pair_cells(p: PairEstimate, d: int) -> list[Cell]:
    texts = [
        str(p.n_items),
        number(p.mean_difference, d),
        _range(p.interval, d),
        number(p.hodges_lehmann, d),
        _range(p.hodges_lehmann_interval, d),
        number(p.rank_biserial),
        p_value(p.p_wilcoxon),
        p_value(p.p_wilcoxon_holm),
        p_value(p.p_sign_flip),
        p_value(p.p_t_holm),
        _yes(p.shown),
        p_value(p.p_equivalence_holm),
        _yes(p.equal_shown),
        beside(p.exceeds_noise),
    ]
    return [Cell(text, strong=bool(p.shown)) for text in texts]


def _yes(flag: bool | None) -> str:
    return "cannot tell" if flag is None else "yes" if flag else "no"


def _verdict(p: PairEstimate) -> str:
    if p.shown is None:
        return "too few items"
    apart, equal = "told apart" if p.shown else "not told apart", ", but equal within the margin"
    return apart + equal if p.shown and p.equal_shown else "shown equal" if p.equal_shown else apart


def _range(interval: Interval | None, d: int) -> str:
    return f"{number(interval.low, d)} to {number(interval.high, d)}" if interval else "too few items"


def _turned(interval: Interval | None, sign: float) -> tuple[float | None, float | None]:
    if interval is None:
        return None, None
    low, high = sorted((sign * interval.low, sign * interval.high))
    return low, high


def _names(analysis: Analysis, p: PairEstimate) -> str:
    return f"{analysis.frameworks[p.a].title} – {analysis.frameworks[p.b].title}"  # noqa: RUF001 - typography


def _margin(metric: DifferenceMetric, family: Family) -> str:
    if family.margin is None or metric == "quality":
        return family.margin_basis
    value = number(family.margin, digits(metric, [family.margin]))
    return f"{value}{' ' if UNITS[metric] else ''}{UNITS[metric]} ({family.margin_basis})"


def _unit(metric: DifferenceMetric) -> str:
    return f"in {'seconds' if UNITS[metric] == 's' else UNITS[metric]}, " if UNITS[metric] else ""


def _comma(metric: DifferenceMetric) -> str:
    return f", {_unit(metric).removesuffix(', ')}" if UNITS[metric] else ""


def _smallest(found: MetricEstimates) -> str:
    items = max(p.n_items for p in found.pairs)
    smallest = min(p.smallest_p for p in found.pairs)
    return (
        f"With {items} {'item' if items == 1 else 'items'} no p of the signed-rank or sign-flip test below "
        f"{smallest:.2g} is possible."
    )
