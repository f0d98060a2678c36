"""A pilot -> how many items, iterations and judge repeats show a difference, what they cost, what to buy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

from scipy import stats

from analysis.compare import compared_runs
from analysis.mean_interval import FEWEST_ITEMS
from analysis.panel.read_verdicts import Verdicts
from analysis.planning.pilot import Pilot, read_pilots
from analysis.planning.power import items_for, power_of, smallest_shown
from analysis.planning.result import Buy, Design, Purchase, SizePlan
from analysis.read_runs import Runs
from analysis.result import SIGNIFICANCE_LEVEL
from analysis.significance_result import METRICS
from analysis.subjects import arms_of
from analysis.wording import plural

POWER = 0.8
USUAL_SHARE = 0.1
"""Of the pilot's mean latency or tokens: the difference that the report plans for."""
USUAL_POINTS = 0.5
"""Of quality, on its scale from 1 to 10."""
ITERATIONS = (1, 2, 3, 4, 5, 8, 10)
JUDGE_REPEATS = (1, 2, 3, 5, 8)
MOST_SHOWN = 8
FEWEST_FREE = 20
"""Degrees of freedom below which the variance's 95 % interval is wider than from 0.6 to 2.1 times it."""


@dataclass(frozen=True)
class Wanted:
    """What is to be shown. `points`, or a `share` of the pilot's mean; with neither the usual difference."""

    points: float | None = None
    share: float | None = None
    power: float = POWER


def plan_sizes(runs: Runs, verdicts: Verdicts) -> list[SizePlan]:
    """For the report: each metric in the first arm, at the usual differences."""
    arms = arms_of(compared_runs(runs)["arm"].unique())
    if not arms:
        return []
    pilots = read_pilots(runs, verdicts, METRICS, arms[0])
    return [plan_size(pilot, Wanted(), arms[0]) for pilot in pilots]


def plan_size(pilot: Pilot, wanted: Wanted, arm: str = "") -> SizePlan:
    """A plan, or the reason why there can be none."""
    plan = SizePlan(
        metric=pilot.metric,
        arm=arm or None,
        power=wanted.power,
        alpha=SIGNIFICANCE_LEVEL,
        comparisons=math.comb(pilot.size.frameworks, 2),
        pilot=pilot.size,
        variance=pilot.variance,
        cost=pilot.cost,
        reason=pilot.reason or None,
    )
    if pilot.reason:
        return plan
    difference = _difference(pilot, wanted)
    if not difference:
        return plan.model_copy(update={"reason": "a difference of 0 is not to be shown by any experiment"})
    return _planned(plan, _Sizes(pilot, difference, wanted.power, SIGNIFICANCE_LEVEL / plan.comparisons))


def _difference(pilot: Pilot, wanted: Wanted) -> float:
    mean = pilot.size.mean or 0.0
    if wanted.points is not None:
        return abs(wanted.points)
    if wanted.share is None and pilot.metric == "quality":
        return USUAL_POINTS
    return abs((USUAL_SHARE if wanted.share is None else wanted.share) * mean)


@dataclass(frozen=True)
class _Sizes:
    """The model: what a design's variance, power and cost are."""

    pilot: Pilot
    difference: float
    power: float
    alpha: float
    """Of one comparison."""

    def variance(self, iterations: float, repeats: float) -> float:
        """Of the difference of two frameworks on one item."""
        v = self.pilot.variance
        apart = 1.0 if v.differing is None else v.differing
        of_judge = (v.judge_noise or 0.0) / repeats * (apart / iterations + 1 - apart)
        return 2 * ((v.interaction or 0.0) + (v.run or 0.0) / iterations + of_judge)

    def design(self, items: int, iterations: float, repeats: float | None, power: float) -> Design:
        cost, frameworks = self.pilot.cost, self.pilot.size.frameworks
        runs = round(items * iterations * frameworks)
        apart = 1.0 if self.pilot.variance.differing is None else self.pilot.variance.differing
        texts = items * frameworks * (1 + apart * (iterations - 1))
        verdicts = 0.0 if repeats is None else texts * repeats
        node_s = None if cost.run_node_s is None else runs * (cost.run_node_s + (cost.overhead_node_s or 0.0))
        judge_s = None if cost.verdict_s is None or repeats is None else verdicts * cost.verdict_s
        tokens = None if cost.run_tokens is None else runs * cost.run_tokens
        return Design(
            items=items,
            iterations=round(iterations),
            judge_repeats=None if repeats is None else round(repeats),
            power=power,
            runs=runs,
            node_hours=None if node_s is None else node_s / 3600,
            judge_hours=None if judge_s is None else judge_s / 3600,
            tokens=None if tokens is None else tokens + verdicts * (cost.verdict_tokens or 0.0),
        )

    def cheapest_first(self) -> list[Design]:
        found = []
        for iterations, repeats in product(self._iterations(), self._repeats()):
            variance = self.variance(iterations, repeats or 1)
            items = items_for(self.difference, variance, self.power, self.alpha, fewest=FEWEST_ITEMS)
            if items is not None:
                power = power_of(self.difference, variance, items, self.alpha)
                found.append(self.design(items, iterations, repeats, power))
        return sorted((d for d in found if not any(_at_least(other, d) for other in found)), key=_price)

    def _iterations(self) -> tuple[float, ...]:
        """Without repeated cells only the pilot's own number can be planned with."""
        return ITERATIONS if self.pilot.variance.run is not None else (1,)

    def _repeats(self) -> tuple[float | None, ...]:
        if self.pilot.metric != "quality":
            return (None,)
        return JUDGE_REPEATS if self.pilot.variance.judge_noise is not None else (1,)

    def purchases(self) -> list[Purchase]:
        """One more item, iteration or judge repeat than the pilot had; the most for an hour first."""
        size = self.pilot.size
        items, iterations, repeats = size.items, size.iterations or 1.0, size.judge_repeats
        here = self.variance(iterations, repeats or 1) / items
        if here == 0:
            return []
        choices: dict[Buy, tuple[int, float, float | None]] = {"items": (items + 1, iterations, repeats)}
        if self.pilot.variance.run is not None:
            choices["iterations"] = (items, iterations + 1, repeats)
        if repeats is not None and self.pilot.variance.judge_noise is not None:
            choices["judge_repeats"] = (items, iterations, repeats + 1)
        before = _hours(self.design(items, iterations, repeats, 0))
        found = []
        for buy, (n, k, r) in choices.items():
            left = self.variance(k, r or 1) / n / here
            after = _hours(self.design(n, k, r, 0))
            known = buy != "judge_repeats" or self.pilot.cost.verdict_s is not None
            hours = after - before if known and after is not None and before is not None else None
            found.append(
                Purchase(
                    buy=buy,
                    variance_less=1 - left,
                    hours=hours,
                    gain_per_hour=(0.0 - math.log(left)) / hours if hours else None,
                )
            )
        return sorted(found, key=lambda p: (-(p.gain_per_hour or 0.0), -p.variance_less))


def _at_least(one: Design, other: Design) -> bool:
    """Whether `one` asks for no more of anything than `other`, and for less of something."""
    a, b = ((d.items, d.iterations, d.judge_repeats or 0) for d in (one, other))
    return a != b and all(x <= y for x, y in zip(a, b, strict=True))


def _planned(plan: SizePlan, sizes: _Sizes) -> SizePlan:
    size, designs = plan.pilot, sizes.cheapest_first()
    own = sizes.variance(size.iterations or 1.0, size.judge_repeats or 1.0)
    low, high = _items_interval(sizes, designs[0]) if designs else (None, None)
    mean = abs(size.mean or 0.0)
    return plan.model_copy(
        update={
            "difference": sizes.difference,
            "difference_share": sizes.difference / mean if mean else None,
            "designs": designs[:MOST_SHOWN],
            "items_low": low,
            "items_high": high,
            "pilot_power": power_of(sizes.difference, own, size.items, sizes.alpha),
            "pilot_shows": smallest_shown(own, size.items, sizes.power, sizes.alpha),
            "purchases": sizes.purchases(),
            "notes": _notes(plan, own),
        }
    )


def _items_interval(sizes: _Sizes, design: Design) -> tuple[int | None, int | None]:
    """From the chi-squared interval of a variance; of all its parts together, at the pilot's own sizes."""
    free = sizes.pilot.variance.degrees_of_freedom
    variance = sizes.variance(design.iterations, design.judge_repeats or 1)
    bounds = [free / stats.chi2.ppf(q, free) if free else math.inf for q in (0.975, 0.025)]
    low, high = (
        items_for(sizes.difference, variance * bound, sizes.power, sizes.alpha, fewest=FEWEST_ITEMS)
        if math.isfinite(bound)
        else None
        for bound in bounds
    )
    return low, high


def _notes(plan: SizePlan, own: float) -> list[str]:
    v, size = plan.variance, plan.pilot
    notes = []
    if v.run is None:
        notes.append(
            "The pilot has one run of each framework and item, so what more iterations buy is not known: run "
            "it with two."
        )
    elif v.differing == 0 and plan.metric != "latency_s":
        notes.append(
            "The iterations are copies: every repeat wrote the same report (as temperature 0 has it), so "
            "more iterations buy nothing here. Items do."
        )
    elif v.differing == 0:
        notes.append(
            "The iterations are copies of the same reports; for latency they still average the machine's "
            "noise."
        )
    if plan.metric == "quality" and v.judge_noise is None:
        notes.append(
            "No text was judged twice, so the judge's noise is not known and what more repeats buy neither: "
            "judge again with --repeats 2."
        )
    if plan.metric == "quality" and plan.cost.verdict_s is None:
        notes.append("What a verdict takes is not known here, so designs count it as free.")
    if own == 0:
        notes.append(
            "On every item the frameworks differ by the same amount, so the pilot shows no variance at all: "
            f"any difference shows on {FEWEST_ITEMS} items, if that holds."
        )
    if v.degrees_of_freedom < FEWEST_FREE:
        notes.append(
            f"The pilot is small: its variance rests on {plural(v.degrees_of_freedom, 'degree')} of freedom "
            f"({plural(size.items, 'item')}, {plural(size.frameworks, 'framework')}), so take the interval "
            "of the number of items as seriously as the number."
        )
    return notes


def _hours(design: Design) -> float | None:
    known = [hours for hours in (design.node_hours, design.judge_hours) if hours is not None]
    return sum(known) if design.node_hours is not None else None


def _price(design: Design) -> tuple[float, int, int]:
    hours = _hours(design)
    return (float(design.runs) if hours is None else hours, design.runs, design.judge_repeats or 0)
