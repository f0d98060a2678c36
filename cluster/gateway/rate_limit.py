"""How long a service that answers 429, "asked too often", is left alone before it is asked again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

TOO_OFTEN = 429
FIRST_PAUSE_S = 1.0
"""Where the service does not say how long; doubled each time."""
LEAST_PAUSE_S = 0.1
"""Whatever it says; 0, or a moment that has passed, says nothing."""
MOST_PAUSES = 5
"""Without a word of how long. An account without credit also answers 429, and no waiting mends that."""
SHARE_TO_WAIT = 0.5
"""Of a call's time-out, at most: the answer itself needs the rest."""


def pause_s(headers: Mapping[str, str], refusals: int) -> float | None:
    """Seconds to wait after the `refusals`-th 429 to a request; None: that is enough.

    `headers` are the answer's; names in any case.
    """
    stated = retry_after_s(headers.get("Retry-After", ""))
    if stated:
        return max(stated, LEAST_PAUSE_S)
    return FIRST_PAUSE_S * 2 ** (refusals - 1) if refusals <= MOST_PAUSES else None


def retry_after_s(text: str) -> float | None:
    """Seconds from now, from either form that the header has (RFC 9110, 10.2.3); None for anything else."""
    try:
        seconds = float(text) if text.isascii() else None
    except ValueError:
        seconds = _until(text)
    return max(0.0, seconds) if seconds is not None and seconds < float("inf") else None


def _until(date: str) -> float | None:
    try:
        at = parsedate_to_datetime(date)
    except ValueError:
        return None
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()
