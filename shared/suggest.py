"""How an unknown name is answered: with the nearest right one, and all of them."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """E.g. `Unknown framework "langraph". Did you mean "langgraph"? Known: autogen, crewai, ...`."""
    names = sorted(known)
    close = get_close_matches(name.lower(), names, n=1, cutoff=0.5)
    hint = f' Did you mean "{close[0]}"?' if close else ""
    return f'Unknown {kind} "{name}".{hint} Known: {", ".join(names)}.'
