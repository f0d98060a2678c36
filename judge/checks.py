"""What can be said of a report without any model: sections, length, and how many known facts it states."""

from __future__ import annotations

import re

from judge.passage import Passage, read_passage
from judge.sections import sections_found
from shared.records import CheckResult
from shared.yardsticks import CheckSpec, ExpectedFact

MAX_PASSAGES = 5_000
"""Paragraphs searched for facts: hundreds of times an 800-word report."""

_BLANK_LINES = re.compile(r"(?:\n[ \t]*){2,}")


def check_report(text: str, run_id: str, attempt_id: str, spec: CheckSpec) -> CheckResult:
    found = sections_found(text, spec.sections)
    words = count_words(text)
    passages = [read_passage(paragraph) for paragraph in _paragraphs(text)]
    return CheckResult(
        run_id=run_id,
        attempt_id=attempt_id,
        checks=spec.label,
        sections_found=found,
        sections_missing=[section for section in spec.sections if section not in found],
        words=words,
        words_in_range=spec.min_words <= words <= spec.max_words,
        facts_found=[fact.id for fact in spec.facts if _stated(fact, passages)],
        facts_total=len(spec.facts),
    )


def count_words(text: str) -> int:
    """What stands between white space and holds a letter or digit: headings count, "##" and "-" do not."""
    return sum(any(character.isalnum() for character in run) for run in text.split())


def _paragraphs(text: str) -> list[str]:
    """The unit in which all terms of a fact must stand: what blank lines separate."""
    return _BLANK_LINES.split(text.replace("\r\n", "\n"))[:MAX_PASSAGES]


def _stated(fact: ExpectedFact, passages: list[Passage]) -> bool:
    return any(
        all(any(passage.states(term) for term in alternatives) for alternatives in fact.expect)
        for passage in passages
    )
