"""The gateway as a real process: what passes it unchanged, what it refuses, what its report holds."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cluster.gateway.process import Lease
from shared.errors import NodeFailed
from shared.tasks.toolbox import DEFAULT, Toolbox
from tests.unit import upstream
from tests.unit.running_gateway import KEY, RunningGateway, chat, post

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_a_call_is_passed_on_unchanged_and_recorded(gateway: RunningGateway, lease: Lease) -> None:
    """The answer reaches the client byte for byte; the record has the request, tokens, times in order."""
    before = time.monotonic()
    got = chat(lease, temperature=0, seed=7)
    assert (got.status, json.loads(got.body)) == (200, upstream.ANSWER)
    report = gateway.close(lease)
    (call,) = report.calls
    assert call.request == gateway.server.bodies[0]
    assert call.request == {"model": "m", "messages": [], "temperature": 0, "seed": 7}
    assert (call.prompt_tokens, call.completion_tokens, call.cached_tokens) == (7, 3, 2)
    assert (call.status, call.finish_reason, call.error, call.sequence) == (200, "stop", None, 1)
    assert call.forwarded_s is not None
    assert call.first_byte_s is not None
    assert call.delivered_s is not None
    assert 0 <= call.arrived_s <= call.forwarded_s <= call.first_byte_s <= call.last_byte_s
    assert call.last_byte_s <= call.delivered_s < 10
    assert report.opened_at_s <= before <= report.opened_at_s + call.arrived_s <= time.monotonic()


def test_the_clients_key_never_reaches_the_server(gateway: RunningGateway, lease: Lease) -> None:
    """Only the gateway's own key goes upstream."""
    chat(lease)
    assert gateway.server.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_a_client_is_known_by_its_own_name(gateway: RunningGateway, lease: Lease) -> None:
    """The User-Agent is recorded, without what does not print and no longer than 200 characters."""
    for name in ("OpenAI/Python 3.54", "x" * 500, "a\tb"):
        post(f"{lease.base_url}/chat/completions", {}, User_Agent=name)
    clients = [call.client for call in gateway.close(lease).calls]
    assert clients == ["OpenAI/Python 3.54", "x" * 200, "ab"]


def test_calls_are_spans_of_the_runs_trace(gateway: RunningGateway) -> None:
    """With a trace each call has an id of its own, which the server gets too; without one there is none."""
    with gateway.lease(
        traceparent=f"00-{TRACE}-00f067aa0ba902b7-01", toolbox=Toolbox(module=DEFAULT, data={"topics": {}})
    ) as traced:
        chat(traced)
        chat(traced)
        post(f"{traced.tools_url}/search", {"query": "x"})
        calls = gateway.close(traced).calls
    ids = [call.span_id for call in calls]
    assert len(set(ids)) == 3
    assert all(id_ and len(id_) == 16 and int(id_, 16) for id_ in ids)
    told = [headers.get("traceparent") for headers in gateway.server.headers]
    assert told == [f"00-{TRACE}-{id_}-01" for id_ in ids[:2]]
    gateway.server.reset()
    with gateway.lease() as plain:
        chat(plain)
        assert gateway.close(plain).calls[0].span_id is None
    assert "traceparent" not in gateway.server.headers[0]


def test_the_servers_own_clock_is_recorded(gateway: RunningGateway, lease: Lease) -> None:
    """llama.cpp's timings, in milliseconds, become seconds; a server that says nothing gives nothing."""
    timings = {"prompt_n": 7, "prompt_ms": 12.5, "predicted_ms": 250}
    gateway.server.behave = upstream.raw(json.dumps({**upstream.ANSWER, "timings": timings}).encode())
    chat(lease)
    gateway.server.behave = upstream.plain
    chat(lease)
    told, silent = gateway.close(lease).calls
    assert told.server
    assert (told.server.queue_s, told.server.prefill_s, told.server.decode_s) == (None, 0.0125, 0.25)
    assert silent.server is None


def test_embeddings_are_passed_on_and_counted(gateway: RunningGateway, lease: Lease) -> None:
    """Embeddings have a prompt and no completion."""
    vectors = {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -1.25]}],
        "usage": {"prompt_tokens": 4, "total_tokens": 4},
    }
    gateway.server.behave = upstream.raw(json.dumps(vectors).encode())
    got = post(f"{lease.base_url}/embeddings", {"model": "m", "input": ["a"]})
    assert (got.status, json.loads(got.body)) == (200, vectors)
    (call,) = gateway.close(lease).calls
    assert (call.path, call.prompt_tokens, call.completion_tokens, call.error) == (
        "/v1/embeddings",
        4,
        None,
        None,
    )


def test_one_run_at_a_time(gateway: RunningGateway, lease: Lease) -> None:
    """While a run holds the node, nobody else gets a lease."""
    for kind in ("run", "judge", "probe"):
        with pytest.raises(NodeFailed, match="taken by r"):
            gateway.open(run_id="other", kind=kind)


def test_two_clients_on_one_lease_are_served_at_once(gateway: RunningGateway, lease: Lease) -> None:
    """Requests that meet at the server are answered, told apart, and counted once each."""
    meet = threading.Barrier(4, timeout=10)

    async def together(request: Any) -> Any:
        import asyncio

        await asyncio.to_thread(meet.wait)
        return await upstream.plain(request)

    gateway.server.behave = together
    with ThreadPoolExecutor(4) as clients:
        got = list(clients.map(lambda number: chat(lease, seed=number), range(4)))
    assert [answer.status for answer in got] == [200] * 4
    calls = gateway.close(lease).calls
    assert [call.sequence for call in calls] == [1, 2, 3, 4]
    assert {call.request["seed"] for call in calls} == {0, 1, 2, 3}
    assert max(call.arrived_s for call in calls) < min(call.last_byte_s for call in calls)
    assert [call.retry_of for call in calls] == [None] * 4


def test_a_wrong_token_is_refused_and_counted(gateway: RunningGateway, lease: Lease) -> None:
    """A guess never reaches the model and contaminates nothing; its count is in the report."""
    guess = lease.base_url.replace(lease.token, "guess")
    status, body, _ = post(f"{guess}/chat/completions", {})
    assert status == 403
    assert json.loads(body)["error"]["code"] == "lease_unknown"
    report = gateway.close(lease)
    assert (report.stray_calls, report.contaminated, report.contaminated_by) == (1, False, [])
    assert gateway.server.bodies == []


@pytest.mark.parametrize("kind", ["run", "probe"])
def test_a_call_of_an_ended_run_contaminates_both(gateway: RunningGateway, kind: str) -> None:
    """A run that goes on after its end is refused; the run it disturbed names it, once."""
    with gateway.lease(run_id="first", attempt_id="a1", kind=kind) as first:
        gateway.close(first)
    with gateway.lease(run_id="second", attempt_id="a2") as second:
        for _ in range(2):
            status, body, _ = chat(first)
            assert (status, json.loads(body)["error"]["code"]) == (403, "lease_closed")
        post(f"{first.tools_url}/search", {})
        report = gateway.close(second)
    assert (report.contaminated, report.contaminated_by, report.stray_calls) == (True, ["a1"], 3)
    assert gateway.server.bodies == []


def test_a_late_verdict_disturbs_nobody(gateway: RunningGateway) -> None:
    """A judge's call after its lease is refused, and contaminates no run."""
    with gateway.lease(kind="judge") as judging:
        gateway.close(judging)
    with gateway.lease() as lease:
        assert chat(judging).status == 403
        assert not gateway.close(lease).contaminated


def test_deadline_and_budgets(gateway: RunningGateway) -> None:
    """Past its deadline or a budget a run is refused with a status that clients do not retry."""
    limits: list[tuple[dict[str, Any], int, str]] = [
        ({"deadline_s": 0.001}, 0, "lease_expired"),
        ({"max_model_calls": 1}, 1, "budget_exceeded"),
        ({"max_completion_tokens": 3}, 1, "budget_exceeded"),
    ]
    for limit, served, code in limits:
        gateway.server.reset()
        with gateway.lease(**limit) as lease:
            time.sleep(0.01)
            for _ in range(served):
                assert chat(lease).status == 200
            status, body, _ = chat(lease)
            assert (status, json.loads(body)["error"]["code"]) == (403, code)
            assert len(gateway.server.bodies) == served
            report = gateway.close(lease)
        assert bool(report.budget_exceeded) == (code == "budget_exceeded")


def test_a_retry_is_told_from_another_call(gateway: RunningGateway, lease: Lease) -> None:
    """What fails and comes again is a retry, by its body or by the client's word; it uses up the budget too."""
    gateway.server.behave = upstream.one_after_another(
        upstream.status(500), upstream.status(503), upstream.plain
    )
    for _ in range(3):
        chat(lease, seed=1)
    chat(lease, seed=2)
    chat(lease, seed=1)  # the same again after it was answered is another call
    post(f"{lease.base_url}/chat/completions", {"seed": 2}, x_stainless_retry_count="0")
    post(f"{lease.base_url}/chat/completions", {"seed": 2}, x_stainless_retry_count="1")
    calls = gateway.close(lease).calls
    assert [call.status for call in calls] == [500, 503, 200, 200, 200, 200, 200]
    assert [call.retry_of for call in calls] == [None, 1, 2, None, 2, None, 6]
    with gateway.lease(max_model_calls=2) as short:
        gateway.server.behave = upstream.status(500)
        assert [chat(short).status for _ in range(3)] == [500, 500, 403]


def test_tools_are_served_and_journalled(gateway: RunningGateway) -> None:
    """A tool answers from the data its run was given; mistakes get a text that helps."""
    data = {"subject": "Stripe", "as_of": "2025-01-01", "topics": {}}
    with gateway.lease(toolbox=Toolbox(module=DEFAULT, data=data)) as lease:
        status, answer, _ = post(f"{lease.tools_url}/search", {"query": "overview"})
        assert status == 200
        assert answer
        wrong = post(f"{lease.tools_url}/serach", {})
        assert (wrong.status, wrong.body) == (404, b"There is no tool 'serach'. Tools: search.")
        assert post(f"{lease.tools_url}/search", b"{nonsense").status == 400
        calls = gateway.close(lease).calls
    assert [(call.kind, call.status) for call in calls] == [("tool", 200), ("tool", 404), ("tool", 400)]
    assert [call.request for call in calls] == [{"query": "overview"}, {}, "{nonsense"]
    assert all(call.delivered_s is not None and call.delivered_s >= call.last_byte_s for call in calls)


def test_a_tool_that_fails_is_ours(gateway: RunningGateway) -> None:
    """Tool data that the tool cannot use is a recorded 500, and the gateway goes on."""
    with gateway.lease(toolbox=Toolbox(module=DEFAULT, data="no such thing")) as lease:
        assert post(f"{lease.tools_url}/search", {"query": "x"}).status == 500
        (call,) = gateway.close(lease).calls
    assert (call.status, call.error) == (500, "The tool failed: TypeError.")
    assert gateway.serves_the_next_run()


def test_a_judge_may_call_in_parallel(gateway: RunningGateway) -> None:
    """A judge's lease works like a run's, and its calls are kept apart from runs'."""
    with gateway.lease(run_id="judge", kind="judge") as lease:
        assert chat(lease).status == 200
        assert gateway.process.status().run_id == "judge"
        assert len(gateway.close(lease).calls) == 1
    assert gateway.process.status().run_id is None


def test_other_paths_are_closed(lease: Lease) -> None:
    """Only the model's own endpoints are passed on, and there is no way to administer it from outside."""
    assert post(f"{lease.base_url}/files", {}).status == 404
    origin = lease.base_url.partition("/runs")[0]
    assert post(f"{origin}/admin/leases", {}).status == 404
