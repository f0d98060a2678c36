"""An answer whose last line is `Answer: ` with the answer alone behind it: how it is read and compared."""

from __future__ import annotations

import re

_LINE = re.compile(r"^\W*answer\W*:(?P<given>.*)$", re.IGNORECASE)
MAX_LINE_CHARS = 500


def given_answer(text: str) -> str | None:
    """What stands behind the last `Answer:` that begins a line; None where there is none."""
    found = [match for line in text.splitlines() if (match := _LINE.match(line[:MAX_LINE_CHARS]))]
    return found[-1]["given"].strip(" \t*_`") or None if found else None


def same_words(given: str, right: str) -> bool:
    """Case, spaces, quotation marks around and a full stop do not matter."""
    return _plain(given) == _plain(right)


def _plain(text: str) -> str:
    return " ".join(text.strip().strip("\"'`*_.").casefold().split())
