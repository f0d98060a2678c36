"""Large parts of the page, compressed: a browser unpacks them itself when they are wanted."""

from __future__ import annotations

import base64
import zlib


def packed(text: str) -> str:
    """In base64, so that it is harmless in HTML; `unpack` in packed.js reads it."""
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()
