"""The alarm of the proof from the wire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from analysis.alarm import alarm
from analysis.fairness.result import Fairness
from analysis.result import Alarm


def fairness_alarms(fairness: Fairness | None) -> Iterator[Alarm]:
    broken = fairness.violations if fairness else []
    if fairness and broken:
        counts = Counter(finding.code for finding in broken)
        yield alarm("unequal_treatment", "high", fairness.verdict, violations=dict(counts))
