"""Stands in for the Hugging Face hub: one file over HTTP, by ranges, that may break off."""

from __future__ import annotations

import hashlib
from http.server import BaseHTTPRequestHandler

from tests.unit.loopback_server import LoopbackServer

COMMIT = "0123456789012345678901234567890123456789"
ANSWERS = {
    "/gated/model/": (403, "GatedRepo"),
    "/nobody/model/": (401, "RepoNotFound"),
    "/owner/model/": (404, "EntryNotFound"),
}
"""What is no file: status and the hub's own word for it."""


class HubServer(LoopbackServer):
    def __init__(self, path: str, content: bytes) -> None:
        """`path`: "OWNER/REPO/FILE" of the only file."""
        super().__init__()
        owner, repository, file = path.split("/", 2)
        self._path = f"/{owner}/{repository}/resolve/main/{file}"
        self.content = content
        self.sha256 = hashlib.sha256(content).hexdigest()
        self.ranges: list[str | None] = []
        """Of each request for the content."""
        self.tokens: set[str | None] = set()
        self.breaks_after: int | None = None
        """Bytes of each answer, then the connection ends."""

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        if request.path == self._path:
            self.tokens.add(request.headers.get("Authorization"))
        else:
            self._refuse(request)
            return
        wanted = request.headers.get("Range")
        start = int(wanted.removeprefix("bytes=").partition("-")[0]) if wanted else 0
        part = self.content[start:]
        request.send_response(206 if start else 200)
        request.send_header("X-Repo-Commit", COMMIT)
        request.send_header("ETag", f'"{self.sha256}"')
        request.send_header("Content-Length", str(len(part)))
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        request.end_headers()
        if request.command == "GET":
            self.ranges.append(wanted)
            request.wfile.write(part[: self.breaks_after])
            request.close_connection = True

    def _refuse(self, request: BaseHTTPRequestHandler) -> None:
        found = [answer for start, answer in ANSWERS.items() if request.path.startswith(start)]
        status, word = found[0] if found else (404, "")
        request.send_response(status)
        if word:
            request.send_header("X-Error-Code", word)
        request.send_header("Content-Length", "0")
        request.end_headers()
