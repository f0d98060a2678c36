"""What the reports' texts say without a judge: unsupported sentences, and how alike reports are."""

from __future__ import annotations

from analysis.known_reports import known_reports
from analysis.read_runs import Runs
from analysis.similarity import measure_similarity
from analysis.texts_result import ReportTexts
from analysis.unsupported import unsupported_sentences


def examine_texts(runs: Runs) -> ReportTexts:
    """Empty for a table of runs from elsewhere, whose texts are not known."""
    reports = known_reports(runs)
    if not reports:
        return ReportTexts()
    checks = {check.attempt_id: check for check in runs.stored.checks}
    claiming = [
        check.unsupported_sentences
        for report in reports
        if (check := checks.get(report.attempt_id)) and check.unsupported_sentences is not None
    ]
    sentences, different = unsupported_sentences(reports, checks)
    alike, texts_per_item, items = measure_similarity(reports)
    return ReportTexts(
        checked=len(claiming) or None,
        claiming=sum(claiming),
        unsupported=sentences,
        distinct_unsupported=different,
        alike=alike,
        texts_per_item=texts_per_item,
        items_compared=items,
    )
