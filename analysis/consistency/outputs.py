"""Are a framework's reports on one item the same, or how alike are they?"""

from __future__ import annotations

from collections import Counter
from itertools import combinations, islice
from math import comb
from typing import Any

import numpy as np

from analysis.consistency.intervals import mean_interval
from analysis.known_reports import KnownReport, known_reports
from analysis.name_columns import has_report
from analysis.read_runs import Runs
from analysis.similarity import MOST_COMPARISONS, MOST_TEXTS, jaccard, shingles_of


def measure_outputs(runs: Runs) -> dict[str, dict[str, Any]]:
    """Subject -> what `SubjectConsistency` says of its reports."""
    answered = runs.answered
    known = answered[has_report(answered)]
    cells = known.groupby(["subject", "item"])["report_digest"].agg(["size", "nunique"])
    repeated = cells[cells["size"] > 1]
    alike = _similarities(known_reports(runs))
    return {
        str(subject): {
            "repeated_items": len(rows),
            "items_of_copies": int((rows["nunique"] == 1).sum()),
            "distinct_per_item": rows["nunique"].mean(),
            **_mean_similarity(np.array(alike.get(str(subject), []))),
        }
        for subject, rows in repeated.groupby(level="subject")
    }


def similarity_of(texts: Counter[str]) -> float:
    """Mean over pairs of reports, copies included; of the first MOST_TEXTS different ones.

    Args:
        texts: Text -> how many reports have it; two reports at least.
    """
    kept = list(islice(texts.items(), MOST_TEXTS))
    shingles = [shingles_of(text) for text, _ in kept] if len(kept) > 1 else []
    total = float(sum(comb(count, 2) for _, count in kept))
    for one, other in combinations(range(len(kept)), 2):
        total += kept[one][1] * kept[other][1] * jaccard(shingles[one], shingles[other])
    return total / comb(sum(count for _, count in kept), 2)


def _similarities(reports: list[KnownReport]) -> dict[str, list[float]]:
    """Subject -> a similarity per repeated item; of the first items, so that comparisons are bounded."""
    cells: dict[str, dict[str, Counter[str]]] = {}
    for report in reports:
        cells.setdefault(report.item, {}).setdefault(report.subject, Counter())[report.text] += 1
    subjects = {subject for by_subject in cells.values() for subject in by_subject}
    most_items = MOST_COMPARISONS // (max(1, len(subjects)) * comb(MOST_TEXTS, 2))
    found: dict[str, list[float]] = {}
    for by_subject in islice(cells.values(), max(1, most_items)):
        for subject, texts in by_subject.items():
            if texts.total() > 1:
                found.setdefault(subject, []).append(similarity_of(texts))
    return found


def _mean_similarity(values: np.ndarray) -> dict[str, Any]:
    if not len(values):
        return {}
    return {
        "similarity": values.mean(),
        "similarity_interval": mean_interval(values),
        "similarity_items": len(values),
    }
