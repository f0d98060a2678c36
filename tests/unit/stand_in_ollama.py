"""Stands in for the program `ollama`: `ollama serve` on OLLAMA_HOST, a runner beside it, one model to pull.

What it was started with is on the page /environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODELS: dict[str, dict[str, Any]] = {}
LOADED: set[str] = set()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        listed = [{"model": name, "name": name, "digest": f"digest of {name}"} for name in MODELS]
        parts = {"size": 10, "size_vram": 0, "context_length": 2048}
        pages: dict[str, Any] = {
            "/api/version": {"version": "0.0.1"},
            "/api/tags": {"models": listed},
            "/api/ps": {"models": [{"model": name, "name": name} | parts for name in LOADED]},
            "/environment": dict(os.environ),
        }
        self.answer(pages[self.path])

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = body["model"]
        if self.path == "/api/pull":
            MODELS[name] = {}
            self.answer({"status": "success"})
        elif self.path == "/api/create":
            MODELS[name] = {"parameters": f"num_ctx {body['parameters']['num_ctx']}", "model_info": {}}
            self.answer({"status": "success"})
        elif self.path == "/api/show":
            self.answer(MODELS[name])
        else:
            LOADED.add(name)
            self.answer({"model": name, "done": True, "response": ""})

    def answer(self, body: Any) -> None:
        content = json.dumps(body).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    if sys.argv[1:] != ["serve"] or "STAND_IN_FAILS" in os.environ:
        sys.exit("Error: no usable memory")
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    host, _, port = os.environ["OLLAMA_HOST"].partition(":")
    ThreadingHTTPServer((host, int(port)), Handler).serve_forever()
