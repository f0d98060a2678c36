"""Names of raters: as they are written, and when two are the same person."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

MAX_NAME_CHARS = 40


class BadName(ValueError):
    """The message says what is wrong with it."""


def clean_name(given: str) -> str:
    """In one line and one Unicode form. Raises BadName."""
    name = " ".join(unicodedata.normalize("NFKC", given).split())
    if not any(character.isalnum() for character in name):
        raise BadName("A rater's name needs a letter or a digit.")
    if len(name) > MAX_NAME_CHARS:
        raise BadName(f"A rater's name may have {MAX_NAME_CHARS} characters, this one has {len(name)}.")
    if not name.isprintable():
        raise BadName("A rater's name may hold no invisible characters.")
    return name


def name_key(name: str) -> str:
    """Ann, ann and ANN are one rater."""
    return name.casefold()


def known_as(name: str, known: Iterable[str]) -> str:
    """The spelling under which the same rater has rated before, else `name`."""
    return next((other for other in known if name_key(other) == name_key(name)), name)
