"""Secrets taken out of what is written down: the model server's key and the runs' tokens."""

from __future__ import annotations

import json
import re
from typing import Any

TOKEN_MARK = "lfrun-"  # noqa: S105 - what all tokens begin with
"""Makes a run's token known by its form alone, whichever node or earlier run it belongs to."""

SHORTEST_KEY = 8
"""Characters. Shorter keys ("EMPTY", "none") are placeholders, and words of ordinary text as well."""

_TOKEN = re.compile(r"lfrun-[A-Za-z0-9_-]{32}")


class Scrubber:
    """Knows the keys of one gateway."""

    def __init__(self, *keys: str | None) -> None:
        known = {form for key in keys if key and len(key) >= SHORTEST_KEY for form in (key, _escaped(key))}
        self._keys = sorted(known, key=len, reverse=True)
        # On a line of JSON each of them is once more escaped.
        forms = {form for key in known for form in (key, _escaped(key))}
        self._forms = [form.encode() for form in sorted(forms, key=len, reverse=True)]

    def finds(self, line: bytes) -> bool:
        """Whether JSON that was written here may hold a secret: a look that costs little."""
        return TOKEN_MARK.encode() in line or any(form in line for form in self._forms)

    def scrubbed(self, value: Any) -> Any:
        """A value of JSON's kinds without keys and tokens, in the names of its fields too."""
        if isinstance(value, str):
            return _TOKEN.sub("<run>", self._without_keys(value))
        if isinstance(value, list):
            return [self.scrubbed(part) for part in value]
        if isinstance(value, dict):
            return {self.scrubbed(name): self.scrubbed(part) for name, part in value.items()}
        return value

    def without_keys(self, content: bytes) -> bytes:
        """For the client, who knows its own token but must never learn the server's key."""
        for form in self._forms:
            if form in content:
                content = content.replace(form, b"<key>")
        return content

    def _without_keys(self, text: str) -> str:
        for key in self._keys:
            text = text.replace(key, "<key>")
        return text


def _escaped(key: str) -> str:
    """As it stands in a JSON text, which may itself be a string in JSON: the arguments of a tool call."""
    return json.dumps(key, ensure_ascii=False)[1:-1]
