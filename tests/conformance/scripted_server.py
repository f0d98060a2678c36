"""An OpenAI-compatible server that says what a scenario tells it to, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

PROMPT_TOKENS = 100
COMPLETION_TOKENS = 10


@dataclass(frozen=True)
class Reply:
    body: bytes
    status: int = 200
    delay_s: float = 0.0


def completion(
    number: int, content: str | None, tool_calls: list[dict[str, Any]] | None = None, **changes: Any
) -> Reply:
    """The answer to the number-th call. Tokens differ from call to call, so that a wrong sum shows."""
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if tool_calls:
        message["tool_calls"] = tool_calls
    usage = {"prompt_tokens": PROMPT_TOKENS + number, "completion_tokens": COMPLETION_TOKENS + number}
    answer = {
        "id": f"answer-{number}",
        "object": "chat.completion",
        "created": 1,
        "model": "scripted",
        "choices": [
            {"index": 0, "message": message, "finish_reason": "tool_calls" if tool_calls else "stop"}
        ],
        "usage": usage | {"total_tokens": sum(usage.values())},
    }
    return Reply(json.dumps(answer | changes).encode())


@dataclass(frozen=True)
class Asked:
    path: str
    body: Any
    traceparent: str | None = None


class ScriptedServer:
    """Each path `/<run>/v1` answers by the run's own script: (number of the call, its body) -> reply."""

    def __init__(self, scripts: dict[str, Callable[[int, Any], Reply]], tool_answer: str) -> None:
        self.model_calls: dict[str, list[Asked]] = defaultdict(list)
        self.tool_calls: dict[str, list[Asked]] = defaultdict(list)
        self._scripts = scripts
        self._tool_answer = tool_answer
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def answer(self, path: str, body: Any, traceparent: str | None = None) -> Reply:
        """`/<framework>/<scenario>/v1/chat/completions` or `/<framework>/<scenario>/tools/<name>`."""
        framework, scenario, rest = path.removeprefix("/").split("/", 2)
        run = f"{framework}/{scenario}"
        with self._lock:
            if rest.startswith("tools/"):
                self.tool_calls[run].append(Asked(path, body, traceparent))
                if not isinstance(body, dict):  # as the gateway says it
                    return Reply(b"The arguments are not a JSON object.", status=400)
                return Reply(self._tool_answer.encode())
            self.model_calls[run].append(Asked(path, body))
            number = len(self.model_calls[run])
        return self._scripts[scenario](number, body)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = _json_or_text(self.rfile.read(int(self.headers["Content-Length"])))
                reply = server.answer(self.path, body, self.headers["traceparent"])
                time.sleep(reply.delay_s)
                try:
                    self.send_response(reply.status)
                    self.send_header("Content-Type", "application/json; charset=utf-8")
                    self.send_header("Content-Length", str(len(reply.body)))
                    self.end_headers()
                    self.wfile.write(reply.body)
                except ConnectionError:  # a client that has given up waiting
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def _json_or_text(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode()
