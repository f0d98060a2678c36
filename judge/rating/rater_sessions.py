"""Who may open which page: secret links, and ids that mean something only to their session."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from judge.rating.desk import Desk
from judge.rating.rater_name import clean_name, known_as, name_key
from judge.rating.showing_order import Showing

LINK_BYTES, ID_BYTES = 24, 9
MAX_RATERS = 200
"""In one session of the server: a page that makes up names must not fill the memory."""


class TooManyRaters(Exception):
    """Over MAX_RATERS."""


@dataclass(frozen=True)
class RaterSession:
    rater: str
    link: str
    """The secret part of the rater's address."""
    showings: dict[str, Showing]
    """By random id, in the rater's order."""


class RaterSessions:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.start_link = secrets.token_urlsafe(LINK_BYTES)
        """Of the page that asks for a name."""
        self._by_link: dict[str, RaterSession] = {}
        self._by_name: dict[str, RaterSession] = {}

    def of_link(self, link: str) -> RaterSession | None:
        return self._by_link.get(link)

    def is_start(self, link: str) -> bool:
        return secrets.compare_digest(link.encode(), self.start_link.encode())

    def of_name(self, given: str) -> RaterSession:
        """The same one each time. Raises BadName, TooManyRaters."""
        name = known_as(clean_name(given), self._desk.names())
        found = self._by_name.get(name_key(name))
        if found:
            return found
        if len(self._by_name) >= MAX_RATERS:
            raise TooManyRaters
        showings = {secrets.token_urlsafe(ID_BYTES): showing for showing in self._desk.order(name)}
        session = RaterSession(name, secrets.token_urlsafe(LINK_BYTES), showings)
        self._by_link[session.link] = self._by_name[name_key(name)] = session
        return session
