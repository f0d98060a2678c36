"""Keys and tokens stay out of everything that is written down, wherever they are planted."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cluster.gateway.parsing import dump_json
from cluster.gateway.scrub import TOKEN_MARK, Scrubber
from tests.unit import upstream
from tests.unit.running_gateway import KEY, RunningGateway, chat, post
from tests.unit.upstream import DELTA, END

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=8, max_size=40)


def says(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    return json.dumps({"choices": [{"index": 0, "message": message, "delta": message}]}).encode()


def written(gateway: RunningGateway) -> str:
    """Everything that the gateway has put on disk."""
    return "".join(path.read_text(encoding="utf-8") for path in gateway.spool.iterdir())


def test_planted_secrets_are_scrubbed(gateway: RunningGateway) -> None:
    """The key in answers, errors and streams, and tokens of this run and an earlier one in requests."""
    with gateway.lease(run_id="earlier") as earlier:
        gateway.close(earlier)
    with gateway.lease() as lease:
        secrets = (KEY, lease.token, earlier.token)
        escaped = says(KEY).replace(KEY.encode(), "".join(f"\\u{ord(c):04x}" for c in KEY).encode())
        for behave in (
            upstream.raw(says(f"my key is {KEY}")),
            upstream.raw(escaped),
            upstream.raw(f"<html>{KEY}</html>".encode()),
            upstream.failing(401, f"Incorrect API key provided: {KEY}"),
            upstream.stream([b"data: " + says(KEY) + b"\n\n", END]),
        ):
            gateway.server.behave = behave
            got = chat(lease, note=f"{lease.base_url} {earlier.base_url} {KEY}", stream=True)
            assert KEY.encode() not in got.body
        post(f"{lease.tools_url}/{lease.token}", {"query": lease.base_url}, User_Agent=lease.token)
        post(f"{lease.base_url}/{lease.token}", {})
        chat(earlier)
        on_disk = written(gateway)
        report = gateway.close(lease).model_dump_json()
    for text in (on_disk, written(gateway), report):
        for secret in secrets:
            assert secret not in text
    assert "<run>" in on_disk
    assert "<run>" in report
    assert "my key is <key>" in report
    assert "Incorrect API key provided: <key>" in report


def test_the_server_gets_the_request_as_it_was(gateway: RunningGateway) -> None:
    """Scrubbing is for what is written down: what the client says reaches the model unchanged."""
    with gateway.lease() as lease:
        chat(lease, note=lease.token)
        assert gateway.server.bodies[0]["note"] == lease.token


@pytest.mark.parametrize("key", ["EMPTY", "none", "x"])
def test_a_placeholder_is_no_secret(key: str) -> None:
    """Servers without keys are given a word; it is not cut out of ordinary text."""
    scrubber = Scrubber(key)
    text = f"none EMPTY x {key}"
    assert not scrubber.finds(text.encode())
    assert scrubber.scrubbed({text: [text]}) == {text: [text]}
    assert scrubber.without_keys(text.encode()) == text.encode()


@given(KEYS, st.text(max_size=20), st.booleans())
def test_any_key_is_found(key: str, around: str, inner: bool) -> None:
    """However it is spelt, a key in a text or a name, or in JSON inside JSON, is noticed and taken out."""
    assume(key not in "<key>" * 3 and key not in around)
    text = around + "\n" + (json.dumps({"a": key}, ensure_ascii=False) if inner else key) + "\n" + around
    value = {text: [1, {"a": text}]}
    scrubber = Scrubber(key)
    assert scrubber.finds(dump_json(value))
    ((name, (number, deep)),) = scrubber.scrubbed(value).items()
    assert (number, deep) == (1, {"a": name})
    assert key not in name
    assert "<key>" in name


def test_the_log_tells_what_happened(gateway: RunningGateway) -> None:
    """One JSON object per event, with the time, the run, the attempt and the trace, and no token."""
    seen = len(gateway.log())
    trace = {"run_id": "logged", "attempt_id": "a7", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    with gateway.lease(**trace, max_model_calls=1) as lease:
        gateway.server.behave = upstream.status(500)
        chat(lease)
        chat(lease)
        chat(replace(lease, base_url=lease.base_url.replace(lease.token, f"{TOKEN_MARK}{'g' * 32}")))
        gateway.close(lease)
    chat(lease)
    lines = gateway.log()[seen:]
    assert [line["event"] for line in lines] == [
        *("lease_opened", "call_failed", "call_refused", "stray_call", "lease_closed", "stray_call"),
    ]
    for line in lines[:-1]:
        assert (line["run_id"], line["attempt_id"], line["trace_id"]) == ("logged", "a7", TRACE)
    assert all("time" in line for line in lines)
    assert (lines[1]["status"], lines[1]["error"], len(lines[1]["span_id"])) == (500, "planted", 16)
    assert (lines[2]["code"], lines[3]["code"], lines[5]["code"]) == (
        *("budget_exceeded", "lease_unknown", "lease_closed"),
    )
    assert "run_id" not in lines[5]
    assert lease.token not in json.dumps(lines)


def test_a_delta_is_not_touched(gateway: RunningGateway) -> None:
    """A stream without a secret reaches the client byte for byte."""
    gateway.server.behave = upstream.stream([DELTA, END])
    with gateway.lease() as lease:
        assert chat(lease, stream=True).body == DELTA + END
