"""Chat completions turned from whole into streamed and back."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cluster.gateway.convert import stream_of, whole_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "message", "delta", "tool_calls", "function", "index", "arguments", "usage"]
            ),
            inner,
            max_size=4,
        )
    ),
)
MESSAGES = st.builds(
    lambda content, calls: {"role": "assistant", "content": content} | ({"tool_calls": calls} if calls else {}),
    st.none() | st.text(),
    st.lists(
        st.builds(
            lambda n, arguments: {"id": f"c{n}", "type": "function", "function": {"name": f"f{n}", "arguments": arguments}},
            st.integers(0, 9),
            st.text(),
        ),
        max_size=3,
    ),
)  # fmt: skip


@given(st.lists(MESSAGES, min_size=1, max_size=3), st.booleans())
def test_there_and_back_is_the_same(messages: list[dict[str, Any]], counted: bool) -> None:
    """A whole answer made a stream and put together again is what it was."""
    choices = [
        {"index": n, "message": message, "finish_reason": "stop"} for n, message in enumerate(messages)
    ]
    body = {"id": "x", "object": "chat.completion", "model": "m", "choices": choices}
    body |= {"usage": {"prompt_tokens": 1}} if counted else {}
    assert whole_of(stream_of(body)) == body


@given(JSON)
def test_any_recording_is_converted(value: Any) -> None:
    """Strange shapes in a recording are passed over, not stumbled on."""
    stream_of({"choices": value, "usage": value})
    stream_of({"choices": [{"message": value}]})
    whole_of(value if isinstance(value, list) else [value])
    whole_of([{"choices": [{"delta": {"tool_calls": value, "content": value}, "index": value}]}] * 2)
