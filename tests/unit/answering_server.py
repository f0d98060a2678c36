"""A web server on loopback that answers as a test lays down, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

HANG_S = 30.0
"""Longer than any client under test waits; ended early by `stop`."""


@dataclass(frozen=True)
class Answer:
    body: object = None
    """Bytes go out as they are, anything else as JSON."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False


@dataclass(frozen=True)
class Asked:
    line: str
    """E.g. "GET /v1/models"."""
    headers: Message
    body: Any


class AnsweringServer:
    """`answers` maps "METHOD /path" to what comes back; everything else is a 404 in HTML."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[Asked] = []
        self._stopped = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.handle(self)

            def do_POST(self) -> None:
                owner.handle(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def lines(self) -> list[str]:
        return [asked.line for asked in self.asked]

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        line = f"{request.command} {request.path}"
        sent = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        self.asked.append(Asked(line, request.headers, json.loads(sent) if sent else None))
        answer = self.answers.get(line, Answer(b"<html>no such page</html>", 404))
        if answer.hangs:
            self._stopped.wait(HANG_S)
            return
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        request.send_response(answer.status)
        for name, value in answer.headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)
