"""What the server needs of a way to rate: scores of one report, or which of two is better."""

from __future__ import annotations

from typing import Any, Protocol

from judge.rating.showing_order import Showing
from shared.judgements import Preference, Rating


class BadAnswer(ValueError):
    """What was sent is no answer to what was shown; the message says why."""


class Keeper(Protocol):
    """Where ratings are kept: `shared.judgement_store.Judgements`, which this room does not import."""

    def ratings(self) -> list[Rating]: ...

    def write_rating(self, rating: Rating) -> None: ...

    def preferences(self) -> list[Preference]: ...

    def write_preference(self, preference: Preference) -> None: ...


class Desk(Protocol):
    page: str
    """The file of the page that shows it."""

    def names(self) -> list[str]:
        """Of who has answered before."""
        ...

    def order(self, rater: str) -> list[Showing]: ...

    def is_done(self, rater: str, showing: Showing) -> bool: ...

    def content(self, rater: str, showing: Showing) -> dict[str, Any]:
        """What the page shows: texts, facts, criteria, and the rater's earlier answer. JSON-compatible."""
        ...

    def keep(self, rater: str, showing: Showing, posted: bytes) -> None:
        """Put it on disk. Raises BadAnswer, or StoreFailed."""
        ...
