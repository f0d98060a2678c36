"""What a reader must know before the figures of consistency."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.consistency.result import StatedCriterion
from analysis.result import Analysis
from analysis.wording import listing, plural


def wording(criterion: StatedCriterion) -> str:
    """The criterion as it ends "accepted is a completed report with ..."."""
    bound = criterion.bound
    match criterion.column:
        case "passed":
            return "the task's own exact score passed"
        case "section_share":
            return "all sections present" if bound == 1 else f"{bound:.0%} of the sections present"
        case "words_in_range":
            return "the asked length"
        case "fact_recall":
            return f"{bound:.0%} of the known facts stated"
        case "unsupported_sentences":
            return f"at most {plural(round(bound), 'sentence')} with unknown figures or names"
        case _:
            return f"an {criterion.column} score of {bound:g} or more"


def consistency_sentences(analysis: Analysis) -> Iterator[str]:
    if not analysis.consistency:
        yield "No run is a trial of a framework with a model, so nothing can be said of consistency."
        return
    yield from _criteria(analysis)
    found = analysis.consistency.values()
    if max((power.k for subject in found for power in subject.pass_power), default=1) < 2:
        yield (
            "Each item was tried once, so whether a second trial would come out alike is not known: pass^1 "
            "is the share of accepted reports and says nothing of consistency."
        )
        return
    copies = sum(subject.items_of_copies or 0 for subject in found)
    repeated = sum(subject.repeated_items for subject in found)
    if copies:
        yield (
            f"In {copies} of {plural(repeated, 'repeated cell')} (a framework on an item) all reports are "
            "byte-identical copies. There pass^k measures that the model repeats itself, not that the "
            "framework is reliable: the trials are one trial."
        )


def _criteria(analysis: Analysis) -> Iterator[str]:
    known = [criterion for criterion in analysis.acceptance if criterion.known]
    unknown = [criterion for criterion in analysis.acceptance if not criterion.known]
    if known:
        yield f"Accepted is a completed report with {listing([wording(c) for c in known])}."
    else:
        yield "Accepted is any completed report: nothing else that was to decide is known of these runs."
    if known and unknown:
        yield f"Not known of any run, so it decides about none: {listing([wording(c) for c in unknown])}."
    if any(criterion.column == "overall" for criterion in known):
        yield (
            "The plan makes the judge's score a criterion, so the judge's noise counts as the framework's in "
            "what follows."
        )
