"""Prompts and answers stand in spans only where they are asked for, in the convention's own form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cluster.spans.attempt import spans_of
from cluster.spans.otlp import otlp_line
from cluster.spans.scene import Scene
from shared.calls import Call
from shared.records import RunRecord, Status
from tests.unit.stored_records import run

QUIET = Scene("e", "0", "llamacpp", content=False)
TALKING = Scene("e", "0", "llamacpp", content=True)


def call(request: Any, response: Any, **fields: Any) -> Call:
    values: dict[str, Any] = {
        "sequence": 1, "kind": "model", "path": "/v1/chat/completions", "agent": "writer", "arrived_s": 0,
        "last_byte_s": 1, "status": 200, "request": request, "response": response,
    }  # fmt: skip
    return Call(**values | fields)


def content(made: Call) -> dict[str, Any]:
    """What the call's span says beyond what it says without content, read as the JSON that it is."""
    told, quiet = (spans_of(run(), [made], scene)[2].attributes or {} for scene in (TALKING, QUIET))
    return {name: json.loads(str(value)) for name, value in told.items() if name not in quiet}


def text(said: str) -> dict[str, str]:
    return {"type": "text", "content": said}


SEARCH = {"name": "search", "description": "Looks up.", "parameters": {"type": "object"}}
ASKED = {
    "messages": [
        {"role": "system", "content": "You write."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Write."}, {"type": "image_url", "image_url": {}}],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call-1",
                    "type": "function",
                    "function": {"name": "search", "arguments": '{"query": "x"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call-1", "content": "- a fact"},
    ],
    "tools": [{"type": "function", "function": SEARCH}],
}
SAID = {"choices": [{"message": {"role": "assistant", "content": "The report."}, "finish_reason": "stop"}]}
CALL_PART = {"type": "tool_call", "id": "call-1", "name": "search", "arguments": {"query": "x"}}
MESSAGES = [
    {"role": "system", "parts": [text("You write.")]},
    {"role": "user", "parts": [text("Write."), {"type": "image_url"}]},
    {"role": "assistant", "parts": [CALL_PART]},
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call-1", "response": "- a fact"}]},
]
ANSWER = [{"role": "assistant", "parts": [text("The report.")], "finish_reason": "stop"}]


def test_a_chat() -> None:
    """Messages in order with their roles, tool calls and results as parts, the tools offered, the answer."""
    assert content(call(ASKED, SAID)) == {
        "gen_ai.input.messages": MESSAGES,
        "gen_ai.tool.definitions": [{"type": "function", **SEARCH}],
        "gen_ai.output.messages": ANSWER,
    }


def test_a_streamed_chat_is_put_together() -> None:
    """Text and tool calls of a stream read as those of a whole answer."""
    pieces = [
        {"choices": [{"delta": {"role": "assistant", "content": "The "}}]},
        {"choices": [{"delta": {"content": "report."}}]},
        {
            "choices": [
                {"delta": {"tool_calls": [{"index": 0, "id": "call-1", "function": {"name": "search"}}]}}
            ]
        },
        {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": '{"query"'}}]}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": ': "x"}'}}]}}]},
        {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]},
        {"choices": [], "usage": {}},
    ]
    found = content(call({}, pieces, streamed=True))
    assert found["gen_ai.output.messages"] == [
        {"role": "assistant", "parts": [text("The report."), CALL_PART], "finish_reason": "tool_calls"}
    ]


RESPONSE = {
    "object": "response",
    "output": [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "The report."}]},
        {"type": "function_call", "call_id": "call-1", "name": "search", "arguments": '{"query": "x"}'},
    ],
}


@pytest.mark.parametrize(
    "said", [RESPONSE, [{"type": "response.created"}, {"type": "response.completed", "response": RESPONSE}]]
)
def test_the_responses_api(said: Any) -> None:
    """Its instructions stand apart, its items are messages, streamed or not."""
    asked = {
        "instructions": "You write.",
        "input": [
            {"role": "user", "content": "Write."},
            {"type": "function_call_output", "call_id": "call-1", "output": "- a fact"},
        ],
        "tools": [{"type": "function", **SEARCH}],
    }
    assert content(call(asked, said, path="/v1/responses")) == {
        "gen_ai.system_instructions": [text("You write.")],
        "gen_ai.input.messages": [
            {"role": "user", "parts": [text("Write.")]},
            MESSAGES[3],
        ],
        "gen_ai.tool.definitions": [{"type": "function", **SEARCH}],
        "gen_ai.output.messages": [
            {"role": "assistant", "parts": [text("The report.")]},
            {"role": "assistant", "parts": [CALL_PART]},
        ],
    }
    assert content(call({"input": "Write."}, None))["gen_ai.input.messages"] == [
        MESSAGES[1] | {"parts": [text("Write.")]}
    ]


def test_a_tool_call() -> None:
    """Arguments and result."""
    made = call({"query": "x"}, '"- a fact"', kind="tool", path="/tools/search")
    assert content(made) == {
        "gen_ai.tool.call.arguments": {"query": "x"},
        "gen_ai.tool.call.result": "- a fact",
    }


def test_arguments_that_are_no_json_stay_as_they_are() -> None:
    """What a small model writes is shown, not dropped."""
    said = {
        "choices": [
            {"message": {"tool_calls": [{"id": "1", "function": {"name": "search", "arguments": "{x"}}]}}
        ]
    }
    [message] = content(call({}, said))["gen_ai.output.messages"]
    assert message["parts"][0]["arguments"] == "{x"


def test_the_report_and_the_agents_answers() -> None:
    """The run's span holds the report, a step's its agent's answer."""
    record = run(text="The report.", agent_outputs={"writer": "Mine."})
    root, step, *_ = spans_of(record, [call({}, SAID)], TALKING)
    assert json.loads(str((root.attributes or {})["gen_ai.output.messages"]))[0]["parts"] == [
        text("The report.")
    ]
    assert json.loads(str((step.attributes or {})["gen_ai.output.messages"]))[0]["parts"] == [text("Mine.")]


def planted() -> tuple[RunRecord, list[Call]]:
    """PLANTED wherever a prompt, an answer or a message may hold a text."""
    record = run(
        status=Status.FRAMEWORK_ERROR,
        error="ValueError: PLANTED\nTraceback PLANTED",
        text="PLANTED",
        agent_outputs={"writer": "PLANTED"},
        details={"x": "PLANTED"},
        log=["PLANTED"],
    )
    said = json.loads(json.dumps(SAID).replace("The report.", "PLANTED"))
    asked = json.loads(json.dumps(ASKED).replace("You write.", "PLANTED"))
    calls = [
        call(asked, said),
        call(asked, [{"choices": [{"delta": {"content": "PLANTED"}}]}], sequence=2, streamed=True),
        call(
            {"instructions": "PLANTED", "input": "PLANTED"},
            {"output": "PLANTED"},
            sequence=3,
            path="/v1/responses",
        ),
        call("PLANTED", "PLANTED", sequence=4, status=502, error="PLANTED"),
        call(
            {"query": "PLANTED"}, "PLANTED", sequence=5, kind="tool", path="/tools/search", recorded="PLANTED"
        ),
    ]
    return record, calls


def test_by_default_no_prompt_and_no_answer() -> None:
    """Nothing that a model, a prompt or an error message says stands in a span, and all of it when asked for."""
    record, calls = planted()
    assert "PLANTED" not in otlp_line(spans_of(record, calls, QUIET))
    told = spans_of(record, calls, TALKING)
    assert all("PLANTED" in otlp_line([span]) for span in told)
    assert told[0].status.description == "ValueError: PLANTED"
