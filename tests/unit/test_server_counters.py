"""A server's own token counters: what is read off its /metrics, and that nothing it answers can raise."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.servers import ModelServer, ServerOptions, TokenCounters, growth, metrics, open_server
from cluster.servers.metrics import count, llamacpp_counters, vllm_counters
from shared.own_process import OwnProcess
from tests.unit.answering_server import Answer, AnsweringServer

METRICS = "GET /metrics"
KEY = "sk-very-secret"

# As the embedded llama.cpp gave it; only the figures are changed.
LLAMACPP = """\
# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed, excluding cached tokens
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 386
# HELP llamacpp:prompt_tokens_cached_total Number of prompt tokens reused from the cache
# TYPE llamacpp:prompt_tokens_cached_total counter
llamacpp:prompt_tokens_cached_total 766
# HELP llamacpp:prompt_seconds_total Total time spent processing prompts
# TYPE llamacpp:prompt_seconds_total counter
llamacpp:prompt_seconds_total 1.51147
# HELP llamacpp:tokens_predicted_total Number of generation tokens processed
# TYPE llamacpp:tokens_predicted_total counter
llamacpp:tokens_predicted_total 24
# HELP llamacpp:requests_processing Number of requests processing
# TYPE llamacpp:requests_processing gauge
llamacpp:requests_processing 0
"""

# In the form of prometheus_client, which vLLM writes with: two engines, and a counter above a million.
VLLM = """\
# HELP vllm:prompt_tokens_total Number of prefill tokens processed.
# TYPE vllm:prompt_tokens_total counter
vllm:prompt_tokens_total{engine="0",model_name="org/a \\"b\\" {c}"} 1.234567e+06
vllm:prompt_tokens_total{engine="1",model_name="org/a \\"b\\" {c}"} 33.0
# HELP vllm:prompt_tokens_created Number of prefill tokens processed.
# TYPE vllm:prompt_tokens_created gauge
vllm:prompt_tokens_created{engine="0",model_name="org/a"} 1.7955286910e+09
# HELP vllm:generation_tokens_total Number of generation tokens processed.
# TYPE vllm:generation_tokens_total counter
vllm:generation_tokens_total{engine="0",model_name="org/a"} 500.0
vllm:generation_tokens_total{engine="1",model_name="org/a"} 7.0
# HELP vllm:time_to_first_token_seconds Histogram of time to first token in seconds.
# TYPE vllm:time_to_first_token_seconds histogram
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.001",model_name="org/a"} 0.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="+Inf",model_name="org/a"} 2.0
vllm:time_to_first_token_seconds_count{engine="0",model_name="org/a"} 2.0
vllm:time_to_first_token_seconds_sum{engine="0",model_name="org/a"} 0.25
"""


@pytest.fixture
def service() -> Iterator[AnsweringServer]:
    with AnsweringServer() as server:
        yield server


def test_llamacpp_counts_cached_tokens_apart(service: AnsweringServer) -> None:
    """llama.cpp's prompt counter is without cached tokens; with them it is what `usage` says."""
    service.answers[METRICS] = Answer(LLAMACPP.encode())
    assert llamacpp_counters(service.origin) == TokenCounters(386 + 766, 24)


def test_an_older_llamacpp_has_no_cached_counter(service: AnsweringServer) -> None:
    """Without that counter the plain one is all there is."""
    older = "".join(line for line in LLAMACPP.splitlines(keepends=True) if "cached" not in line)
    service.answers[METRICS] = Answer(older.encode())
    assert llamacpp_counters(service.origin) == TokenCounters(386, 24)


def test_llamacpp_is_not_believed_where_it_rounds(service: AnsweringServer) -> None:
    """999999 is exact; a million and more has lost its last digits, so nothing is said."""
    for printed, expected in (
        ("999999", TokenCounters(999999 + 766, 24)),
        ("1e+06", None),
        ("1.23457e+06", None),
    ):
        service.answers[METRICS] = Answer(LLAMACPP.replace("386", printed).encode())
        assert llamacpp_counters(service.origin) == expected


def test_vllm_is_summed_over_its_engines(service: AnsweringServer) -> None:
    """Samples of all label sets are added, whatever their labels hold, and the key is sent along."""
    service.answers[METRICS] = Answer(VLLM.encode())
    assert vllm_counters(service.origin, KEY) == TokenCounters(1_234_567 + 33, 507)
    assert service.asked[0].headers["Authorization"] == f"Bearer {KEY}"


BAD: dict[str, Answer] = {
    "no such page": Answer(b"", 404),
    "an error": Answer(b"", 500),
    "JSON": Answer({"object": "list"}),
    "no UTF-8": Answer(b"\xff\xfe\n"),
    "empty": Answer(b""),
    "cut off": Answer(LLAMACPP[: LLAMACPP.index("predicted_total 2") + len("predicted_total 2")].encode()),
    "without the counters": Answer(b"# TYPE x counter\nx 1\n"),
    "thousands apart": Answer(LLAMACPP.replace("386", "1,386").encode()),
    "negative": Answer(LLAMACPP.replace("386", "-386").encode()),
    "a fraction": Answer(LLAMACPP.replace("386", "3.5").encode()),
    "not a number": Answer(LLAMACPP.replace("386", "NaN").encode()),
    "infinite": Answer(LLAMACPP.replace("386", "+Inf").encode()),
    "too large": Answer(b"#" * 5 * 2**20 + b"\n" + LLAMACPP.encode()),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_page_that_is_no_count(service: AnsweringServer, fault: str) -> None:
    """Whatever is wrong with the page, the counters are unknown and nothing is raised."""
    service.answers[METRICS] = BAD[fault]
    assert llamacpp_counters(service.origin) is None


def test_a_server_that_hangs_or_is_gone(service: AnsweringServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait is short, and neither a time-out nor a refused connection is raised."""
    monkeypatch.setattr(metrics, "METRICS_TIMEOUT_S", 0.3)
    service.answers[METRICS] = Answer(hangs=True)
    began = time.monotonic()
    assert vllm_counters(service.origin, None) is None
    assert time.monotonic() - began < 30
    assert llamacpp_counters("http://127.0.0.1:9") is None


DRIPPING = """
import socket, sys, time
with socket.create_server(("127.0.0.1", 0)) as listening:
    print(listening.getsockname()[1], flush=True)
    client, _ = listening.accept()
    client.recv(65536)
    client.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n")
    while True:
        client.sendall(b"#")
        time.sleep(0.05)
"""


def test_a_server_that_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that comes byte by byte without an end is given up at the time-out, though no wait is long."""
    monkeypatch.setattr(metrics, "METRICS_TIMEOUT_S", 0.5)
    with subprocess.Popen([sys.executable, "-c", DRIPPING], stdout=subprocess.PIPE) as dripping:
        try:
            assert dripping.stdout
            port = int(dripping.stdout.readline())
            began = time.monotonic()
            assert llamacpp_counters(f"http://127.0.0.1:{port}") is None
            assert time.monotonic() - began < 30
        finally:
            dripping.kill()


PIECES = (
    "llamacpp:x_total",
    "{",
    "}",
    'a="b"',
    '"',
    "\\",
    " ",
    "1",
    "1.5",
    "NaN",
    "\n",
    "# TYPE ",
    "# HELP ",
    ",",
    "=",
)


@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=20).map("".join)))
def test_no_text_breaks_the_parser(text: str) -> None:
    """Any text gives whole numbers that are not negative, or nothing."""
    counted = count(f"{text}\n")
    assert all(isinstance(value, int) and value >= 0 for value in counted.values())


@given(
    st.dictionaries(
        st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,20}", fullmatch=True), st.integers(0, 2**53), max_size=8
    )
)
def test_what_is_written_is_read(values: dict[str, int]) -> None:
    """Every counter of a well-formed page is found with its value."""
    assert count("".join(f"{name} {value}\n" for name, value in values.items()) + "\n") == values


def test_growth_is_unknown_when_a_side_is_or_the_server_was_restarted() -> None:
    """The difference of two counts; none where one is missing or the later one is smaller."""
    early, late = TokenCounters(10, 2), TokenCounters(15, 9)
    assert growth(early, late) == TokenCounters(5, 7)
    assert growth(early, early) == TokenCounters(0, 0)
    assert growth(late, early) is None
    assert growth(TokenCounters(0, 5), TokenCounters(9, 4)) is None
    assert growth(None, late) is None
    assert growth(early, None) is None


def ask(server: ModelServer) -> Any:
    body = {"model": server.served_model, "messages": [{"role": "user", "content": "Facts on Stripe"}]}
    request = urllib.request.Request(f"{server.base_url}/chat/completions", data=json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["usage"]


def test_the_scripted_server_counts_what_its_usage_says(tmp_path: Path) -> None:
    """Its counters grow by what each answer's usage says; stopped, it has neither counters nor processes."""
    server = open_server("scripted:instant", ServerOptions(tmp_path, timeout_s=20))
    server.start()
    try:
        before = server.counters()
        assert before == TokenCounters(0, 0)
        usages = [ask(server), ask(server)]
        assert growth(before, server.counters()) == TokenCounters(
            sum(usage["prompt_tokens"] for usage in usages),
            sum(usage["completion_tokens"] for usage in usages),
        )
        (pid,) = server.pids()
        assert Path(f"/proc/{pid}").exists() or sys.platform != "linux"
    finally:
        server.stop()
    assert server.counters() is None
    assert server.pids() == []


def test_servers_of_others_have_no_processes_and_only_vllm_has_counters(
    service: AnsweringServer, tmp_path: Path
) -> None:
    """An attached service's processes are not ours to look at; of openai and Ollama no totals are known."""
    service.answers[METRICS] = Answer(VLLM.encode())
    for setting, expected in (
        ("vllm:m", TokenCounters(1_234_600, 507)),
        ("openai:m", None),
        ("ollama:m", None),
    ):
        server = open_server(setting, ServerOptions(tmp_path, base_url=f"{service.origin}/v1"))
        assert server.counters() == expected
        assert server.pids() == []


def test_a_process_of_ours_that_died_has_no_pid(tmp_path: Path) -> None:
    """Before the start and after the end of the process there is none to measure."""
    process = OwnProcess([sys.executable, "-c", "print('{}', flush=True)"], tmp_path / "log")
    assert process.pids() == []
    process.start({}, 20)
    deadline = time.monotonic() + 10
    while process.pids() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert process.pids() == []
    process.stop()
