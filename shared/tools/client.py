"""How an adapter calls a tool: one POST to the gateway, which runs the tool and journals the call.

Standard library only. The gateway's address is a secret of the run, so no message here repeats it.
"""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from shared.trace import HEADER, VARIABLE, from_traceparent

MAX_ANSWER_BYTES = 1_000_000
STUCK_S = 3600.0
"""The gateway bounds a call itself, by the plan's limits, and a run's deadline ends its process. Where a
model plays somebody, a call takes as long as a model call."""

# A tool call goes straight to the run's own gateway, whatever proxy the machine is set up for.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call_tool(tools_url: str, name: str, arguments: dict[str, Any] | str, timeout_s: float = STUCK_S) -> str:
    """The tool's answer as text for the model.

    Arguments as text are what the model wrote, sent as they are: the gateway says what is wrong with them.
    A refusal (4xx: unknown tool, bad arguments) is text that the model can act on, so it is returned too.
    A gateway that cannot be reached, breaks off or fails (5xx) raises OSError.
    """
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, default=str)
    request = urllib.request.Request(  # noqa: S310 - the gateway's http:// address comes from the run's request
        f"{tools_url.rstrip('/')}/{urllib.parse.quote(name, safe='')}",
        data=text.encode("utf-8", "replace"),
        headers={"Content-Type": "application/json"} | _trace_header(),
        method="POST",
    )
    try:
        with _opener.open(request, timeout=timeout_s) as answer:
            return _text(answer.read(MAX_ANSWER_BYTES))
    except urllib.error.HTTPError as refusal:
        with refusal:
            if refusal.code >= 500:
                raise OSError(f"tool {name!r}: the gateway answered {refusal.code}") from None
            return _text(refusal.read(MAX_ANSWER_BYTES)) or f"The call was refused (status {refusal.code})."
    except http.client.HTTPException as broken:
        raise ConnectionError(f"tool {name!r}: the gateway broke off ({type(broken).__name__})") from None


def _trace_header() -> dict[str, str]:
    context = from_traceparent(os.environ.get(VARIABLE))
    return {HEADER: context.traceparent} if context else {}


def _text(body: bytes) -> str:
    return body.decode("utf-8", errors="replace")
