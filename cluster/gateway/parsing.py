"""JSON from either side, as something that every file and every reader can hold."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import orjson

DIGITS_OF_64_BITS = 20
MAX_DEPTH = 200
"""orjson and pydantic write 254 levels, and a call in its report takes some of them."""


def parse_json(content: bytes) -> Any:
    """Raises ValueError for what is no JSON in UTF-8, and for what is nested too deeply to be written again.

    What has no place in JSON's values is kept as near as there is: half a surrogate pair becomes a question
    mark, NaN and infinities become text.
    """
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        value = _parse_lenient(content)
    if content.count(b"[") + content.count(b"{") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise ValueError("nested too deeply")
    return value


def dump_json(value: Any) -> bytes:
    """Compact. Integers over 64 bits, which orjson refuses, are written too."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return _plain_dumps(value)


def canonical(value: Any) -> bytes:
    """Equal for equal JSON, whatever the order of its keys."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return _plain_dumps(value, sort_keys=True)


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """The objects of a list; nothing of what is no list."""
    if isinstance(value, list):
        yield from (part for part in value if isinstance(part, dict))


def _parse_lenient(content: bytes) -> Any:
    """Python's own parser takes what some clients and servers write: NaN, numbers beyond any double."""
    try:
        value = json.loads(content.decode("utf-8-sig"), parse_constant=str, parse_int=_whole)
        return json.loads(_plain_dumps(value), parse_constant=str, parse_int=_whole)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _whole(digits: str) -> int | float | str:
    """As orjson reads it: over 64 bits a double, and text beyond any double."""
    if len(digits) <= DIGITS_OF_64_BITS and -(2**63) <= int(digits) < 2**64:
        return int(digits)
    nearest = float(digits)
    return nearest if math.isfinite(nearest) else digits


def _plain_dumps(value: Any, *, sort_keys: bool = False) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys)
    return text.encode("utf-8", "replace")


def _is_deeper(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [part for holder in level for part in _parts(holder)]
        if not level:
            return False
    return True


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
