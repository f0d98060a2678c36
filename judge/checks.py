"""What can be said of a report without any model.

Sections, length, how many known facts it states, what in it no source knows, repetition and language.
"""

from __future__ import annotations

import re

from judge.claims import unsupported_claims
from judge.language import language_of
from judge.passage import Passage, read_passage
from judge.repetition import repetition
from judge.sections import sections_found
from judge.sentences import read_sentences, visible
from shared.records import CheckResult
from shared.yardsticks import CheckSpec, ExpectedFact

RULES_VERSION = 2
"""Raise it when a rule changes: reports checked by older rules are checked again."""
MAX_PASSAGES = 5_000
"""Paragraphs searched for facts: hundreds of times an 800-word report."""

_BLANK_LINES = re.compile(r"(?:\n[ \t]*){2,}")


def check_report(text: str, run_id: str, attempt_id: str, spec: CheckSpec) -> CheckResult:
    found = sections_found(text, spec.sections)
    words = count_words(text)
    sentences = read_sentences(text, spec.sections)
    claims, claiming = unsupported_claims(sentences, spec)
    language = language_of(visible(text))
    return CheckResult(
        run_id=run_id,
        attempt_id=attempt_id,
        checks=checks_label(spec),
        sections_found=found,
        sections_missing=[section for section in spec.sections if section not in found],
        words=words,
        words_in_range=_in_range(words, spec),
        facts_found=facts_stated(text, spec),
        facts_total=len(spec.facts),
        sentences=len(sentences),
        unsupported_sentences=claiming,
        unsupported=claims,
        repetition=repetition(text),
        language=language,
        in_asked_language=language == spec.language if language and spec.language else None,
    )


def _in_range(words: int, spec: CheckSpec) -> bool | None:
    if spec.min_words is None and spec.max_words is None:
        return None
    return (spec.min_words or 0) <= words <= (spec.max_words or words)


def checks_label(spec: CheckSpec) -> str:
    """What a report was held against and by which rules, as a result records it."""
    return f"{spec.label}.{RULES_VERSION}"


def count_words(text: str) -> int:
    """What stands between white space and holds a letter or digit: headings count, "##" and "-" do not."""
    return sum(any(character.isalnum() for character in run) for run in text.split())


def facts_stated(text: str, spec: CheckSpec) -> list[str]:
    """Ids of the facts of which one paragraph holds every term."""
    passages = [read_passage(paragraph) for paragraph in _paragraphs(text)]
    return [fact.id for fact in spec.facts if _stated(fact, passages)]


def _paragraphs(text: str) -> list[str]:
    """The unit in which all terms of a fact must stand: what blank lines separate."""
    return _BLANK_LINES.split(text.replace("\r\n", "\n"))[:MAX_PASSAGES]


def _stated(fact: ExpectedFact, passages: list[Passage]) -> bool:
    return any(
        all(any(passage.states(term) for term in alternatives) for alternatives in fact.expect)
        for passage in passages
    )
