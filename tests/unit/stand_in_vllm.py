"""Stands in for the interpreter of an environment with vLLM: `python -m MODULE --host=... --port=...`.

Slow to load, with an engine in a process of its own. What it was started with is on the page /started.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOADING = 2
"""Times that it is asked before it is ready."""


class Handler(BaseHTTPRequestHandler):
    asked = 0
    answered = 0

    def do_GET(self) -> None:
        if self.path == "/health":
            Handler.asked += 1
            self.answer({}, 200 if Handler.asked > LOADING else 503)
        elif self.path == "/metrics":
            counted = f"vllm:prompt_tokens_total 7.0\nvllm:generation_tokens_total {Handler.answered}.0\n"
            self.send(counted.encode(), 200)
        else:
            card = {"id": GIVEN["served-model-name"], "max_model_len": int(GIVEN["max-model-len"])}
            pages = {
                "/v1/models": {"data": [card]},
                "/version": {"version": "0.0.2"},
                "/started": {"arguments": sys.argv[1:], "environment": dict(os.environ)},
            }
            self.answer(pages[self.path])

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        Handler.answered += 1
        fails = "STAND_IN_CANNOT_ANSWER" in os.environ
        self.answer({"choices": [{"message": {"content": "Hi"}}]}, 500 if fails else 200)

    def answer(self, body: Any, status: int = 200) -> None:
        self.send(json.dumps(body).encode(), status)

    def send(self, content: bytes, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    GIVEN = dict(word.removeprefix("--").split("=", 1) for word in sys.argv[3:] if "=" in word)
    if "STAND_IN_FAILS" in os.environ:
        sys.exit("ValueError: No available memory for the cache blocks.")
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print("Loading weights", file=sys.stderr, flush=True)
    ThreadingHTTPServer((GIVEN["host"], int(GIVEN["port"])), Handler).serve_forever()
