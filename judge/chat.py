"""One chat completion from the judge's server, within a deadline.

urllib rather than a client library: one plain POST for each attempt needs no connection pool, and the
libraries' hidden retries would go unrecorded.
"""

from __future__ import annotations

import http.client
import json
import math
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from judge.weigh_scores import WrittenToken
from shared.errors import JudgeUnavailable

MAX_ANSWER_BYTES = 2_000_000
MAX_TOKEN_BYTES = 2_000
"""Besides, for each token that the answer may have: what else might have stood there takes about 1,200."""

LOOPBACK = {"127.0.0.1", "localhost", "::1"}

WRONG_ADDRESS = {
    401: "check the judge's API key",
    403: "check the judge's API key",
    404: "check the judge's base URL and model name",
}
"""Statuses that say nothing of the report: no verdict can come of them until the user mends the settings."""


@dataclass(frozen=True, slots=True)
class JudgeEndpoint:
    base_url: str
    """OpenAI-compatible, ending in /v1."""
    model: str
    api_key: str | None = field(default=None, repr=False)
    timeout_s: float = 300
    """For a whole attempt."""
    max_tokens: int = 400
    """For one answer, see the setting judge_max_tokens."""


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    prompt_tokens: int | None
    completion_tokens: int | None
    tokens: tuple[WrittenToken, ...] = ()
    """Empty where the server does not tell what else it might have written."""


class ServerFailed(Exception):
    """The server was there and gave no answer: overloaded, broken, too slow."""

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        """As the server wishes; 0: it did not say."""


class EndlessAnswer(Exception):
    """The model went on past all bounds: that says something of the judge, and not of its server."""


class RequestRefused(Exception):
    """The server did not accept this request (4xx): the schema, or its length."""


def ask(endpoint: JudgeEndpoint, body: dict[str, Any]) -> Answer:
    """Raises JudgeUnavailable when nobody is there, or nobody who knows this key or model."""
    url = f"{endpoint.base_url.rstrip('/')}/chat/completions"
    headers = {"Content-Type": "application/json"}
    if endpoint.api_key:
        headers["Authorization"] = f"Bearer {endpoint.api_key}"
    request = urllib.request.Request(  # noqa: S310 - the address comes from the settings
        url, json.dumps(body).encode(), headers, method="POST"
    )
    deadline = time.monotonic() + endpoint.timeout_s
    try:
        with _opener(url).open(request, timeout=endpoint.timeout_s) as response:
            return _answer(_read(response, deadline, _most_bytes(endpoint)))
    except urllib.error.HTTPError as refusal:
        raise _refused(refusal, url) from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise ServerFailed(f"no answer within {endpoint.timeout_s:g} s") from None
        raise JudgeUnavailable(
            f"The judge's server at {url} cannot be reached ({error.reason}). "
            "Start it, or set another judge; `levelfield judge DIR` then judges what is left."
        ) from None
    except TimeoutError:
        raise ServerFailed(f"no answer within {endpoint.timeout_s:g} s") from None
    except (OSError, http.client.HTTPException) as error:
        raise ServerFailed(f"the server broke off ({type(error).__name__})") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A key goes nowhere but to the address that the user gave."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _opener(url: str) -> urllib.request.OpenerDirector:
    """A server on this machine is not asked for through a proxy."""
    if urlsplit(url).hostname in LOOPBACK:
        return urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
    return urllib.request.build_opener(_NoRedirect)


def _most_bytes(endpoint: JudgeEndpoint) -> int:
    return MAX_ANSWER_BYTES + MAX_TOKEN_BYTES * endpoint.max_tokens


def _read(response: http.client.HTTPResponse, deadline: float, most: int) -> bytes:
    """The opener's timeout is for each read; the deadline is for all, against a server that trickles."""
    body = bytearray()
    while piece := response.read1(65536):
        body += piece
        if time.monotonic() > deadline:
            raise TimeoutError
        if len(body) > most:
            raise EndlessAnswer(f"the answer is longer than {most:,} bytes")
    return bytes(body)


def _answer(body: bytes) -> Answer:
    try:
        data = json.loads(body)
        choice = data["choices"][0]
        content = choice["message"].get("content")
        usage = data.get("usage") or {}
        return Answer(
            # Half a surrogate pair, which JSON can spell, is nothing that a record can hold.
            content.encode("utf-8", "replace").decode() if isinstance(content, str) else "",
            _count(usage.get("prompt_tokens")),
            _count(usage.get("completion_tokens")),
            _tokens(choice.get("logprobs")),
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise ServerFailed(f"the answer is no chat completion: {body[:80]!r}") from None


def _tokens(told: Any) -> tuple[WrittenToken, ...]:
    """Empty where probabilities are not told, or in another form than OpenAI's: an answer needs none."""
    try:
        return tuple(
            WrittenToken(_text(token), {_text(other): _chance(other) for other in token["top_logprobs"]})
            for token in told["content"]
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return ()


def _text(told: Any) -> str:
    if not isinstance(token := told["token"], str):
        raise TypeError
    return token


def _chance(told: Any) -> float:
    """JSON as Python reads it may hold NaN, and a logarithm above 0 is none of a probability."""
    logarithm = float(told["logprob"])
    return 0.0 if math.isnan(logarithm) else math.exp(min(0.0, logarithm))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _refused(refusal: urllib.error.HTTPError, url: str) -> Exception:
    with refusal:
        words = f"status {refusal.code}: {_message(refusal)}"
    if refusal.code in WRONG_ADDRESS or refusal.code < 400:
        cure = WRONG_ADDRESS.get(refusal.code, "it sends on to another address, which has to be given itself")
        return JudgeUnavailable(f"The judge's server at {url} refused ({words}): {cure}.")
    if refusal.code in {408, 429} or refusal.code >= 500:
        return ServerFailed(words, _retry_after_s(refusal))
    return RequestRefused(words)


def _retry_after_s(refusal: urllib.error.HTTPError) -> float:
    """A number of seconds; a date, which the header may hold too, counts as not said."""
    stated = str(refusal.headers.get("Retry-After", ""))
    return float(stated) if stated.isascii() and stated.isdigit() else 0.0


def _message(refusal: urllib.error.HTTPError) -> str:
    try:
        return refusal.read(300).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return str(refusal.reason)
