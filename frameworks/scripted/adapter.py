"""No model and no network: the same report every time, made of the facts in the first agent's request.

For dry runs, which take a plan through everything but a model.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from frameworks.handoffs import Handoffs
from frameworks.outcome import check_request, outcome_of

if TYPE_CHECKING:
    from shared.contract import Outcome, RunRequest

DISTRIBUTIONS: tuple[str, ...] = ()
PATTERNS: tuple[str, ...] = ("pipeline", "handoff")

SECTIONS = (
    "Executive Summary",
    "Company Overview",
    "Products & Services",
    "Market Position",
    "Key Insights",
    "Conclusion",
)
MAX_WORDS = 750
"""The task asks for 500 to 800; the headings count too."""
_BULLET = re.compile(r"^\s*(?:[-*\u2022]|\d+[.)])\s+(.+?)\s*$", re.MULTILINE)
_NOTHING = "No facts were handed over."


def run(request: RunRequest) -> Outcome:
    check_request(request, PATTERNS)
    facts = _BULLET.findall(request.agents[0].request) or [_NOTHING]
    if request.pattern == "handoff":  # without a model nobody decides to hand over
        return Handoffs(request).outcome(_report(facts))
    answers = {spec.name: "\n".join(f"- {fact}" for fact in facts) for spec in request.agents}
    answers[request.agents[-1].name] = _report(facts)
    return outcome_of(request, answers)


def _report(facts: list[str]) -> str:
    """Every section gets its share of the facts, in order, until the report is long enough."""
    share = -(-len(facts) // len(SECTIONS))
    parts, words = [], 0
    for number, section in enumerate(SECTIONS):
        told = []
        for fact in facts[number * share : (number + 1) * share]:
            words += len(fact.split())
            if words <= MAX_WORDS:
                told.append(fact)
        parts.append(f"## {section}\n\n" + (" ".join(told) or _NOTHING))
    return "\n\n".join(parts)
