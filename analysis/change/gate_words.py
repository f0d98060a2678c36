"""A gate's lines in words."""

from __future__ import annotations

from analysis.change.result import ChangeMetric, GateLine, GateStatus
from analysis.wording import p_text, plural

LABELS: dict[ChangeMetric, str] = {
    "latency_s": "latency",
    "framework_s": "own time",
    "tokens": "tokens",
    "quality": "quality",
    "failures": "failures",
    "import_s": "import time",
}
STATUS_LABELS: dict[GateStatus, str] = {
    "regression": "regression",
    "no_regression": "no regression",
    "unchanged": "unchanged",
    "undecided": "no regression shown",
    "not_enough_data": "not enough data",
}


def describe(line: GateLine, reason: str) -> str:
    """One sentence on a line: what was found, and why that is not more."""
    change, margin = shown_change(line.metric, line.change), shown_share(line.metric, line.margin)
    items = plural(line.n_items, "item")
    least, most = shown_change(line.metric, line.at_least), shown_change(line.metric, line.at_most)
    if line.status == "unchanged":
        return f"The same on all {items}." if line.n_items > 1 else "The same on its 1 item."
    if line.status == "regression":
        surely = most if line.metric == "quality" else least
        return (
            f"{change} on {items}, at {'best' if line.metric == 'quality' else 'least'} {surely}: "
            f"more than the {margin} allowed ({p_text(line.p_holm)})."
        )
    if line.status == "no_regression":
        worst = least if line.metric == "quality" else most
        return f"{change} on {items}, at worst {worst}: within {margin}."
    if line.status == "undecided":
        return f"{change} on {items}, between {least} and {most}, {margin} allowed: {reason}."
    found = f"{change} on {items}: " if line.change is not None else f"{items}: " if line.n_items else ""
    text = f"{found}{reason}."
    return text[0].upper() + text[1:]


def shown_change(metric: ChangeMetric, change: float | None) -> str:
    """With its sign: "+16.4 %"; of failures "+4.0 points"."""
    if change is None:
        return "unknown"
    return "no change" if change == 0 else f"{change * 100:+,.1f} {_unit(metric)}"


def shown_interval(low: float | None, high: float | None) -> str:
    """In per cent, or points of failures: what it is of stands beside it."""
    return "" if low is None or high is None else f"{low * 100:+,.1f} to {high * 100:+,.1f}"


def shown_share(metric: ChangeMetric, share: float) -> str:
    return f"{share * 100:.3g} {_unit(metric)}"


def shown_value(metric: ChangeMetric, value: float | None) -> str:
    if value is None:
        return ""
    if metric == "failures":
        return f"{value:.1%}"
    if metric == "tokens":
        return f"{value:,.1f}"
    return f"{value:,.3f}" if metric == "framework_s" else f"{value:,.2f}"


def _unit(metric: ChangeMetric) -> str:
    return "points" if metric == "failures" else "%"
