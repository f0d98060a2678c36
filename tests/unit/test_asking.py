"""A model that plays somebody in a tool: asked through a real gateway, and in no figure of the framework's."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiohttp import web

from cluster.experiment import describe_experiment, job_of
from cluster.gateway.lease import Player
from cluster.gateway.process import Lease
from cluster.leased_run import _lease_request, _without_asked
from cluster.run_outcome import Wire
from cluster.run_record import _traffic
from cluster.schedule import Assignment
from cluster.servers.interface import TokenCounters
from shared.calls import Asked, Call
from shared.errors import NodeFailed
from shared.plan import Plan, TaskPlan
from shared.records import RunKey
from shared.settings import BenchmarkSettings
from shared.tasks.load_task import load_task
from shared.tasks.support.customer import LEFT
from shared.tasks.toolbox import DEFAULT, Toolbox
from tests.unit import upstream
from tests.unit.running_gateway import KEY, Got, RunningGateway, chat, post

pytestmark = pytest.mark.timeout(60)
TOOLBOX = load_task("support_conversation").toolbox("refund_due")
PLAYER = Player(model="the-model", seed=11)


def answers(content: Any, finish: str = "stop", **usage: int) -> upstream.Behaviour:
    """A chat completion with this content."""

    async def behave(_request: web.Request) -> web.StreamResponse:
        choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
        counted = {"prompt_tokens": 300, "completion_tokens": 9} | usage
        return web.json_response({"object": "chat.completion", "choices": [choice], "usage": counted})

    return behave


@contextmanager
def played(gateway: RunningGateway, **changes: Any) -> Iterator[Lease]:
    with gateway.lease(**{"toolbox": TOOLBOX, "player": PLAYER} | changes) as lease:
        yield lease


def write(lease: Lease, message: str = "What is your postcode?", timeout: float = 20) -> Got:
    return post(f"{lease.tools_url}/reply_to_customer", {"message": message}, timeout=timeout)


def test_the_model_is_asked_by_the_gateway(gateway: RunningGateway) -> None:
    """The same model server, with the gateway's key, at temperature 0, with the plan's seed and few tokens."""
    gateway.server.behave = answers("It is 4051.")
    with played(gateway) as lease:
        assert (write(lease).status, write(lease).body) == (200, b"It is 4051.")
    body = gateway.server.bodies[1]
    assert {name: body[name] for name in body if name != "messages"} == {
        "model": "the-model", "temperature": 0, "seed": 11, "max_tokens": 600,
    }  # fmt: skip
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "user"]
    assert gateway.server.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_no_figure_of_the_framework_changes(gateway: RunningGateway) -> None:
    """Two runs alike but for who plays the customer have the same calls, tokens, budgets and status."""
    figures = []
    for toolbox, player in ((TOOLBOX, PLAYER), (load_task("support").toolbox("refund_due"), None)):
        gateway.server.behave = upstream.plain
        with gateway.lease(
            toolbox=toolbox, player=player, max_model_calls=2, max_completion_tokens=6
        ) as lease:
            assert chat(lease).status == 200
            for _ in range(3):
                assert write(lease).status == 200
            assert chat(lease).status == 200
            status = gateway.process.status()
            assert chat(lease).status == 403
            report = gateway.close(lease)
        assert [bool(call.asked) for call in report.calls] == [False, *[player is not None] * 3, False]
        alike = _traffic(report.calls) | {
            "slowest_call_tokens_per_s": None,
            "fastest_call_tokens_per_s": None,
        }
        figures.append(
            (
                alike,
                report.budget_exceeded,
                status.model_calls,
                status.prompt_tokens,
                status.completion_tokens,
            )
        )
    assert figures[0] == figures[1]
    assert figures[0][0]["prompt_tokens"] == 14
    assert (figures[0][0]["model_calls"], figures[0][0]["tool_calls"]) == (2, 3)


def test_what_it_took_is_in_the_tool_calls_record(gateway: RunningGateway) -> None:
    """Words, tokens and seconds stand with the call, on disk as in the report; calls that asked nobody have none."""
    gateway.server.behave = answers("It is 4051. [END]")
    with played(gateway) as lease:
        assert write(lease).body.decode() == f"It is 4051. {LEFT}"
        assert write(lease).body.decode() == LEFT
        on_disk = [Call.model_validate_json(line) for line in lease.journal.read_text().splitlines()]
        asked, left = gateway.close(lease).calls
    assert [call.asked for call in on_disk] == [asked.asked, []]
    (found,) = asked.asked
    assert (found.said, found.prompt_tokens, found.completion_tokens) == ("It is 4051. [END]", 300, 9)
    assert 0 < found.seconds <= asked.last_byte_s - asked.arrived_s
    assert (asked.prompt_tokens, asked.completion_tokens, left.asked) == (None, None, [])


def test_the_servers_own_count_is_set_off() -> None:
    """Of what the server counted, the tokens for the customer come off; a count that is too small says nothing."""
    about = {"kind": "tool", "path": "/tools/t", "arrived_s": 0, "last_byte_s": 1, "status": 200}
    asked = [Asked(said="a", prompt_tokens=300, completion_tokens=9, seconds=1)]
    calls = [Call(sequence=1, asked=asked, **about), Call(sequence=2, asked=asked, **about)]
    assert _without_asked(TokenCounters(614, 21), calls) == TokenCounters(14, 3)
    assert _without_asked(TokenCounters(599, 21), calls) is None
    assert _without_asked(None, calls) is None
    assert _without_asked(TokenCounters(14, 3), [calls[0].model_copy(update={"asked": []})]) == TokenCounters(
        14, 3
    )


@pytest.mark.parametrize(("task", "plays"), [("support", False), ("support_conversation", True)])
def test_a_run_of_a_played_task_has_a_player(task: str, plays: bool) -> None:
    """The lease names the served model and the plan's seed, and only where the task asks for it."""
    plan = Plan(name="p", frameworks=["direct"], seed=11, tasks=[TaskPlan(name=task, items=["refund_due"])])
    key = RunKey(framework="direct", arm="idiomatic", task=task, item="refund_due", iteration=1)
    experiment = describe_experiment(plan, BenchmarkSettings(llm_model="scripted:instant", judge_model=None))
    wanted = _lease_request(job_of(experiment, Assignment(key, 1, 1), "a"), "the-model")
    assert wanted.player == (PLAYER if plays else None)


@pytest.mark.parametrize("content", [None, 5, ["a"], {}])
def test_an_answer_without_words_is_silence(gateway: RunningGateway, content: Any) -> None:
    """What a server may put where the text belongs is no fault of ours."""
    gateway.server.behave = answers(content)
    with played(gateway) as lease:
        assert (write(lease).status, write(lease).body) == (200, b"(The customer says nothing.)")


def test_an_endless_answer_is_cut(gateway: RunningGateway) -> None:
    """A server that keeps to no limit cannot fill the agents' context."""
    gateway.server.behave = answers("word " * 100_000)
    with played(gateway) as lease:
        assert 900 < len(write(lease).body) <= 1000


def test_a_server_that_repeats_its_key_does_not_tell_it(gateway: RunningGateway) -> None:
    """The key is in neither the customer's words nor the record."""
    gateway.server.behave = answers(f"I know {KEY}.")
    with played(gateway) as lease:
        assert write(lease).body == b"I know <key>."
        assert KEY not in lease.journal.read_text()


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        (upstream.status(500), "answered 500: planted"),
        (upstream.status(400), "answered 400: planted"),
        (upstream.raw(b"no json"), "not JSON"),
        (upstream.stream([upstream.DELTA, upstream.END]), "not JSON"),
    ],
)
def test_a_failing_server_is_ours(gateway: RunningGateway, behaviour: upstream.Behaviour, why: str) -> None:
    """The call is answered with a fault of ours, which decides the run's status, and the customer heard nothing."""
    with played(gateway) as lease:
        gateway.server.behave = behaviour
        assert write(lease).status == 502
        gateway.server.behave = answers("It is 4051.")
        assert write(lease).body == b"It is 4051."
        calls = gateway.close(lease).calls
    assert why in (Wire(calls).tool_failure or "")
    assert len(gateway.server.bodies[1]["messages"]) == 2


def test_a_server_that_hangs_is_bounded(gateway: RunningGateway) -> None:
    """The call's own time-out ends the waiting."""
    gateway.server.behave = upstream.hang
    with played(gateway, request_timeout_s=0.3) as lease:
        got = write(lease)
    assert got.status == 502
    assert b"did not answer within 0.3 s" in got.body


def test_waiting_for_a_rate_limit_is_no_time_of_the_tool(gateway: RunningGateway) -> None:
    """A service that is asked too often is waited for, and the record says how long."""
    gateway.server.behave = upstream.one_after_another(
        upstream.status(429, **{"Retry-After": "0.2"}), answers("It is 4051.")
    )
    with played(gateway) as lease:
        assert write(lease).status == 200
        (call,) = gateway.close(lease).calls
    assert call.rate_limited == 1
    assert 0.2 <= call.rate_limited_s < call.last_byte_s
    assert call.asked[0].seconds < call.last_byte_s - call.arrived_s - 0.19


def test_a_run_that_ends_in_the_customers_turn(gateway: RunningGateway) -> None:
    """Closing the lease gives the question up: the server sees the client go, and the next run is served."""
    gateway.server.behave = upstream.hang
    call = _ended_in_the_customers_turn(gateway)
    assert gateway.server.gone.wait(10)
    assert (call.status, call.asked) == (499, [])
    assert gateway.serves_the_next_run()


def test_a_run_that_ends_in_a_wait_for_a_busy_service(gateway: RunningGateway) -> None:
    """What the customer's question waited for a 429 is on record: it is no time of the framework's."""
    gateway.server.behave = upstream.status(429, **{"Retry-After": "8"})
    call = _ended_in_the_customers_turn(gateway, after_s=0.3)
    assert (call.status, call.rate_limited) == (499, 1)
    assert 0.2 < call.rate_limited_s <= call.last_byte_s - call.arrived_s


def test_a_model_that_only_thinks(gateway: RunningGateway) -> None:
    """Tokens that are used up before a word are a failure of ours that says so, and no silent customer."""
    gateway.server.behave = answers("", finish="length")
    with played(gateway) as lease:
        got = write(lease)
    assert (got.status, b"had not said a word" in got.body) == (502, True)


def test_a_client_that_hangs_up_in_the_customers_turn(gateway: RunningGateway) -> None:
    """The question is given up with it, so that the run's next call finds the tools free."""
    gateway.server.behave = upstream.hang
    with played(gateway) as lease:
        with pytest.raises(TimeoutError):
            write(lease, timeout=0.5)
        assert gateway.server.gone.wait(10)
        gateway.server.behave = answers("It is 4051.")
        assert write(lease).body == b"It is 4051."
        first, second = gateway.close(lease).calls
    assert (first.status, second.status) == (499, 200)


def test_a_replay_says_it_again(gateway: RunningGateway) -> None:
    """Recorded words come in order without a server; one too many is ours, and says why."""
    recorded = [Asked(said=said, prompt_tokens=1, seconds=60) for said in ("It is 4051.", "When?")]
    player = PLAYER.model_copy(update={"recorded": recorded})
    with played(gateway, player=player, replay=[]) as lease:
        assert [write(lease).body for _ in range(2)] == [b"It is 4051.", b"When?"]
        got = write(lease)
        calls = gateway.close(lease).calls
    assert (got.status, b"no answer left" in got.body) == (502, True)
    assert [call.asked for call in calls] == [[recorded[0]], [recorded[1]], []]
    assert gateway.server.bodies == []


def test_nobody_to_ask(gateway: RunningGateway) -> None:
    """A lease whose people nobody plays is refused, and the node is free again."""
    with pytest.raises(NodeFailed, match="there is none to ask"), gateway.lease(toolbox=TOOLBOX):
        pass
    assert gateway.serves_the_next_run()


def test_a_player_that_nobody_asks(gateway: RunningGateway) -> None:
    """Tools without people never ask."""
    data = {"subject": "Stripe", "topics": {}}
    with played(gateway, toolbox=Toolbox(module=DEFAULT, data=data)) as lease:
        assert post(f"{lease.tools_url}/search", {"query": "x"}).status == 200
        assert gateway.close(lease).calls[0].asked == []
    assert gateway.server.bodies == []


def _ended_in_the_customers_turn(gateway: RunningGateway, after_s: float = 0.0) -> Call:
    """The tool call of a run whose lease is closed so long after the model server was asked."""
    with played(gateway) as lease:
        client = threading.Thread(target=_cut_off, args=(lease,), daemon=True)
        client.start()
        deadline = time.monotonic() + 10
        while not gateway.server.bodies and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(after_s)
        (call,) = gateway.close(lease).calls
    client.join(10)
    return call


def _cut_off(lease: Lease) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):
        write(lease)
