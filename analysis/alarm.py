"""One alarm."""

from __future__ import annotations

from typing import Any, Literal

from analysis.result import Alarm


def alarm(code: str, severity: Literal["high", "medium", "low"], text: str, **evidence: Any) -> Alarm:
    return Alarm(code=code, severity=severity, text=text, evidence=evidence)
