"""Wording that sentences share: counts with their noun, lists, p values."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.wire_result import DifferenceMetric


def plural(count: int, noun: str) -> str:
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun[:-1]}ies" if noun.endswith("y") else f"{count:,} {noun}s"


def listing(words: Sequence[str], most: int = 8) -> str:
    shown = list(words[:most])
    if len(words) > most:
        shown.append(f"{len(words) - most} more")
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1] if shown else "none"


def p_text(p: float | None) -> str:
    if p is None:
        return "not computable"
    if p == 0:
        return "p < 1e-300"
    return f"p = {p:.3f}" if p >= 0.0005 else f"p = {p:.1g}"


def seconds(value: float | None) -> str:
    if value is None:
        return "unknown"
    if abs(value) < 0.1:
        return f"{value * 1000:.{0 if abs(value) >= 0.01 else 1}f} ms" if value else "0 s"
    return f"{value:.0f} s" if abs(value) >= 10 else f"{value:.2f} s"


def in_unit(metric: DifferenceMetric, value: float) -> str:
    """With as many digits as the metric is shown with elsewhere."""
    if metric == "tokens":
        return plural(round(value), "token")
    return f"{value:.2f} points" if metric == "quality" else seconds(value)
