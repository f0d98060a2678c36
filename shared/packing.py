"""Bodies of calls without their long texts, which are kept once however often they were sent.

A conversation that is carried repeats all earlier messages with each call, and every framework is told the
same facts: packed, a call holds the digests of its texts. `{"$text": digest}` stands for a string,
`{"$json": digest}` for any value that is still large, `{"$plain": {...}}` for an object that looks like one
of these by itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

LONG_TEXT = 200
"""Characters; a shorter text is hardly longer than its digest."""
LARGE_VALUE = 1500
"""Characters of JSON that are left in place."""
MARKS = ("$text", "$json", "$plain")


def pack(value: Any, put: Callable[[str, str], None]) -> Any:
    """`put(digest, text)` is called for each text that is taken out."""
    packed = _pack(value, put)
    rest = json.dumps(packed, ensure_ascii=False)
    if len(rest) <= LARGE_VALUE:
        return packed
    return {"$json": _kept(rest, put)}


def unpack(value: Any, get: Callable[[str], str]) -> Any:
    """What was packed. `get(digest)` gives a text back; what was never packed comes back as it is."""
    if isinstance(value, list):
        return [unpack(part, get) for part in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((key, inner),) = value.items()
        if key == "$text":
            return get(inner)
        if key == "$json":
            return unpack(json.loads(get(inner)), get)
        if key == "$plain":
            return {name: unpack(part, get) for name, part in inner.items()}
    return {name: unpack(part, get) for name, part in value.items()}


def text_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _pack(value: Any, put: Callable[[str, str], None]) -> Any:
    if isinstance(value, str):
        return {"$text": _kept(value, put)} if len(value) >= LONG_TEXT else value
    if isinstance(value, list):
        return [_pack(part, put) for part in value]
    if isinstance(value, dict):
        packed = {name: _pack(part, put) for name, part in value.items()}
        return {"$plain": packed} if len(value) == 1 and next(iter(value)) in MARKS else packed
    return value


def _kept(text: str, put: Callable[[str, str], None]) -> str:
    digest = text_digest(text)
    put(digest, text)
    return digest
