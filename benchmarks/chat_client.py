"""Chat completions over one kept-alive connection, timed.

With http.client, which adds little, and the same to everybody.
"""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from benchmarks.mock import MODEL
from benchmarks.texts import text_of
from shared.errors import InternalError

TIMEOUT_S = 60
REQUEST_CHARACTERS = 5700
"""With what is around them about 6 KB: the middle agent of a company's report."""
PIECE_BYTES = 1 << 16


class WrongAnswer(InternalError):
    """A proxy did not pass on what the mock said."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds from sending the request."""

    first_s: float
    """First bytes of the answer's body."""
    whole_s: float


class ChatClient:
    def __init__(self, base_url: str) -> None:
        address = urlsplit(base_url)
        self._path = f"{address.path}/chat/completions"
        self._connection = http.client.HTTPConnection(address.netloc, timeout=TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def complete(self, body: bytes) -> Timing:
        """Raises WrongAnswer for anything but a complete answer."""
        began = time.monotonic()
        self._connection.request("POST", self._path, body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        pieces = [answer.read1(PIECE_BYTES)]
        first = time.monotonic()
        while piece := answer.read1(PIECE_BYTES):
            pieces.append(piece)
        ended = time.monotonic()
        answer.close()  # read1 does not notice the end of a body of known length
        content = b"".join(pieces)
        if answer.status != http.HTTPStatus.OK or not _is_whole(content):
            raise WrongAnswer(f"{answer.status} and {content[-500:]!r} from {self._connection.host}")
        return Timing(first - began, ended - began)


def chat_body(*, stream: bool) -> bytes:
    body = {
        "model": MODEL,
        "messages": [
            {"role": "system", "content": "You are a business analyst. You draw conclusions from facts."},
            {"role": "user", "content": text_of(REQUEST_CHARACTERS)},
        ],
        "temperature": 0,
        "seed": 7,
        "max_tokens": 900,
    }
    return json.dumps(body | ({"stream": True} if stream else {})).encode()


def _is_whole(content: bytes) -> bool:
    if content.startswith(b"data:"):
        return b"data: [DONE]" in content[-100:]
    return b'"finish_reason"' in content
