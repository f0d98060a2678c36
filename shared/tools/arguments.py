"""What a model gave to a tool, which may be anything."""

from __future__ import annotations

from typing import Any


def text_argument(arguments: Any, name: str) -> str | None:
    """The argument of that name; None where it is not there, is no text, or is blank."""
    text = arguments.get(name) if isinstance(arguments, dict) else None
    return text if isinstance(text, str) and text.strip() else None
