"""W3C trace contexts: made whole, read strictly."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.trace import TraceContext, child_id, from_traceparent, new_trace, root_of

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
FORM = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01")


def test_a_new_trace_is_a_new_one_and_reads_back() -> None:
    """Each trace has ids of its own in the standard's form, and its text gives the same context back."""
    first, second = new_trace(), new_trace()
    assert first.trace_id != second.trace_id
    for context in (first, second):
        assert FORM.fullmatch(context.traceparent)
        assert from_traceparent(context.traceparent) == context


def test_the_root_is_found_again_from_the_traces_id() -> None:
    """A record keeps the trace's id alone: the root that the driver handed out follows from it."""
    context = new_trace()
    assert root_of(context.trace_id) == context


def test_children_have_ids_of_their_own() -> None:
    """Sixteen lower-case hex digits, never the same twice."""
    ids = {child_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch(r"[0-9a-f]{16}", found) for found in ids)


@pytest.mark.parametrize("flags", ["00", "01", "ff"])
def test_any_flags_are_read(flags: str) -> None:
    """What the sender says of sampling does not matter here."""
    assert from_traceparent(f"00-{TRACE}-{SPAN}-{flags}") == TraceContext(TRACE, SPAN)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
        f" 00-{TRACE}-{SPAN}-01",
        f"01-{TRACE}-{SPAN}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE[:-1]}\u0663-{SPAN}-01",
    ],
)
def test_anything_else_is_no_context(text: str | None) -> None:
    """Another version, letters' case, length, an id of zeros, or anything around it: None."""
    assert from_traceparent(text) is None


@given(st.text(alphabet="0123456789abcdefABCDEF-\n", max_size=60) | st.text(max_size=60))
def test_reading_never_fails(text: str) -> None:
    """Whatever comes, the answer is None or a context whose text begins with the same ids."""
    context = from_traceparent(text)
    assert context is None or text.startswith(context.traceparent[:-2])
