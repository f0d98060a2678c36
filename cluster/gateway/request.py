"""A request of a run's client: noted, and given on as it came, but that a stream is asked for its usage."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cluster.gateway.events import CHAT
from cluster.gateway.exchange import Exchange
from cluster.gateway.parsing import parse_json

CLIENT_NAME_CHARACTERS = 200
RETRY_COUNT = "x-stainless-retry-count"
"""OpenAI's clients number their attempts at a request with it, from 0."""


def read_request(exchange: Exchange, content: bytes, headers: Mapping[str, str]) -> bytes:
    """Note what was asked and by whom, and give what to send on."""
    exchange.client = client_name(headers)
    exchange.sent = (exchange.path, content)
    exchange.retry_of = exchange.lease.retries.repeated_by(
        exchange.sequence, exchange.sent, says_so=_is_positive(headers.get(RETRY_COUNT, ""))
    )
    try:
        exchange.request = body = parse_json(content)
    except ValueError:
        exchange.request = content.decode("utf-8", "replace")
        return content
    if not isinstance(body, dict) or body.get("stream") is not True:
        return content
    exchange.streamed = True
    if exchange.path != CHAT or _asks_for_usage(body):
        return content
    return _asking_for_usage(content, body)


def hides_usage(exchange: Exchange) -> bool:
    """Whether the stream's usage was asked for by us and not by the client."""
    return exchange.streamed and exchange.path == CHAT and not _asks_for_usage(exchange.request)


def _asks_for_usage(body: Any) -> bool:
    options = body.get("stream_options") if isinstance(body, dict) else None
    return isinstance(options, dict) and options.get("include_usage") is True


def _asking_for_usage(content: bytes, body: dict[str, Any]) -> bytes:
    """Where the client has no options, they are added and every byte of its own stays."""
    if "stream_options" not in body:
        return content.rstrip()[:-1] + b',"stream_options":{"include_usage":true}}'
    # Python's own parser gives numbers and texts back as they came, those that JSON does not have as well.
    exact = json.loads(content.decode("utf-8-sig"))
    options = exact["stream_options"]
    options = options if isinstance(options, dict) else {}
    return json.dumps({**exact, "stream_options": {**options, "include_usage": True}}).encode()


def client_name(headers: Mapping[str, str]) -> str:
    """What the client calls itself."""
    text = headers.get("User-Agent", "")
    return "".join(character for character in text if character.isprintable())[:CLIENT_NAME_CHARACTERS]


def _is_positive(number: str) -> bool:
    return number.isdecimal() and bool(number.strip("0"))
