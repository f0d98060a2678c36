"""What the guide says of a priority, in a sentence or two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from analysis.guide.priorities import Wanted
from analysis.guide.result import Margin, Priority
from analysis.guide.weigh import FEWEST_BEST
from analysis.mean_interval import FEWEST_ITEMS
from analysis.tables import MISSING
from analysis.wording import listing, plural
from shared.maturity import Conflict, Releases

Title = Callable[[str], str]


def unmeasured(wanted: Wanted, *, recorded: bool) -> str:
    if recorded:
        return "No framework has what this needs on enough items."
    return (
        "Not measured here: these runs hold nothing that says it." if wanted.weights else "Not measured here."
    )


def only_one(name: str) -> str:
    return f"Only {name} has figures, so there is nothing to choose between."


def too_few_items(n_items: int) -> str:
    return (
        f"Too few items to say: {plural(n_items, 'item')} with figures of every framework, and a spread over "
        f"items needs at least {FEWEST_ITEMS}."
    )


def found_one(margin: Margin, title: Title) -> str:
    return f"{title(margin.leader)} is ahead of all others; {title(margin.rival)} comes next, {_by(margin)}."


def found_none(left: Sequence[str], margin: Margin, best: float, title: Title, *, same: bool) -> str:
    """`best`: the share of resamples in which the leader is best; `same`: whether all are alike."""
    names = listing([title(name) for name in left])
    if same:
        return f"No difference shown between {names}: they have the same figures on every item."
    but = " The paired test or the noise floor does not bear that out." if best >= FEWEST_BEST else ""
    return (
        f"No difference shown between {names}. {title(margin.leader)} has the best mean and is best in "
        f"{best:.0%} of the resamples; {title(margin.rival)} comes next, {_by(margin)}.{but}"
    )


def first_of_facts(final: Sequence[str], early: Sequence[str], says: str, title: Title) -> str:
    return f"{says} By their releases {listing([title(name) for name in final])} stay: {listing(early)}."


def left_out(reasons: Mapping[str, str], title: Title) -> str:
    """To follow on the finding; empty where all take part."""
    by_reason: dict[str, list[str]] = {}
    for name, why in reasons.items():
        by_reason.setdefault(why, []).append(title(name))
    return "".join(f" Left out: {listing(names)} ({why})." for why, names in by_reason.items())


def _by(margin: Margin) -> str:
    itself = f"; against itself a framework differs by {margin.noise:.2f}" if margin.noise is not None else ""
    return f"by a factor of {margin.ratio:.2f} (95 %: {margin.low:.2f} to {margin.high:.2f}{itself})"


def verdict(priority: Priority, titles: Mapping[str, str]) -> str:
    """The choice, or in two or three words why there is none."""
    if priority.choice is not None:
        return titles.get(priority.choice, priority.choice)
    return {
        "no_difference_shown": "No difference shown",
        "too_few_items": "Too few items to say",
        "one_framework": "Nothing to choose between",
    }.get(priority.certainty, "Not measured here")


def how_sure(priority: Priority) -> str:
    if priority.certainty == "shown" and priority.choice is not None:
        return f"best in {priority.probability_best[priority.choice]:.0%} of resamples"
    return {"by_facts": "by stated facts alone", "no_difference_shown": "not sure"}.get(
        priority.certainty, MISSING
    )


def newest(releases: Releases | None) -> str:
    if releases is None or releases.newest is None:
        return ""
    return f"{releases.newest} ({releases.newest_released_at or 'no date'})"


def cannot_share(conflicts: Sequence[Conflict], titles: Mapping[str, str]) -> str:
    return "; ".join(
        f"{titles.get(each.framework, each.framework)} ({each.package} {each.ours} beside {each.theirs})"
        for each in conflicts
    )
