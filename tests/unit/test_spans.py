"""A finished attempt as a trace: whole, in order, with the times that were measured, in the standard's words."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.trace import SpanKind, StatusCode

from cluster.spans.attempt import spans_of
from cluster.spans.otlp import otlp_line
from cluster.spans.scene import Scene
from shared.calls import Asked, Call, ServerTimings
from shared.latency import take_apart, take_apart_by_agent
from shared.records import Boot, RunRecord, Status
from shared.trace import new_trace
from tests.unit.stored_records import begun, run

SCENE = Scene("demo-1", "0.1.0", "llamacpp", content=False)
TRACE = new_trace()
BOOT = Boot(process_s=1.0, import_s=2.0, versions={}, python="3.11")
STARTED_NS = 1_767_323_045_250_000_000
"""2026-01-02T03:04:05.25 UTC."""
ASKED = {"model": "smollm2", "temperature": 0, "seed": 7, "max_tokens": 200, "messages": []}
SAID = {"id": "c-1", "model": "smollm2-135m", "choices": []}


def call(sequence: int, start: float, end: float, **fields: Any) -> Call:
    values: dict[str, Any] = {
        "sequence": sequence, "kind": "model", "path": "/v1/chat/completions", "agent": "researcher",
        "arrived_s": start, "forwarded_s": start, "last_byte_s": end, "status": 200, "request": ASKED,
        "response": SAID, "prompt_tokens": 100, "completion_tokens": 20, "finish_reason": "stop",
    }  # fmt: skip
    return Call(**values | fields)


def tool_call(sequence: int, start: float, end: float, **fields: Any) -> Call:
    values: dict[str, Any] = {
        "sequence": sequence, "kind": "tool", "path": "/tools/search", "agent": "researcher", "arrived_s": start,
        "last_byte_s": end, "status": 200, "request": {"query": "news"}, "response": "- a fact",
    }  # fmt: skip
    return Call(**values | fields)


CALLS = [
    call(1, 0.5, 1.5, server=ServerTimings(prefill_s=0.25, decode_s=0.5), delivered_s=1.625),
    tool_call(2, 1.75, 1.875),
    call(3, 2.0, 3.0),
    call(4, 3.25, 4.25, agent="writer"),
    call(5, 4.5, 4.75, agent=None),
]


def record(**fields: Any) -> RunRecord:
    values: dict[str, Any] = {
        "started_at": "2026-01-02T03:04:05.250000+00:00", "started_s": 0.25, "latency_s": 5.0,
        "trace_id": TRACE.trace_id, "boot": BOOT,
        "parts": take_apart(CALLS, 0.25, 5.25), "agent_parts": take_apart_by_agent(CALLS, 0.25, 5.25),
    }  # fmt: skip
    return run("langgraph", **values | fields)


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def named(spans: list[ReadableSpan], name: str) -> ReadableSpan:
    [found] = [span for span in spans if span.name == name]
    return found


def parent_id(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


def seconds(span: ReadableSpan) -> tuple[float, float]:
    """Since the lease was opened."""
    assert span.start_time is not None
    assert span.end_time is not None
    return (span.start_time - STARTED_NS) / 1e9, (span.end_time - STARTED_NS) / 1e9


def tree(spans: list[ReadableSpan], parent: int | None = None, depth: int = 0) -> list[str]:
    lines = []
    for span in spans:
        if parent_id(span) == parent:
            lines += ["  " * depth + span.name, *tree(spans, span.context.span_id, depth + 1)]
    return lines


def test_a_run_by_hand() -> None:
    """Run, agents, model and tool calls, the framework's own call beside the agents, and the boot apart."""
    spans = spans_of(record(), CALLS, SCENE)
    assert tree(spans) == [
        "levelfield.run",
        "  invoke_agent researcher",
        "    chat smollm2",
        "    execute_tool search",
        "    chat smollm2",
        "  invoke_agent writer",
        "    chat smollm2",
        "  chat smollm2",
        "levelfield.boot",
    ]


def test_times_are_the_measured_ones() -> None:
    """On the wall clock, from the lease's opening: latency, calls to their delivery, agents without a gap."""
    spans = spans_of(record(), CALLS, SCENE)
    assert seconds(named(spans, "levelfield.run")) == (0.25, 5.25)
    assert seconds(named(spans, "invoke_agent researcher")) == (0.25, 3.0)
    assert seconds(named(spans, "invoke_agent writer")) == (3.0, 5.25)
    assert seconds(named(spans, "execute_tool search")) == (1.75, 1.875)
    assert [seconds(span) for span in spans if span.name.startswith("chat")] == [
        (0.5, 1.625), (2.0, 3.0), (3.25, 4.25), (4.5, 4.75),
    ]  # fmt: skip


def test_what_a_tool_asked_the_model_stands_with_the_tool() -> None:
    """Under names of ours: no viewer adds it to the framework's tokens."""
    asked = [
        Asked(said="a", prompt_tokens=30, completion_tokens=5, seconds=0.5),
        Asked(said="b", seconds=0.25),
    ]
    spans = spans_of(record(), [CALLS[0], tool_call(2, 1.75, 2.75, asked=asked)], SCENE)
    found = attributes(named(spans, "execute_tool search"))
    assert {name: value for name, value in found.items() if "asked" in name} == {
        "levelfield.asked": 2, "levelfield.asked_prompt_tokens": 30, "levelfield.asked_completion_tokens": 5,
        "levelfield.asked_s": 0.75,
    }  # fmt: skip
    assert not any(name.startswith("gen_ai.usage") for name in found)
    assert not any("asked" in name for name in attributes(named(spans, "chat smollm2")))


def test_the_boot_is_a_trace_of_its_own_that_the_run_links_to() -> None:
    """So that no viewer takes it for a part of the run's latency."""
    spans = spans_of(record(), CALLS, SCENE)
    boot, root = named(spans, "levelfield.boot"), named(spans, "levelfield.run")
    assert seconds(boot) == (-3.0, 0.0)
    assert [(event.name, event.timestamp) for event in boot.events] == [
        ("levelfield.import", STARTED_NS - 2_000_000_000)
    ]
    assert boot.context.trace_id != root.context.trace_id
    assert [link.context for link in root.links] == [boot.context]
    assert attributes(boot)["levelfield.run_id"] == "t.x.1.idiomatic.langgraph"


def test_the_root_is_the_span_that_the_driver_handed_out() -> None:
    """What the gateway and the framework were given as their parent is the run's span in the trace."""
    root = named(spans_of(record(), CALLS, SCENE), "levelfield.run")
    assert root.context.trace_id == int(TRACE.trace_id, 16)
    assert root.context.span_id == int(TRACE.span_id, 16)


def test_a_call_has_the_id_that_the_gateway_sent_on() -> None:
    """Its id in the trace is the one that the model server was sent, where the gateway gave one."""
    spans = spans_of(
        record(), [call(1, 0, 1, span_id="00f067aa0ba902b7"), call(2, 1, 2, span_id="no id")], SCENE
    )
    first, second = (span for span in spans if span.name.startswith("chat"))
    assert first.context.span_id == 0x00F067AA0BA902B7
    assert second.context.span_id != 0


def test_a_model_calls_attributes() -> None:
    """By the convention for inference: client, provider, parameters, tokens, reasons; and our parts of its time."""
    asked = {
        "model": "m", "temperature": 0.5, "top_p": 1, "seed": 7, "max_completion_tokens": 9, "stop": "END",
        "frequency_penalty": 0.1, "presence_penalty": 0, "n": 2,
    }  # fmt: skip
    only = call(
        1, 1.0, 3.0, request=asked, response=[{"id": "c-1", "model": "real"}], streamed=True, first_byte_s=1.5,
        first_token_s=2.0, cached_tokens=64, finish_reason="length", client="OpenAI/Python 3.54", retry_of=None,
    )  # fmt: skip
    span = named(spans_of(record(), [only], SCENE), "chat m")
    assert span.kind is SpanKind.CLIENT
    found = attributes(span)
    assert {name: value for name, value in found.items() if name.startswith("gen_ai.")} == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "llamacpp",
        "gen_ai.agent.name": "researcher",
        "gen_ai.request.model": "m",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 1.0,
        "gen_ai.request.seed": 7,
        "gen_ai.request.max_tokens": 9,
        "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.request.frequency_penalty": 0.1,
        "gen_ai.request.presence_penalty": 0.0,
        "gen_ai.request.choice.count": 2,
        "gen_ai.request.stream": True,
        "gen_ai.response.id": "c-1",
        "gen_ai.response.model": "real",
        "gen_ai.response.finish_reasons": ["length"],
        "gen_ai.response.time_to_first_chunk": 0.5,
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 64,
    }
    assert found["user_agent.original"] == "OpenAI/Python 3.54"
    assert (found["levelfield.prefill_s"], found["levelfield.decode_s"]) == (1.0, 1.0)
    assert "server.address" not in found
    assert "error.type" not in found


@pytest.mark.parametrize(
    ("path", "name"),
    [("/v1/responses", "chat smollm2"), ("/v1/embeddings", "embeddings smollm2")],
)
def test_other_paths_are_other_operations(path: str, name: str) -> None:
    """The operation follows from the path."""
    assert named(spans_of(record(), [call(1, 1, 2, path=path)], SCENE), name)


def test_a_run_says_what_it_was() -> None:
    """The root names the run, the attempt and how it ended, and repeats the report's figures."""
    found = attributes(
        named(spans_of(record(retried_calls=1, limits_hit=["a"]), CALLS, SCENE), "levelfield.run")
    )
    assert found["gen_ai.operation.name"] == "invoke_workflow"
    assert {name.removeprefix("levelfield."): value for name, value in found.items() if "levelfield" in name} == {
        "run_id": "t.x.1.idiomatic.langgraph", "attempt": 1, "attempt_id": "langgraph1",
        "framework": "langgraph", "arm": "idiomatic", "task": "t", "item": "x", "iteration": 1,
        "status": "completed", "position": 0, "node": "n", "latency_s": 5.0, "prompt_tokens": 1000,
        "completion_tokens": 500, "model_calls": 3, "tool_calls": 0, "retried_calls": 1, "stray_calls": 0,
        "limits_hit": ["a"],
        **{name: value for name, value in record().parts.model_dump().items() if value},
    }  # fmt: skip


def test_a_tool_calls_attributes() -> None:
    """By the convention for tools, without the arguments."""
    span = named(spans_of(record(), CALLS, SCENE), "execute_tool search")
    assert span.kind is SpanKind.INTERNAL
    found = attributes(span)
    assert (found["gen_ai.operation.name"], found["gen_ai.tool.name"]) == ("execute_tool", "search")
    assert found["levelfield.tool_s"] == 0.125
    assert "news" not in str(found)


def test_an_agents_step_repeats_its_parts() -> None:
    """A step is as long as the report says that the agent took, and holds the same parts."""
    spans = spans_of(record(), CALLS[:4], SCENE)
    found = attributes(named(spans, "invoke_agent researcher"))
    parts = record().agent_parts["researcher"]
    start, end = seconds(named(spans, "invoke_agent researcher"))
    assert end - start == pytest.approx(parts.total_s)
    assert found["levelfield.framework_s"] == parts.framework_s
    assert found["gen_ai.agent.name"] == "researcher"


def test_an_agent_that_comes_twice_has_two_steps() -> None:
    """Calls of another agent in between end a step; the framework's own do not."""
    calls = [call(n, n, n + 0.5, agent=agent) for n, agent in enumerate(["a", None, "a", "b", "a"], start=1)]
    assert [line for line in tree(spans_of(record(boot=None), calls, SCENE)) if "invoke_agent" in line] == [
        "  invoke_agent a", "  invoke_agent b", "  invoke_agent a",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (Status.FRAMEWORK_ERROR, "openai.BadRequestError: model said PLANTED", "openai.BadRequestError"),
        (Status.LIMIT_REACHED, "the run's budget of 12 model calls is used up", "limit_reached"),
        (Status.MODEL_ERROR, "Model call 2: HTTP 500: PLANTED", "model_error"),
        (Status.TIMEOUT, "Still running at the run's deadline (limits.run_timeout_s).", "timeout"),
        (Status.CONTAMINATED, None, "contaminated"),
        (Status.INFRASTRUCTURE_ERROR, "RayActorError: PLANTED", "RayActorError"),
    ],
)
def test_every_failure_is_an_error(status: Status, error: str | None, kind: str) -> None:
    """With the exception's class or else the status as its type, and no word of the message."""
    failed = record(status=status, error=error, latency_s=None, parts=None, agent_parts={})
    spans = spans_of(failed, CALLS, SCENE)
    root = named(spans, "levelfield.run")
    assert root.status.status_code is StatusCode.ERROR
    assert attributes(root)["error.type"] == root.status.description == kind
    assert attributes(root)["levelfield.status"] == status.value
    assert "PLANTED" not in otlp_line(spans)
    assert len(tree(spans)) == 9


def test_a_completed_run_is_ok() -> None:
    """And its calls, which say nothing of themselves, are left unset."""
    spans = spans_of(record(), CALLS, SCENE)
    assert named(spans, "levelfield.run").status.status_code is StatusCode.OK
    assert {span.status.status_code for span in spans[1:]} == {StatusCode.UNSET}


def test_failed_calls_retries_and_refusals() -> None:
    """A failed call has its HTTP status as its type; its repeat links back to it; a refusal is an event."""
    calls = [
        call(1, 1, 2, status=500, error="PLANTED"),
        call(2, 2, 3, retry_of=1),
        call(3, 3, 3.5, status=403, error="over budget", forwarded_s=None),
        call(4, 4, 5, status=200, error="the stream broke off"),
        call(5, 5, 6, status=499, error="the client hung up", forwarded_s=None),
        tool_call(6, 6, 7, status=404, error="no such tool"),
    ]
    spans = spans_of(record(), calls, SCENE)
    failed, again, refused, broken, gone, unknown = spans[2:8]
    assert [attributes(span).get("error.type") for span in spans[2:8]] == [
        "500",
        None,
        "403",
        "_OTHER",
        "499",
        "404",
    ]
    assert failed.status.status_code is StatusCode.ERROR
    assert [link.context for link in again.links] == [failed.context]
    assert [event.name for event in again.events] == ["levelfield.retry"]
    assert attributes(again)["levelfield.retry_of"] == 1
    assert [[event.name for event in span.events] for span in (failed, refused, broken, gone, unknown)] == [
        [], ["levelfield.refused"], [], [], ["levelfield.refused"],
    ]  # fmt: skip
    assert "PLANTED" not in otlp_line(spans)


def test_a_run_that_was_stopped_ends_when_it_was_given_up() -> None:
    """Without a latency, the node's own time counts; without that, the last call's end."""
    stopped = {"status": Status.TIMEOUT, "latency_s": None, "parts": None, "agent_parts": {}}
    assert seconds(spans_of(record(**stopped, ended_s=9.0), CALLS, SCENE)[0]) == (0.25, 9.0)
    assert seconds(spans_of(record(**stopped), CALLS, SCENE)[0]) == (0.25, 4.75)
    assert seconds(spans_of(record(**stopped, started_s=None), [], SCENE)[0]) == (0.0, 0.0)


def test_a_trace_made_again_is_the_same_trace() -> None:
    """Also of a record that has no trace id yet; and two attempts never share one."""
    for trace_id in (TRACE.trace_id, None):
        made = [otlp_line(spans_of(record(trace_id=trace_id), CALLS, SCENE)) for _ in range(2)]
        assert made[0] == made[1]
    first, second = (spans_of(record(trace_id=None, attempt_id=name), CALLS, SCENE) for name in ("1", "2"))
    assert first[0].context.trace_id != second[0].context.trace_id


def test_the_environment_of_the_driver_adds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resource is ours: service, version, experiment."""
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "planted=1")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "other")
    [span, *_] = spans_of(record(), [], SCENE)
    assert dict(span.resource.attributes) == {
        "service.name": "levelfield", "service.version": "0.1.0", "levelfield.experiment": "demo-1",
    }  # fmt: skip


def test_the_scene_is_read_from_the_manifest(tmp_path: Any) -> None:
    """Experiment and version are the experiment's own, the provider is the model setting's prefix."""
    scene = Scene.of(begun(tmp_path).manifest(), content=True)
    assert scene == Scene("e", "0", "scripted", content=True)


def parsed_back(line: str) -> Any:
    """With OpenTelemetry's own classes, which take ids in base64 as protobuf's JSON has them."""
    content = json.loads(line)
    for resource in content["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for holder in [
                *scope["spans"],
                *(link for span in scope["spans"] for link in span.get("links", [])),
            ]:
                for name in {"traceId", "spanId", "parentSpanId"} & holder.keys():
                    holder[name] = base64.b64encode(bytes.fromhex(holder[name])).decode()
    return ParseDict(content, ExportTraceServiceRequest())


def test_the_file_is_otlp_in_json() -> None:
    """One line; ids in lower-case hex, names in camel case, enums as numbers, times as decimal text."""
    line = otlp_line(spans_of(record(), CALLS, SCENE))
    assert line.count("\n") == 1
    [resource] = json.loads(line)["resourceSpans"]
    [scope] = resource["scopeSpans"]
    span = scope["spans"][2]
    assert span["traceId"] == TRACE.trace_id
    assert re.fullmatch("[0-9a-f]{16}", span["parentSpanId"])
    assert span["kind"] == 3
    assert span["startTimeUnixNano"] == str(STARTED_NS + 500_000_000)
    assert scope["scope"] == {"name": "levelfield", "version": "0.1.0"}


numbers = st.floats(0, 100, allow_nan=False)
maybe = st.none() | numbers
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = [
    "model",
    "temperature",
    "seed",
    "max_tokens",
    "n",
    "stop",
    "messages",
    "input",
    "instructions",
    "tools",
]
ANSWER_KEYS = ["id", "model", "choices", "output", "response", "usage"]
requests = st.dictionaries(st.sampled_from(KEYS), json_values) | json_values
answers = st.dictionaries(st.sampled_from(ANSWER_KEYS), json_values) | json_values


@st.composite
def any_call(draw: st.DrawFn, sequence: int) -> Call:
    """Times in any order, bodies of any shape."""
    start = draw(numbers)
    return Call(
        sequence=sequence,
        kind=draw(st.sampled_from(["model", "tool"])),
        path=draw(
            st.sampled_from(["/v1/chat/completions", "/v1/responses", "/tools/search", "", "/tools/%ff"])
        ),
        agent=draw(st.sampled_from([None, "", "a", "b", "\ud800"])),
        arrived_s=start,
        forwarded_s=draw(maybe),
        first_byte_s=draw(maybe),
        last_byte_s=draw(numbers),
        delivered_s=draw(maybe),
        status=draw(st.sampled_from([200, 400, 403, 499, 500, 507])),
        error=draw(st.none() | st.text(max_size=5)),
        streamed=draw(st.booleans()),
        retry_of=draw(st.none() | st.integers(0, 9)),
        request=draw(requests),
        response=draw(answers | st.lists(answers, max_size=3)),
        prompt_tokens=draw(st.none() | st.integers()),
        finish_reason=draw(st.none() | st.text(max_size=5)),
    )


@st.composite
def attempts(draw: st.DrawFn) -> tuple[RunRecord, list[Call]]:
    calls = [draw(any_call(number)) for number in range(1, 1 + draw(st.integers(0, 6)))]
    made = record(
        status=draw(st.sampled_from(Status)),
        error=draw(st.none() | st.text(max_size=20)),
        started_s=draw(maybe),
        ended_s=draw(maybe),
        latency_s=draw(maybe),
        trace_id=draw(st.sampled_from([None, TRACE.trace_id])),
        boot=draw(st.sampled_from([None, BOOT])),
        started_at=draw(st.sampled_from(["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.123456+00:00"])),
        parts=None,
        agent_parts={},
        text=draw(st.text(max_size=5)),
    )
    return made, calls


KNOWN = {value for name, value in vars(gen_ai_attributes).items() if name.startswith("GEN_AI_")} | {
    "error.type",
    "http.response.status_code",
    "user_agent.original",
}
"""OpenTelemetry's own names."""


@settings(deadline=None, max_examples=75)
@given(attempts(), st.booleans())
def test_any_attempt_is_a_whole_trace(attempt: tuple[RunRecord, list[Call]], content: bool) -> None:
    """One root and no orphan, each call once, children within their parents in time, steps in order.

    And it can be written down, with every attribute, and parsed back, whatever stood in the bodies.
    """
    made, calls = attempt
    spans = spans_of(made, calls, Scene("e", "0", "llamacpp", content=content))
    of_run = [span for span in spans if span.name != "levelfield.boot"]
    by_id = {span.context.span_id: span for span in of_run}
    assert len(by_id) == len(of_run)
    assert {span.context.trace_id for span in of_run} == {of_run[0].context.trace_id}
    assert [span for span in of_run if span.parent is None] == [of_run[0]]
    for place, span in enumerate(of_run[1:], start=1):
        parent = by_id[parent_id(span) or 0]
        assert of_run.index(parent) < place
        assert parent.start_time <= span.start_time <= span.end_time <= parent.end_time
    steps = [span for span in of_run if span.name.startswith("invoke_agent")]
    assert [span.start_time for span in steps] == sorted(span.start_time for span in steps)
    sequences = [
        attributes(span)["levelfield.sequence"] for span in of_run if "levelfield.sequence" in span.attributes
    ]
    assert sorted(sequences) == [one.sequence for one in calls]
    encoded = encode_spans(spans)
    assert parsed_back(otlp_line(spans)) == encoded
    [scope] = encoded.resource_spans[0].scope_spans
    assert [len(span.attributes) for span in scope.spans] == [len(attributes(span)) for span in spans]
    names = {name for span in spans for name in attributes(span)}
    assert {name for name in names if not name.startswith("levelfield.")} <= KNOWN
