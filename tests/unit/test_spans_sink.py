"""Traces are always written beside their records, and sent where the standard variables say, at nobody's cost."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cluster.cli import main
from cluster.spans.attempt import spans_of
from cluster.spans.endpoint import Endpoint, traces_url, url_from
from cluster.spans.scene import Scene
from cluster.spans.sender import Sender
from cluster.spans.sink import SpanSink
from shared.calls import Call
from shared.errors import StoreFailed
from shared.records import RunRecord
from shared.store import Store
from shared.trace import new_trace
from tests.unit.otlp_receiver import OtlpReceiver
from tests.unit.stored_records import begun, run

CALLS = [
    Call(
        sequence=1, kind="model", path="/v1/chat/completions", agent="writer", arrived_s=0.1, last_byte_s=1,
        status=200, request={"model": "m", "messages": [{"role": "user", "content": "PROMPT"}]},
    )
]  # fmt: skip
NAMES = ["levelfield.run", "invoke_agent writer", "chat m"]
CLOSED = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("OTEL_", "LEVELFIELD_"))]:
        monkeypatch.delenv(name)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return begun(tmp_path / "experiment")


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as running:
        yield running


def recorded(store: Store, attempt: int = 1) -> RunRecord:
    return store.write_run(run(attempt=attempt, trace_id=new_trace().trace_id), CALLS)


def spans_file(store: Store, attempt: int = 1) -> Path:
    return store.folder / f"runs/t.x.1.idiomatic.a/attempt-{attempt}.spans.jsonl"


def kept(store: Store, attempts: int = 1, *, flush_s: float = 5.0) -> list[str]:
    """Keep so many attempts, close, and return the warnings."""
    warnings: list[str] = []
    sink = SpanSink(store, content=False, warn=warnings.append)
    for attempt in range(1, attempts + 1):
        sink.keep(recorded(store, attempt), CALLS)
    sink.close(flush_s)
    return warnings


def within(seconds: float, happened: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.01)
    return happened()


def test_without_an_endpoint_the_file_alone_is_written(store: Store) -> None:
    """Beside the record, readable, and nobody is warned of anything."""
    assert kept(store) == []
    [line] = spans_file(store).read_text().splitlines()
    [resource] = json.loads(line)["resourceSpans"]
    assert [span["name"] for span in resource["scopeSpans"][0]["spans"]] == NAMES
    assert [record.attempt for record in store.attempts()] == [1]
    assert not [thread for thread in threading.enumerate() if thread.name == "levelfield-spans"]


def test_a_full_disk_is_told_like_a_records(store: Store) -> None:
    """A trace that cannot be written is a StoreFailed with what to do, as for any other file."""
    record = recorded(store)
    spans_file(store).mkdir()
    with (
        SpanSink(store, content=False, warn=print) as sink,
        pytest.raises(StoreFailed, match=r"attempt-1\.spans"),
    ):
        sink.keep(record, CALLS)


@pytest.mark.parametrize("variable", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_a_receiver_gets_what_the_file_holds(
    store: Store, receiver: OtlpReceiver, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As protobuf, below /v1/traces or at the very address that is given, with the headers that are set."""
    path = "/v1/traces" if variable == "OTEL_EXPORTER_OTLP_ENDPOINT" else "/elsewhere"
    monkeypatch.setenv(variable, receiver.origin + path.removeprefix("/v1/traces"))
    monkeypatch.setenv(
        "OTEL_EXPORTER_OTLP_HEADERS", "x-mlflow-experiment-id=7,authorization=Bearer%20planted-key"
    )
    assert kept(store, 2) == []
    assert receiver.paths == [path, path]
    assert receiver.span_names() == NAMES * 2
    assert receiver.headers[0]["content-type"] == "application/x-protobuf"
    assert receiver.headers[0]["x-mlflow-experiment-id"] == "7"
    assert receiver.headers[0]["authorization"] == "Bearer planted-key"
    sent = receiver.requests[1].resource_spans[0].scope_spans[0].spans[0]
    written = json.loads(spans_file(store, 2).read_text())["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert (sent.trace_id.hex(), str(sent.end_time_unix_nano)) == (
        written["traceId"],
        written["endTimeUnixNano"],
    )
    assert "planted-key" not in "".join(path.read_text() for path in store.folder.rglob("*.json*"))


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:4318"}, "http://h:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:4318/base/"}, "http://h:4318/base/v1/traces"),
        (
            {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://h/x", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://no"},
            "http://h/x",
        ),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h", "OTEL_SDK_DISABLED": "True"}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h", "OTEL_TRACES_EXPORTER": "none"}, None),
    ],
)
def test_the_standard_variables_say_where(variables: dict[str, str], url: str | None) -> None:
    """The address for traces comes before the one for everything; either can be switched off."""
    assert url_from(variables) == url


def test_an_address_for_traces_may_be_given_as_a_base() -> None:
    """/v1/traces is added once."""
    assert (
        traces_url("http://h")
        == traces_url("http://h/")
        == traces_url("http://h/v1/traces/")
        == "http://h/v1/traces"
    )


@pytest.mark.parametrize(
    "endpoint", [CLOSED, "no-address", "http://user:planted-key@127.0.0.1:9/?key=planted-key"]
)
def test_a_dead_endpoint_costs_one_warning_and_nothing_else(
    store: Store, endpoint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every trace is in its file, keeping takes no time, the end comes soon, and no key is told."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    began = time.monotonic()
    warnings = kept(store, 3, flush_s=0.5)
    assert time.monotonic() - began < 30
    [warning] = warnings
    assert "does not take the traces" in warning
    assert f"levelfield spans {store.folder}" in warning
    assert all(spans_file(store, attempt).exists() for attempt in (1, 2, 3))
    shown = capsys.readouterr()
    assert "planted-key" not in warning + shown.out + shown.err
    assert shown.err == ""


def test_an_endpoint_that_refuses_is_told_with_its_status(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """401 is not tried again, and the warning says it."""
    with OtlpReceiver(status=401) as refusing:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", refusing.origin)
        [warning] = kept(store, 3)
        assert "HTTP 401" in warning
        assert refusing.origin in warning
        assert len(refusing.requests) == 3


def test_an_endpoint_that_never_answers_holds_nobody_up(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing waits no longer than it says, and every trace is in its file."""
    with OtlpReceiver(hangs=True) as hanging:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", hanging.origin)
        began = time.monotonic()
        [warning] = kept(store, 3, flush_s=0.3)
        assert time.monotonic() - began < 30
    assert "too slow" in warning
    assert all(spans_file(store, attempt).exists() for attempt in (1, 2, 3))


@pytest.mark.timeout(30)
def test_the_queue_is_bounded() -> None:
    """What an endpoint is too slow for is let go at once, with one warning, and the thread ends."""
    spans = spans_of(run(), CALLS, Scene("e", "0", "scripted", content=False))
    losses: list[str] = []
    with OtlpReceiver(hangs=True) as hanging:
        sender = Sender(Endpoint(hanging.origin), losses.append, queued=2)
        began = time.monotonic()
        for _ in range(100):
            sender.offer(spans)
        assert losses == ["it is too slow"]
        sender.close(0.1)
        assert time.monotonic() - began < 30
    assert losses == ["it is too slow"]
    assert within(5, lambda: not sender._thread.is_alive())


def test_content_is_sent_only_where_it_is_asked_for(
    store: Store, receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The setting decides for the file and for what is sent alike."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.origin)
    record = recorded(store)
    for content in (False, True):
        with SpanSink(store, content=content, warn=print) as sink:
            sink.keep(record, CALLS)
        assert ("PROMPT" in spans_file(store).read_text()) == content
        assert ("PROMPT" in str(receiver.requests[-1])) == content


def exit_code(*words: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return ended.value.code


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no .env of a developer is."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("here")
def test_a_stored_experiment_is_sent_by_a_command(
    store: Store, receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`levelfield spans DIR` sends every attempt, also of an experiment that has no spans files."""
    for attempt in (1, 2):
        recorded(store, attempt)
    assert exit_code("spans", str(store.folder), "--endpoint", receiver.origin) == 0
    assert receiver.span_names() == NAMES * 2
    assert "PROMPT" not in str(receiver.requests)
    assert f"2 attempts sent to {receiver.origin}/v1/traces" in capsys.readouterr().out
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.origin)
    monkeypatch.setenv("LEVELFIELD_TRACE_CONTENT", "true")
    assert exit_code("spans", str(store.folder)) == 0
    assert "PROMPT" in str(receiver.requests[-1])


@pytest.mark.usefixtures("here")
def test_the_command_says_what_is_wrong(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No endpoint is the user's mistake; one that refuses is told with its status and exit code 1."""
    recorded(store)
    assert exit_code("spans", str(store.folder)) == 2
    assert "--endpoint" in capsys.readouterr().err
    with OtlpReceiver(status=404) as refusing:
        assert exit_code("spans", str(store.folder), "--endpoint", refusing.origin) == 1
    shown = capsys.readouterr().out
    assert "0 attempts sent" in shown
    assert "HTTP 404" in shown
