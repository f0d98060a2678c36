"""One small request, always the same: how fast is the model now, and does it still say the same?

Sent before and after each block. What differs between two probes is the machine's or the server's doing.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import math
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from cluster.servers.probe import direct
from shared.surroundings import Probe

COMPLETION_TOKENS = 24
"""Enough to time a decode by; the plan's blocks take minutes."""
SEED = 7
TEXT = """\
A lighthouse stands on a rock two miles off the coast. It was built in 1874 by forty men in three \
summers, because the winters were too rough to land stone. The tower is thirty-one metres high and has \
one hundred and fifty-two steps. Its lamp burned oil until 1926, then gas, and since 1988 it has been \
electric. Three keepers used to live there for two months at a time; now a technician comes by boat \
twice a year to change a filter and clean the glass. On clear nights the light is seen from a distance \
of eighteen miles, and it flashes once every ten seconds.

Write down the figures of this text in the order in which they come, each with what it counts."""
"""About 150 tokens, of nothing that any task is about. Asked so that no model is done before 24 tokens."""
MAX_ANSWER_BYTES = 2**20
SPOKEN = ("reasoning_content", "reasoning", "content")
"""Where tokens come out: a thinking model begins with one of the first two, by its server."""


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """What came of one probe; of one that failed, the error alone."""

    seconds: float | None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prefill_s: float | None = None
    """Until the first token: from the stream, else as the server says; None when neither tells."""
    decode_s: float | None = None
    """From the first token to the last, likewise."""
    text_sha256: str | None = None
    error: str | None = None


@dataclass(slots=True)
class _Heard:
    """The answer as it comes in; times are on the monotonic clock."""

    text: str = ""
    first_token_s: float | None = None
    last_token_s: float | None = None
    usage: dict[str, Any] = field(default_factory=dict)
    timings: dict[str, Any] = field(default_factory=dict)
    fault: str | None = None


def probe_model(base_url: str, model: str, timeout_s: float) -> ProbeAnswer:
    """Ask once, in a stream. A failure is an answer with an error, never an exception.

    Args:
        base_url: OpenAI-compatible, ends in /v1: a lease's. It is a secret, and in no error.
        model: As the server knows it.
        timeout_s: For the whole request, and for each wait in it.
    """
    heard = _Heard()
    began = time.monotonic()
    try:
        with direct.open(_request(base_url, model), timeout=timeout_s) as answer:
            _listen(heard, answer, began + timeout_s)
    except urllib.error.HTTPError as error:
        with error:
            heard.fault = f"the server answered {error.code}"
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)  # urllib wraps what happens before the answer
        late = isinstance(reason, TimeoutError)
        heard.fault = f"no answer within {timeout_s:g} s" if late else f"it failed: {type(reason).__name__}"
    except (ValueError, RecursionError):
        heard.fault = "the answer is not in the form of OpenAI's API"
    ended = time.monotonic()
    if heard.fault is None and not heard.text:
        heard.fault = "the answer has no text"
    return _answer(heard, began, ended)


def as_probe(
    answer: ProbeAnswer, *, number: int, node: str, block: str, when: Literal["before", "after"], at: str
) -> Probe:
    """The record of a probe: its answer, and where and when it was taken."""
    return Probe(number=number, node=node, block=block, when=when, at=at, **asdict(answer))


def _request(base_url: str, model: str) -> urllib.request.Request:
    body = {
        "model": model,
        "messages": [{"role": "user", "content": TEXT}],
        "temperature": 0,
        "seed": SEED,
        "max_tokens": COMPLETION_TOKENS,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    return urllib.request.Request(  # noqa: S310 - a lease's address, which the node made
        f"{base_url}/chat/completions",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "User-Agent": "levelfield-probe"},
    )


def _listen(heard: _Heard, answer: http.client.HTTPResponse, deadline: float) -> None:
    if "text/event-stream" in answer.headers.get("Content-Type", ""):
        for line in _lines(answer, deadline):
            name, _, data = line.partition(b":")
            if name == b"data" and data.strip() != b"[DONE]":
                _hear(heard, json.loads(data), "delta", time.monotonic())
    else:
        _hear(heard, json.loads(b"\n".join(_lines(answer, deadline))), "message", None)


def _lines(answer: http.client.HTTPResponse, deadline: float) -> Iterator[bytes]:
    """Raises TimeoutError past the deadline, and ValueError for more than an answer can be."""
    rest, size = b"", 0
    while piece := answer.read1(65536):
        size += len(piece)
        if time.monotonic() > deadline:
            raise TimeoutError
        if size > MAX_ANSWER_BYTES:
            raise ValueError
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
    yield rest


def _hear(heard: _Heard, event: Any, part: str, at: float | None) -> None:
    """One event of a stream, or a whole answer. `part` is where its choices keep their text."""
    if not isinstance(event, dict):
        raise ValueError  # noqa: TRY004 - of what came over the wire, as what is no JSON at all
    if event.get("error"):
        heard.fault = "the server broke off with an error"
    heard.usage = _mapping(event.get("usage")) or heard.usage
    heard.timings = _mapping(event.get("timings")) or heard.timings
    choices = event.get("choices")
    message = _mapping(_mapping(choices[0]).get(part)) if isinstance(choices, list) and choices else {}
    for name in SPOKEN:
        said = message.get(name)
        if isinstance(said, str) and said:
            heard.text += said
            heard.first_token_s = heard.first_token_s or at
            heard.last_token_s = at


def _answer(heard: _Heard, began: float, ended: float) -> ProbeAnswer:
    if heard.fault:
        return ProbeAnswer(None, error=heard.fault)
    if heard.first_token_s is None or heard.last_token_s is None:
        prefill_s, decode_s = _told_s(heard, "prompt_ms"), _told_s(heard, "predicted_ms")
    else:
        prefill_s, decode_s = heard.first_token_s - began, heard.last_token_s - heard.first_token_s
    return ProbeAnswer(
        seconds=ended - began,
        prompt_tokens=_count(heard, "prompt_tokens"),
        completion_tokens=_count(heard, "completion_tokens"),
        prefill_s=prefill_s,
        decode_s=decode_s,
        text_sha256=hashlib.sha256(heard.text.encode("utf-8", "replace")).hexdigest(),
    )


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(heard: _Heard, name: str) -> int | None:
    value = heard.usage.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _told_s(heard: _Heard, name: str) -> float | None:
    """llama.cpp's own milliseconds, which it puts into every answer."""
    value = heard.timings.get(name)
    return value / 1000 if isinstance(value, int | float) and 0 <= value < math.inf else None
