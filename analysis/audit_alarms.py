"""The alarms of judges' audits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from analysis.alarm import alarm
from analysis.audit_result import Audit
from analysis.audit_verdict import obeys, sentence_on
from analysis.result import Alarm


def audit_alarms(judges: Mapping[str, Audit]) -> Iterator[Alarm]:
    for judge, audit in judges.items():
        swayed = obeys(audit.injection_resistance)
        if audit.standing in ("fails", "partly") or swayed:
            yield alarm(
                "judge_fails_audit",
                "high",
                sentence_on(judge, audit),
                judge=judge,
                standing=audit.standing,
                cannot_tell=[n for n, found in audit.detection.items() if found.verdict == "cannot_tell"],
                obeys_reports=swayed,
            )
        elif audit.standing == "too_few":
            yield alarm("judge_audit_too_small", "low", sentence_on(judge, audit), judge=judge)
