"""A model server without a model, for dry runs: `python scripted_main.py`.

Speaks the OpenAI chat API at once and the same every time: a report made from the last request, or, when a
JSON schema is asked for, the smallest answer that fits it. Counts its tokens on /metrics as llama.cpp does,
so that a dry run compares counters too. Same protocol as llamacpp_main: one JSON line in, one out, and it
ends with its parent.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECTIONS = (
    *("Executive Summary", "Company Overview", "Products & Services"),
    *("Market Position", "Key Insights", "Conclusion"),
)
WORDS_PER_SECTION = 90
"""Six sections make 540 words, inside the task's 500-800."""


class Counted:
    """Tokens since the start."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._prompt_tokens = self._completion_tokens = 0

    def add(self, prompt_tokens: int, completion_tokens: int) -> None:
        with self._lock:
            self._prompt_tokens += prompt_tokens
            self._completion_tokens += completion_tokens

    def page(self) -> str:
        with self._lock:
            return (
                "# TYPE llamacpp:prompt_tokens_total counter\n"
                f"llamacpp:prompt_tokens_total {self._prompt_tokens}\n"
                "# TYPE llamacpp:tokens_predicted_total counter\n"
                f"llamacpp:tokens_predicted_total {self._completion_tokens}\n"
            )


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    counted = Counted()
    # Headers and body are two writes: with Nagle's algorithm the second waits 40 ms for a delayed ACK.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path == "/metrics":
            self._send(self.counted.page().encode(), "text/plain; version=0.0.4")
        else:
            self._answer({"object": "list", "data": [{"id": "scripted", "object": "model"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = "\n".join(str(message.get("content")) for message in body["messages"])
        schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
        text = json.dumps(smallest(schema)) if schema else report(prompt)
        prompt_tokens, completion_tokens = len(prompt.split()), len(text.split())
        self.counted.add(prompt_tokens, completion_tokens)
        self._answer(
            {
                "id": "scripted",
                "object": "chat.completion",
                "created": 0,
                "model": body["model"],
                "choices": [
                    {
                        "index": 0,
                        "message": {"role": "assistant", "content": text},
                        "finish_reason": "stop",
                    }
                ],
                "usage": {
                    "prompt_tokens": prompt_tokens,
                    "completion_tokens": completion_tokens,
                    "total_tokens": prompt_tokens + completion_tokens,
                },
            }
        )

    def log_message(self, *_: Any) -> None:
        """Say nothing: the paths are secrets."""

    def _answer(self, body: dict[str, Any]) -> None:
        self._send(json.dumps(body).encode(), "application/json")

    def _send(self, content: bytes, content_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def report(prompt: str) -> str:
    """Six sections filled with the prompt's own words, in order."""
    words = prompt.split() or ["nothing"]
    parts = []
    for number, section in enumerate(SECTIONS):
        start = number * WORDS_PER_SECTION
        chosen = [words[(start + offset) % len(words)] for offset in range(WORDS_PER_SECTION)]
        parts.append(f"## {section}\n\n{' '.join(chosen)}")
    return "\n\n".join(parts)


def smallest(schema: dict[str, Any]) -> Any:
    """The plainest value that fits a JSON schema of the kinds that judges ask for."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {name: smallest(part) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return []
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    return "scripted"


def main() -> None:
    sys.stdin.readline()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}", "version": "1"}), flush=True)
    sys.stdin.read()
    os._exit(0)  # a request in progress must not outlive the parent


if __name__ == "__main__":
    main()
