"""Tables of pairs: every pair by the paired tests, and everybody beside one framework."""

from __future__ import annotations

from analysis.estimates.result import Family, MetricEstimates, PairEstimate
from analysis.estimates.tables import NAMES, UNITS, digits
from analysis.result import Analysis
from analysis.tables import MISSING, MOST_PAIRS, Cell, Table, beside, number, p_value, plain_cells, titled
from analysis.wire_result import DifferenceMetric, Interval


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
