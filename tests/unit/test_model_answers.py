"""What a recorded answer holds is read from plain and streamed bodies, whatever they are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.gateway.convert import stream_of
from cluster.model_answers import is_cut_off_call, is_empty
from shared.calls import Call

WHOLE = '{"query": "news"}'
CUT = '{"query": "ne'
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["choices", "message", "delta", "tool_calls", "function", "arguments", "content", "index"]), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


def answered(response: Any, finish: str = "stop", status: int = 200) -> Call:
    return Call(
        sequence=1, kind="model", path="/v1/chat/completions", arrived_s=0, last_byte_s=1, status=status,
        finish_reason=finish, response=response,
    )  # fmt: skip


def saying(content: Any, *arguments: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if arguments:
        message["tool_calls"] = [
            {"id": str(n), "type": "function", "function": {"name": "search", "arguments": said}}
            for n, said in enumerate(arguments)
        ]
    return {"choices": [{"index": 0, "message": message}]}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("body", "finish", "cut_off", "empty"),
    [
        (saying("Text."), "stop", False, False),
        (saying("Text that is cut o"), "length", False, False),
        (saying(None, WHOLE), "tool_calls", False, False),
        (saying("", WHOLE, CUT), "length", True, False),
        (saying("", WHOLE, WHOLE), "length", False, False),
        (saying("", CUT), "tool_calls", False, False),
        (saying(""), "stop", False, True),
        (saying(" \n"), "length", False, True),
        (saying(None), "stop", False, True),
    ],
)
def test_what_an_answer_holds(
    body: dict[str, Any], finish: str, cut_off: bool, empty: bool, streamed: bool
) -> None:
    """A call cut off by the limit of tokens and an answer without anything are told apart from all others."""
    call = answered(stream_of(body) if streamed else body, finish)
    assert (is_cut_off_call(call), is_empty(call)) == (cut_off, empty)


def test_a_failed_call_holds_nothing() -> None:
    """A server's refusal is neither an empty answer nor a call that was cut off."""
    call = answered(saying("", CUT), "length", status=500)
    assert not is_cut_off_call(call)
    assert not is_empty(call)


@settings(deadline=None, max_examples=200)
@given(body=JSON)
def test_any_body_can_be_read(body: Any) -> None:
    """No body that a server may send, and no list of events, makes the reading fail."""
    for finish in ("stop", "length"):
        is_empty(answered(body, finish))
        is_cut_off_call(answered(body, finish))
