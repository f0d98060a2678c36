"""What a gate says of one framework and metric, and why nothing clearer.

A regression needs all of: a one-sided sign-flip test over items, of a change within the margin, below 5 %
after Holm's correction over everything that is gated; and a change beyond the noise floor of both
experiments. For "no regression" the same data must exclude a change beyond the margin. Between lies
"undecided".
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis.change.changes import ALPHA, NO_RATIO, exceeds
from analysis.change.gate_words import shown_change
from analysis.change.held import Held
from analysis.change.result import GateStatus
from analysis.change.side import as_share
from analysis.change.sign_flip import fewest_pairs
from analysis.wording import listing, plural

NO_ITEM = "no item has a value in both"
NO_FLOOR = "beyond the margin, but without a noise floor in both nobody knows what noise does: use `aa`"
WITHIN_NOISE = "beyond the margin, but not beyond the noise floor"
MORE_ITEMS = "more items would narrow it"


@dataclass(frozen=True)
class Ground:
    """What a change must stand out from."""

    noise: tuple[float | None, float | None]
    """Of base and head, as a step; None where no framework ran against itself."""
    drift: float | None
    """The step of `direct`, which has no framework, between the two; None where it is not known."""
    family: int
    """How many are tested together."""


def decide(one: Held, ground: Ground) -> tuple[GateStatus, str]:
    """The status, and what stands in the way of a clearer one; empty where nothing does."""
    if lacking := _lacking(one):
        return "not_enough_data", lacking
    if one.at.identical:
        return "unchanged", ""
    if one.p is None:
        fewest = fewest_pairs(ALPHA)
        return "not_enough_data", f"{fewest} items are the fewest that can tell a change from chance"
    if one.p < ALPHA:
        return _beyond_margin(one, ground)
    if one.worst is not None and one.worst < one.allowed:
        return "no_regression", ""
    return "undecided", MORE_ITEMS


def _lacking(one: Held) -> str:
    if one.blocked:
        return f"not made alike: {listing(one.blocked)}"
    if not one.at.items:
        return NO_ITEM
    return "" if one.at.usable or one.at.identical else NO_RATIO


def _beyond_margin(one: Held, ground: Ground) -> tuple[GateStatus, str]:
    if one.p_holm is None or one.p_holm >= ALPHA:
        needed = fewest_pairs(ALPHA / ground.family)
        reason = f"beyond the margin by itself, not among {plural(ground.family, 'comparison')}"
        return "undecided", f"{reason}; {needed} items or more would support it there"
    beyond = exceeds(one.mean, ground.noise)
    if beyond is None:
        return "not_enough_data", NO_FLOOR
    if not beyond:
        return "undecided", WITHIN_NOISE
    if one.metric == "latency_s" and ground.drift is not None and abs(one.mean or 0) <= abs(ground.drift):
        drift = shown_change("latency_s", as_share("latency_s", ground.drift))
        return "undecided", f"beyond the margin, but `direct`, which has no framework, changed by {drift}"
    return "regression", ""
