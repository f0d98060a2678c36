"""A web server on loopback that answers as a test lays down, and remembers what it was asked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.unit.loopback_server import LoopbackServer


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


class AnsweringServer(LoopbackServer):
    """`answers` maps "METHOD /path" to what comes back; everything else is a 404 in HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, Answer] = {}
        self.asked: list[Asked] = []

    def lines(self) -> list[str]:
        return [asked.line for asked in self.asked]

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        line = f"{request.command} {request.path}"
        sent = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        self.asked.append(Asked(line, request.headers, json.loads(sent) if sent else None))
        answer = self.answers.get(line, Answer(b"<html>no such page</html>", 404))
        if answer.hangs:
            self.hang()
            return
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        request.send_response(answer.status)
        for name, value in answer.headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)
