"""Ask a model server something small, and say plainly what is wrong when it does not answer."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from shared.errors import ServerUnavailable, SettingsError

PROBE_TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 4 * 2**20


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The gateway follows none either: what is probed is what will be used, and a key goes nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
"""The gateway reaches servers without a proxy, so the probe does too."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any
    """Parsed JSON; None when it was none."""


def ask(
    url: str, *, api_key: str | None = None, body: object = None, timeout_s: float = PROBE_TIMEOUT_S
) -> Answer:
    """One request. Raises ServerUnavailable when there is no answer at all."""
    data = None if body is None else json.dumps(body).encode()
    status, content = _exchange(url, api_key, data, timeout_s)
    return Answer(status, _parsed(content))


def ask_text(url: str, *, api_key: str | None = None, timeout_s: float = PROBE_TIMEOUT_S) -> str | None:
    """A page that is no JSON; None unless it comes whole and as UTF-8. Raises like `ask`."""
    status, content = _exchange(url, api_key, None, timeout_s)
    if status != 200 or len(content) >= MAX_ANSWER_BYTES:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _exchange(url: str, api_key: str | None, data: bytes | None, timeout_s: float) -> tuple[int, bytes]:
    """Status and body, which is empty for an error and cut at MAX_ANSWER_BYTES."""
    headers = {"Content-Type": "application/json"}
    if api_key:
        headers["Authorization"] = f"Bearer {api_key}"
    request = urllib.request.Request(url, data=data, headers=headers)  # noqa: S310 - see checked_url
    deadline = time.monotonic() + timeout_s
    try:
        with direct.open(request, timeout=timeout_s) as answer:
            return answer.status, _read(answer, deadline)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b""
    except TimeoutError:
        raise ServerUnavailable(
            f"The model server at {url} did not answer within {timeout_s:g} s. "
            "See whether it is overloaded or still loading a model, then try again."
        ) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise ServerUnavailable(
            f"The model server at {url} cannot be reached ({reason}). "
            "Start it, or set LEVELFIELD_LLM_BASE_URL (a judge's: LEVELFIELD_JUDGE_BASE_URL) to where it is."
        ) from None


def require_success(answer: Answer, url: str) -> None:
    """Raises ServerUnavailable unless the answer is good."""
    if answer.status in (401, 403):
        raise ServerUnavailable(
            f"The model server at {url} refuses the key ({answer.status}). Set LEVELFIELD_LLM_API_KEY "
            "(for the judge LEVELFIELD_JUDGE_API_KEY) in the environment or in .env."
        )
    if not 200 <= answer.status < 300:
        raise ServerUnavailable(
            f"The model server at {url} answered {answer.status}. See its own log; "
            "if that is another program's address, set LEVELFIELD_LLM_BASE_URL."
        )


def answers(url: str, api_key: str | None = None) -> bool:
    """Whether anything but a server error comes back."""
    try:
        return ask(url, api_key=api_key).status < 500
    except ServerUnavailable:
        return False


def checked_url(url: str) -> str:
    """Without a slash at the end. Raises SettingsError for what is no address of a web server."""
    if "@" in url:
        raise SettingsError("A base URL carries no user or password: set LEVELFIELD_LLM_API_KEY instead.")
    if "?" in url or "#" in url:
        raise SettingsError("A base URL ends in a path: what follows a ? or # could not be kept secret.")
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, an IPv6 address without brackets
        good = False
    if not good or not url.isprintable() or " " in url:
        raise SettingsError(f'"{url}" is no base URL: it looks like http://127.0.0.1:8000/v1.')
    return url.rstrip("/")


def checked_key(key: str | None) -> None:
    """Raises SettingsError for what no header can carry; Python's own message would quote the key."""
    if key and not (key.isascii() and key.isprintable()):
        raise SettingsError(
            "The API key has a line break or a character that no key has. "
            "Set LEVELFIELD_LLM_API_KEY (for the judge LEVELFIELD_JUDGE_API_KEY) again."
        )


def _read(answer: http.client.HTTPResponse, deadline: float) -> bytes:
    """The body. The socket's time-out is for one wait, so a server that drips is ended here."""
    content = b""
    while len(content) < MAX_ANSWER_BYTES and (piece := answer.read1(MAX_ANSWER_BYTES - len(content))):
        content += piece
        if time.monotonic() > deadline:
            raise TimeoutError
    return content


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
