"""Which sentences of reports hold figures or names that no source knows, the same sentence listed once."""

from __future__ import annotations

from collections import Counter

from analysis.known_reports import KnownReport
from analysis.texts_result import UnsupportedSentence
from shared.records import CheckResult

MOST_SENTENCES = 500
"""Kept in the JSON; the page shows fewer."""


def unsupported_sentences(
    reports: list[KnownReport], checks: dict[str, CheckResult]
) -> tuple[list[UnsupportedSentence], int]:
    """Those that most reports hold first, at most MOST_SENTENCES; and how many different ones there are.

    Args:
        reports: The reports that count.
        checks: By attempt id. A record keeps a bounded number of sentences.
    """
    held: dict[tuple[str, str], Counter[str]] = {}
    parts: dict[tuple[str, str], list[str]] = {}
    for report in reports:
        check = checks.get(report.attempt_id)
        in_it = {claim.sentence: claim.unsupported for claim in check.unsupported} if check else {}
        for sentence, unsupported in in_it.items():
            held.setdefault((report.item, sentence), Counter())[report.subject] += 1
            parts[report.item, sentence] = unsupported
    ordered = sorted(held, key=lambda place: (-held[place].total(), place))
    shown = [
        UnsupportedSentence(
            item=item,
            sentence=sentence,
            unsupported=parts[item, sentence],
            reports=dict(sorted(held[item, sentence].items())),
        )
        for item, sentence in ordered[:MOST_SENTENCES]
    ]
    return shown, len(ordered)
