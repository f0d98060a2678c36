"""Stands in for the Hugging Face hub: one file over HTTP, by ranges, that may break off."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

COMMIT = "0123456789012345678901234567890123456789"
ANSWERS = {
    "/gated/model/": (403, "GatedRepo"),
    "/nobody/model/": (401, "RepoNotFound"),
    "/owner/model/": (404, "EntryNotFound"),
}
"""What is no file: status and the hub's own word for it."""


class HubServer:
    def __init__(self, path: str, content: bytes) -> None:
        """`path`: "OWNER/REPO/FILE" of the only file."""
        owner_name, repository, file = path.split("/", 2)
        self._path = f"/{owner_name}/{repository}/resolve/main/{file}"
        self.content = content
        self.sha256 = hashlib.sha256(content).hexdigest()
        self.ranges: list[str | None] = []
        """Of each request for the content."""
        self.tokens: set[str | None] = set()
        self.breaks_after: int | None = None
        """Bytes of each answer, then the connection ends."""
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                owner.handle(self, with_content=False)

            def do_GET(self) -> None:
                owner.handle(self, with_content=True)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def handle(self, request: BaseHTTPRequestHandler, *, with_content: bool) -> None:
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
        if with_content:
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
