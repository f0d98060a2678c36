"""The program in what an agent wrote."""

from __future__ import annotations

import re

_BLOCK = re.compile(r"^[ \t]*(```+|~~~+)[^\n`]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)


def find_program(text: str, function: str) -> str | None:
    """The last fenced block that defines the function; one that was cut off counts up to its end."""
    defining = re.compile(rf"^[ \t]*(async[ \t]+)?def[ \t]+{re.escape(function)}\b", re.MULTILINE)
    blocks = [block for _, block in _BLOCK.findall(text) if defining.search(block)]
    return blocks[-1] if blocks else None
