"""The words for a name that nobody knows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def unknown(what: str, name: object, known: Iterable[str]) -> str:
    """E.g. "unknown task 'compny_research': did you mean 'company_research'? Known: company_research"."""
    names = sorted(known)
    near = difflib.get_close_matches(str(name).lower(), names, n=1)
    hint = f": did you mean {near[0]!r}?" if near else "."
    return f"unknown {what} {str(name)[:80]!r}{hint} Known: {', '.join(names)}"
