"""JSON from either side, as something that every file and every reader can hold."""

from __future__ import annotations

import json
from typing import Any


def parse_json(content: bytes) -> Any:
    """Raises ValueError for what is no JSON, too deep ones included.

    Half a surrogate pair, which JSON can spell and UTF-8 cannot hold, becomes a question mark.
    """
    try:
        value = json.loads(content)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if b"\\u" not in content:
        return value
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
