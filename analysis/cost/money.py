"""Amounts of money as a reader meets them."""

from __future__ import annotations

import math

from analysis.tables import MISSING
from analysis.wire_result import Interval

SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}
SMALLEST_DECIMALS = 8
"""Below a hundred-millionth an amount is shown as 0."""


def money(value: float | None, currency: str) -> str:
    """With cents, and below 1 with three figures."""
    return MISSING if value is None else f"{sign(currency)}{value:,.{_decimals(value)}f}"


def money_interval(interval: Interval | None, currency: str) -> str:
    if interval is None:
        return MISSING
    decimals = _decimals(interval.high)
    return f"{sign(currency)}{interval.low:,.{decimals}f} to {interval.high:,.{decimals}f}"


def sign(currency: str) -> str:
    return SIGNS.get(currency, f"{currency} ")


def _decimals(value: float) -> int:
    if value >= 1000:
        return 0
    if value >= 1 or value <= 0:
        return 2
    return min(SMALLEST_DECIMALS, 2 - math.floor(math.log10(value)))
