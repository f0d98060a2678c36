"""One metric in one arm: every pair, what the pairs make of the groups, and who may be best."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.estimates.best import chances_of_best
from analysis.estimates.groups import letters, letters_of, maximal_groups
from analysis.estimates.margins import MARGINS, STEP
from analysis.estimates.pairs import MOST_FLIPPED, MOST_FLIPPED_ITEMS, PairTests, compare_all
from analysis.estimates.result import Decider, Family, Group, PairEstimate, Standing
from analysis.estimates.sign_flips import MOST_EXACT_ITEMS, smallest_p
from analysis.holm import holm
from analysis.mean_interval import FEWEST_ITEMS
from analysis.noise_floor import exceeds
from analysis.result import SIGNIFICANCE_LEVEL
from analysis.wire_result import DifferenceMetric, Interval, Noise
from analysis.wording import plural

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Compared:
    family: Family
    pairs: list[PairEstimate]
    groups: list[Group]
    best: dict[str, Standing]


def compare_family(
    metric: DifferenceMetric,
    arm: str | None,
    means: pd.DataFrame,
    *,
    margin: float | None,
    noise: Noise | None,
    floor: str | None,
    looks: int = 1,
) -> Compared | None:
    """`means`: a row per item, a column per subject (`noise_floor.item_means`). None below two subjects.

    `floor`: the subject without a framework, if it ran. `looks`: how often the plan's stopping rule may look.
    """
    means = means.dropna(axis=1, how="all")
    if means.shape[1] < 2:
        return None
    higher = metric == "quality"
    whole = means.dropna()
    typical = (whole if len(whole) else means).mean().round(9)
    means = means[typical.sort_values(ascending=not higher, kind="stable").index]
    tests = compare_all(means.to_numpy(dtype=float), margin, STEP[metric])
    if not len(tests.n):
        return None
    names = [str(name) for name in means.columns]
    decider, reason = _decider(int(tests.n.max()), len(tests.n), looks)
    corrected = {"wilcoxon": _corrected(tests.p_wilcoxon, looks), "paired_t": _corrected(tests.p_t, looks)}
    deciding = corrected.get(decider, np.full(len(tests.n), np.nan))
    equal = _corrected(tests.p_equal, looks)
    above = _above(tests, decider, higher=higher) * (deciding < SIGNIFICANCE_LEVEL)
    groups = _groups(len(names), tests, above != 0, equal < SIGNIFICANCE_LEVEL) if decider != "none" else None
    smallest = smallest_p(int(tests.n.max()))
    return Compared(
        Family(
            arm=arm,
            subjects=names,
            n_items=int(tests.n.max()),
            complete_items=len(whole),
            pairs=len(tests.n),
            decided_by=decider,
            reason=reason,
            smallest_p=smallest,
            smallest_p_holm=min(1.0, smallest * len(tests.n) * looks),
            margin=margin,
            margin_basis=MARGINS[metric].basis,
            reference=floor if floor is not None and floor in names else names[0],
            sign_flips=_sign_flips(tests),
            noise=noise.mean_absolute if noise else None,
        ),
        _pairs(arm, names, tests, corrected, deciding, above, equal, noise),
        [
            Group(arm=arm, letter=letter, subjects=[names[place] for place in group], equal_shown=same)
            for letter, (group, same) in zip(letters(len(groups or [])), groups or [], strict=True)
        ],
        _standings(arm, means, above, tests, [group for group, _ in groups or []], higher=higher),
    )


def _corrected(p_values: Values, looks: int) -> Values:
    """By Holm over the pairs, and by Bonferroni over the looks at growing data."""
    corrected: Values = np.minimum(1.0, holm(p_values) * looks)
    return corrected


def _decider(items: int, pairs: int, looks: int) -> tuple[Decider, str | None]:
    """Ranks decide where they can: elsewhere not even differences on all items could part one pair."""
    smallest = smallest_p(items)
    if smallest * pairs * looks < SIGNIFICANCE_LEVEL:
        return "wilcoxon", None
    why = (
        f"with {plural(items, 'item')} no signed-rank p below {smallest:.3g} is possible, and with "
        f"{plural(pairs, 'pair')} {f'and {looks} looks ' if looks > 1 else ''}Holm asks for less than "
        f"{SIGNIFICANCE_LEVEL / (pairs * looks):.2g}"
    )
    return ("paired_t" if items >= FEWEST_ITEMS else "none"), why


def _above(tests: PairTests, decider: Decider, *, higher: bool) -> Values:
    """1 where the first of a pair would be the better one, -1 where the second."""
    side: Values = np.sign(tests.rank_biserial if decider == "wilcoxon" else tests.mean)
    return side if higher else -side


def _sign_flips(tests: PairTests) -> Literal["exact", "sampled", "left_out"]:
    if len(tests.n) > MOST_FLIPPED or tests.n.max() > MOST_FLIPPED_ITEMS:
        return "left_out"
    return "exact" if tests.n.max() <= MOST_EXACT_ITEMS else "sampled"


def _groups(count: int, tests: PairTests, differ: Flags, equal: Flags) -> list[tuple[list[int], bool]] | None:
    """Each with whether all of its pairs are shown equal; None where there are too many to read."""
    places = list(zip(tests.first.tolist(), tests.second.tolist(), strict=True))
    found = maximal_groups(count, [pair for pair, apart in zip(places, differ, strict=True) if apart])
    if found is None:
        return None
    same = {pair for pair, shown in zip(places, equal, strict=True) if shown}
    return [
        (group, len(group) > 1 and all((i, j) in same for i in group for j in group if i < j))
        for group in found
    ]


def _standings(
    arm: str | None,
    means: pd.DataFrame,
    above: Values,
    tests: PairTests,
    groups: list[list[int]],
    *,
    higher: bool,
) -> dict[str, Standing]:
    count = means.shape[1]
    lost = np.bincount(tests.second[above > 0], minlength=count) + np.bincount(
        tests.first[above < 0], minlength=count
    )
    won = np.bincount(tests.first[above > 0], minlength=count) + np.bincount(
        tests.second[above < 0], minlength=count
    )
    whole = means.dropna()
    chances = chances_of_best(whole.to_numpy(dtype=float), higher=higher)
    return {
        str(name): Standing(
            arm=arm,
            mean=whole[name].mean() if len(whole) else None,
            letters=letters_of(place, groups),
            unbeaten=not lost[place],
            best_of_all=bool(won[place] == count - 1),
            probability=None if chances is None else chances[place],
        )
        for place, name in enumerate(means.columns)
    }


def _pairs(  # noqa: PLR0917 - one row of each becomes a pair
    arm: str | None,
    names: list[str],
    tests: PairTests,
    corrected: dict[str, Values],
    deciding: Values,
    above: Values,
    equal: Values,
    noise: Noise | None,
) -> list[PairEstimate]:
    """Named in the order of the alphabet, whichever is better: `a` less `b`, as everywhere."""
    turned = np.array([names[i] > names[j] for i, j in zip(tests.first, tests.second, strict=True)])
    sign = np.where(turned, -1.0, 1.0)
    mean = sign * tests.mean
    columns = {
        "a": [names[i] for i in np.where(turned, tests.second, tests.first)],
        "b": [names[i] for i in np.where(turned, tests.first, tests.second)],
        "n_items": tests.n.tolist(),
        "mean_difference": mean.tolist(),
        "interval": _intervals(tests.low, tests.high, sign),
        "bca_interval": _intervals(tests.bca_low, tests.bca_high, sign),
        "hodges_lehmann": (sign * tests.hodges_lehmann).tolist(),
        "hodges_lehmann_interval": _intervals(tests.hl_low, tests.hl_high, sign),
        "rank_biserial": (sign * tests.rank_biserial).tolist(),
        "p_wilcoxon": tests.p_wilcoxon.tolist(),
        "p_wilcoxon_holm": corrected["wilcoxon"].tolist(),
        "p_sign_flip": tests.p_flip.tolist(),
        "p_t": tests.p_t.tolist(),
        "p_t_holm": corrected["paired_t"].tolist(),
        "smallest_p": [smallest_p(items) for items in tests.n.tolist()],
        "shown": _flags(deciding),
        "better": [
            None if not side else names[i if side > 0 else j]
            for side, i, j in zip(above, tests.first, tests.second, strict=True)
        ],
        "p_equivalence": tests.p_equal.tolist(),
        "p_equivalence_holm": equal.tolist(),
        "equal_shown": _flags(equal),
        "exceeds_noise": [exceeds(each, noise) for each in mean.tolist()],
    }
    rows = zip(*columns.values(), strict=True)
    return [PairEstimate(arm=arm, **dict(zip(columns, row, strict=True))) for row in rows]


def _flags(p: Values) -> list[bool | None]:
    return [each < SIGNIFICANCE_LEVEL if each == each else None for each in p.tolist()]  # noqa: PLR0124 - NaN


def _intervals(low: Values, high: Values, sign: Values) -> list[Interval | None]:
    lower, upper = np.where(sign > 0, low, -high).tolist(), np.where(sign > 0, high, -low).tolist()
    return [
        Interval(low=one, high=other) if isfinite(one) else None
        for one, other in zip(lower, upper, strict=True)
    ]
