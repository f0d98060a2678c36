"""What can be counted in a report, in words for its judge.

A small judge does not find a missing section or a false figure in 400 words; told of it, it knows what that
is worth (docs/judge_audit.md). The report's own sentences are not repeated: outside its fence stands nothing
that a report could have written, but figures and names.
"""

from __future__ import annotations

from judge.checks import check_report
from shared.records import CheckResult
from shared.yardsticks import CheckSpec

MOST_NAMED = 8
MOST_CHARACTERS = 40
"""Of each figure or name."""
WHOLE_ENDS = frozenset(".!?:)]*_`|'\"\u2026\u201d\u2019")
"""The last three: an ellipsis and closing quotes."""


def findings(report: str, spec: CheckSpec) -> str:
    """A line each; empty where nothing is asked for that could be counted."""
    found = check_report(report, "", "", spec)
    lines = []
    if spec.sections:
        lines.append(f"Sections missing: {', '.join(found.sections_missing) or 'none'}.")
        lines.append(_ending(report))
    if spec.sources:
        lines.append(f"Figures and names that are in no known fact: {_unknown(found)}.")
    if found.repetition is not None:
        lines.append(f"Share of the wording that repeats: {found.repetition:.0%}.")
    if found.words_in_range is not None:
        asked = f"{spec.min_words or 0} to {spec.max_words or 'any number'}"
        lines.append(f"Words: {found.words}; asked for are {asked}.")
    return "\n".join(lines)


def _ending(report: str) -> str:
    whole = report.rstrip()[-1:] in WHOLE_ENDS
    return "The last sentence is whole." if whole else "It breaks off in the middle of a sentence."


def _unknown(found: CheckResult) -> str:
    named = dict.fromkeys(_plain(words) for claim in found.unsupported for words in claim.unsupported)
    if not named:
        return "none"
    shown = "; ".join(list(named)[:MOST_NAMED])
    return f"{shown} (in {found.unsupported_sentences} of {found.sentences} statements)"


def _plain(words: str) -> str:
    """Letters, digits and what figures are written with: no mark of a chat template, no line of its own."""
    kept = "".join(c if c.isalnum() or c in " $€£%.,-&'" else " " for c in words)
    return " ".join(kept.split())[:MOST_CHARACTERS]
