"""Head beside base, metric by metric: cells that both have, their changes, their texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.change.result import CHANGE_METRICS, Cells, Change, ChangeMetric, TextChange
from analysis.change.side import Side, Subject, as_share, step
from analysis.change.sign_flip import SignFlip, sign_flip
from analysis.holm import holm

ALPHA = 0.05
NO_RATIO = "a value of zero or less has no relative change"


@dataclass(frozen=True)
class Pair:
    """What is held against what."""

    base: Subject
    head: Subject


@dataclass(frozen=True)
class Steps:
    """A pair's values on the items that both have, item by item."""

    items: list[str]
    base: np.ndarray
    head: np.ndarray
    each: np.ndarray
    """`side.step`; NaN where there is none."""

    @property
    def identical(self) -> bool:
        return len(self.each) > 0 and bool(np.isclose(self.base, self.head, rtol=1e-12, atol=0).all())

    @property
    def usable(self) -> bool:
        return len(self.each) > 0 and bool(np.isfinite(self.each).all())

    @property
    def test(self) -> SignFlip:
        return sign_flip(self.each)


def same_names(base: Side, head: Side) -> list[Pair]:
    return [Pair(subject, subject) for subject in base.subjects if subject in head.subjects]


def steps(base: Side, head: Side, pair: Pair, metric: ChangeMetric) -> Steps:
    mine, its = base.cells(metric), head.cells(metric)
    if pair.base not in mine.columns or pair.head not in its.columns:
        return Steps([], *(np.empty(0) for _ in range(3)))
    before = mine[pair.base].to_numpy(dtype=float)
    after = its[pair.head].reindex(mine.index).to_numpy(dtype=float)
    both = np.isfinite(before) & np.isfinite(after)
    before, after = before[both], after[both]
    return Steps([str(item) for item in mine.index[both]], before, after, step(metric, before, after))


def measure_changes(base: Side, head: Side, pairs: Sequence[Pair]) -> list[Change]:
    """Every pair on every metric that either knows, in the metrics' order."""
    found: list[Change] = []
    for metric in CHANGE_METRICS:
        rows = [_change(base, head, pair, metric) for pair in pairs]
        found += _corrected([row for row in rows if row is not None])
    return found


def match_cells(base: Side, head: Side) -> Cells:
    """Cells with a run, completed or not."""
    mine, its = (
        {
            f"{framework}{f' [{arm}]' if arm else ''} / {item}"
            for framework, arm, item in zip(
                side.table["framework"], side.table["arm"], side.table["item"], strict=True
            )
        }
        for side in (base, head)
    )
    return Cells(both=len(mine & its), only_base=sorted(mine - its), only_head=sorted(its - mine))


def compare_texts(base: Side, head: Side, pairs: Sequence[Pair]) -> list[TextChange]:
    """By the reports' digests, iteration by iteration."""
    found = []
    for pair in pairs:
        mine, its = base.digests.get(pair.base, {}), head.digests.get(pair.head, {})
        both = mine.keys() & its.keys()
        if not both:
            continue
        changed = [run for run in both if mine[run] != its[run]]
        found.append(
            TextChange(
                framework=pair.base[0],
                title=base.title(pair.base),
                arm=pair.base[1],
                pairs=len(both),
                same=len(both) - len(changed),
                changed_items=sorted({item for item, _ in changed}),
            )
        )
    return found


def _change(base: Side, head: Side, pair: Pair, metric: ChangeMetric) -> Change | None:
    at = steps(base, head, pair, metric)
    if not at.items:
        return None
    value = float(at.each.mean()) if at.usable else None
    test = at.test if at.usable else None
    bounds = test.bounds(ALPHA / 2) if test else None
    noise = [side.noise(metric) for side in (base, head)]
    return Change(
        framework=pair.base[0],
        head_framework=pair.head[0],
        title=base.title(pair.base),
        arm=pair.base[1],
        metric=metric,
        n_items=len(at.items),
        base=at.base.mean(),
        head=at.head.mean(),
        change=as_share(metric, value),
        low=as_share(metric, bounds[0]) if bounds else None,
        high=as_share(metric, bounds[1]) if bounds else None,
        p=test.p_two_sided() if test else None,
        identical=at.identical,
        noise_base=as_share(metric, noise[0]),
        noise_head=as_share(metric, noise[1]),
        exceeds_noise=exceeds(value, noise),
        reason=None if at.usable else NO_RATIO,
    )


def exceeds(value: float | None, noise: Sequence[float | None]) -> bool | None:
    """Whether a step is longer than every noise floor; None where one is not known."""
    if value is None or None in noise:
        return None
    return all(abs(value) > floor for floor in noise if floor is not None)


def _corrected(rows: list[Change]) -> list[Change]:
    known = [row for row in rows if row.p is not None and not row.identical]
    if not known:
        return rows
    adjusted = holm(np.array([row.p for row in known]))
    by_row = {id(row): float(p) for row, p in zip(known, adjusted, strict=True)}
    return [row.model_copy(update={"p_holm": by_row.get(id(row))}) for row in rows]
