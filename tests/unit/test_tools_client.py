"""The adapters' way to a tool, against a real HTTP server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from shared.tools.client import call_tool
from shared.trace import VARIABLE, new_trace


class Gateway(BaseHTTPRequestHandler):
    """Answers as its class says, and remembers what it was asked."""

    asked: list[tuple[str, Any]]
    raw: list[bytes]
    traceparents: list[str | None]
    status = 200
    answer = b"- Fact one."
    hang_up = False

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.raw.append(body)
        self.asked.append((self.path, _json_or_none(body)))
        self.traceparents.append(self.headers["traceparent"])
        if self.hang_up:
            self.wfile.write(b"HTTP/1.1 nonsense\r\n\r\n")
            self.close_connection = True
            return
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_: Any) -> None:
        pass


def _json_or_none(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


@pytest.fixture
def gateway() -> Iterator[tuple[str, type[Gateway]]]:
    handler = type("OneGateway", (Gateway,), {"asked": [], "raw": [], "traceparents": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/runs/SECRET/tools", handler
    server.shutdown()
    server.server_close()


def test_answer_comes_back_as_text(gateway: tuple[str, type[Gateway]]) -> None:
    """The arguments arrive as JSON below the run's address, and the answer's body comes back as text."""
    url, handler = gateway
    handler.answer = "Lê-Quôc".encode()
    assert call_tool(url, "search", {"query": "news"}) == "Lê-Quôc"
    assert handler.asked == [("/runs/SECRET/tools/search", {"query": "news"})]


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ('{ "query":  "news" }', b'{ "query":  "news" }'),
        ('{"query": "ne', b'{"query": "ne'),
        ("", b""),
        ("Zürich \ud83d", "Zürich ?".encode()),
    ],
)
def test_arguments_as_the_model_wrote_them(
    gateway: tuple[str, type[Gateway]], written: str, sent: bytes
) -> None:
    """Text goes to the gateway as it is, JSON or not; half a surrogate pair cannot, and becomes a question mark."""
    url, handler = gateway
    call_tool(url, "search", written)
    assert handler.raw == [sent]


def test_the_runs_trace_context_goes_with_the_call(
    gateway: tuple[str, type[Gateway]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run's TRACEPARENT is sent as a header; without one, or with one that is none, no header is."""
    url, handler = gateway
    context = new_trace().traceparent
    for value in (context, "nonsense\r\nX-Injected: 1", ""):
        monkeypatch.setenv(VARIABLE, value)
        call_tool(url, "search", {})
    monkeypatch.delenv(VARIABLE)
    call_tool(url, "search", {})
    assert handler.traceparents == [context, None, None, None]


def test_refusal_is_text_for_the_model(gateway: tuple[str, type[Gateway]]) -> None:
    """A 4xx answer is something that the model can read and act on."""
    url, handler = gateway
    handler.status, handler.answer = 404, b"There is no tool 'serch'."
    assert call_tool(url, "serch", {}) == "There is no tool 'serch'."
    handler.answer = b""
    assert "404" in call_tool(url, "serch", {})


def test_strange_tool_names_stay_one_path_segment(gateway: tuple[str, type[Gateway]]) -> None:
    """A tool name that a model invented cannot reach another path of the gateway."""
    url, handler = gateway
    call_tool(url, "../v1/x y", {})
    assert handler.asked[0][0] == "/runs/SECRET/tools/..%2Fv1%2Fx%20y"


@pytest.mark.parametrize("failure", [{"status": 500}, {"hang_up": True}])
def test_failing_gateway_raises_oserror_without_the_secret(
    gateway: tuple[str, type[Gateway]], failure: dict[str, Any]
) -> None:
    """A gateway that fails or talks nonsense raises OSError, and no message repeats the run's secret path."""
    url, handler = gateway
    for name, value in failure.items():
        setattr(handler, name, value)
    with pytest.raises(OSError) as raised:  # noqa: PT011 - any OSError is what is promised
        call_tool(url, "search", {"query": "news"}, timeout_s=5)
    assert "SECRET" not in str(raised.value)


def test_absent_gateway_raises_oserror(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listening raises OSError, also where a proxy is set up for the machine."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with pytest.raises(OSError, match="refused"):
        call_tool("http://127.0.0.1:1/runs/SECRET/tools", "search", {}, timeout_s=5)
