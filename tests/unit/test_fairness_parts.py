"""The parts of the proof by themselves: reading, tracing, aligning; none of them ever raises on what was sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.fairness.answers import read_answer
from analysis.fairness.changed import edits_between, find_changed, matching
from analysis.fairness.compose import compose, measure
from analysis.fairness.difference import MOST_SPANS, align, show
from analysis.fairness.examine_run import RunExamination
from analysis.fairness.known_texts import KnownTexts
from analysis.fairness.messages import ToolCall, read_conversation
from analysis.fairness.result import Where
from analysis.fairness.steps import lay_out
from analysis.fairness.tally import MOST_TEMPLATES, StepCounts, Tally
from analysis.fairness.template import fold_rounds, template_of
from analysis.fairness.tool_checks import tool_differences
from analysis.fairness.visible import visible
from analysis.fairness.yardstick import Yardstick
from shared.calls import Call
from shared.records import RunKey
from tests.unit.fairness_wire import (
    SEARCH,
    body_of,
    brief_of,
    calls_of,
    completion,
    conversation,
    model_call,
    planned,
)
from tests.unit.stored_records import run

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = (
    "messages",
    "role",
    "content",
    "tool_calls",
    "function",
    "name",
    "arguments",
    "id",
    "type",
    "text",
    "tools",
)
# Shapes close to the protocol's, where a reader that expects the protocol would stumble.
NEARLY = st.recursive(
    st.none()
    | st.sampled_from(["system", "user", "assistant", "tool", "function", "text", "", "call-1", "{}"])
    | st.text(max_size=20)
    | st.integers(-2, 2),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
        | st.builds(lambda told: {"messages": told}, st.lists(inner, max_size=4))
    ),
    max_leaves=25,
)
KEY = RunKey(framework="alpha", arm="equalised", task="t", item="x", iteration=1)


def _parts(messages: Any, brief: Any = None) -> Any:
    known = KnownTexts(brief or brief_of("x"))
    read = read_conversation({"messages": messages})
    assert read is not None
    return compose(read, (brief or brief_of("x")).agents[0], known)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(JSON | NEARLY, JSON | NEARLY, st.booleans()), max_size=4))
def test_no_request_or_answer_raises(wire: list[tuple[Any, Any, bool]]) -> None:
    """A run whose requests and answers are any JSON at all is examined to its end, and every call is counted."""
    calls = [
        Call(
            sequence=n, kind="model" if is_model else "tool", path="/v1/chat/completions", arrived_s=0,
            last_byte_s=1, status=200, request=request, response=response,
        )
        for n, (request, response, is_model) in enumerate(wire, 1)
    ]  # fmt: skip
    tally = Tally()
    brief = brief_of("x", tools=True)
    RunExamination(run("alpha", key=KEY), Yardstick({("t", "x"): brief}), tally).examine(calls)
    counts = tally.treatments["alpha", "equalised"]
    assert counts.calls == sum(call.kind == "model" for call in calls)
    for step in tally.steps.values():
        for alike in step.alike.values():
            align(alike.parts, next(iter(step.alike.values())).parts)


@settings(max_examples=200, deadline=None)
@given(NEARLY, NEARLY)
def test_any_two_requests_align(one: Any, other: Any) -> None:
    """Two requests of any shape are shown side by side, and a request beside itself is the same throughout."""
    first, second = (
        _parts(messages if isinstance(messages, list) else [messages]) for messages in (one, other)
    )
    assert {message.mark for message in align(first.parts, first.parts)} <= {"same"}
    shown = align(second.parts, first.parts)
    kept = [message for message in shown if message.mark != "removed"]
    assert len(kept) == len(second.parts)


@settings(max_examples=200, deadline=None)
@given(JSON, st.lists(JSON, max_size=3))
def test_any_tools_are_compared(offered: Any, planned_tools: list[Any]) -> None:
    """Whatever stands in `tools`, each difference is put into words."""
    tools = [tool for tool in planned_tools if isinstance(tool, dict)]
    assert all(difference.what for difference in tool_differences(offered, tools))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.text(max_size=80))
def test_edits_lead_from_one_text_to_the_other(a: str, b: str) -> None:
    """What stays and what goes make up the first text; what stays and what comes, the second."""
    edits = list(edits_between(a, b))
    assert "".join(text for mark, text in edits if mark != "added") == a
    assert "".join(text for mark, text in edits if mark != "removed") == b


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_all_of_a_request_is_accounted_for(data: st.DataObject) -> None:
    """The bytes of the origins add up to the bytes of the messages' texts, framing put around or not."""
    brief = brief_of("x")
    known_words = [agent.request for agent in brief.agents] + [agent.instructions for agent in brief.agents]
    texts = data.draw(
        st.lists(st.lists(st.sampled_from(known_words) | st.text(max_size=9), max_size=4), max_size=4)
    )
    messages = [{"role": "user", "content": "".join(words)} for words in texts if "".join(words)]
    made = measure(_parts(messages, brief), "researcher")
    sizes = made.model_dump(exclude={"requests"})
    removed = sum(
        len(text.encode())
        for piece in _parts(messages, brief).pieces()
        for mark, text in piece.edits
        if mark == "removed"
    )
    assert removed >= 0
    assert sum(sizes.values()) == sum(len(m["content"].encode("utf-8", "surrogatepass")) for m in messages)


def test_first_of_two_equal_answers_comes_first() -> None:
    """Where two agents gave the same answer, the first occurrence is the first agent's."""
    brief = brief_of("x")
    known = KnownTexts(brief)
    answer = completion("The very same answer, word for word.")
    for name in ("researcher", "analyst"):
        read = read_answer(model_call({}, answer, name))
        assert read is not None
        known.add_answer(name, read)
    told = conversation(
        brief, 2, dict.fromkeys(("researcher", "analyst"), "The very same answer, word for word.")
    )
    read = read_conversation({"messages": told})
    assert read is not None
    pieces = compose(read, brief.agents[2], known).pieces()
    assert [piece.agent for piece in pieces if piece.source == "answer"] == ["researcher", "analyst"]


def test_agents_that_are_told_the_same() -> None:
    """Two agents with the same words are each found to be told theirs."""
    brief = brief_of("x")
    twin = brief.agents[1].model_copy(
        update={"instructions": brief.agents[0].instructions, "request": "Go on, please."}
    )
    twins = brief.model_copy(
        update={"agents": [brief.agents[0].model_copy(update={"request": "Go on, please."}), twin]}
    )
    for agent in twins.agents:
        told = [{"role": "system", "content": agent.instructions}, {"role": "user", "content": agent.request}]
        read = read_conversation({"messages": told})
        assert read is not None
        assert compose(read, agent, KnownTexts(twins)).missing == ()


def test_short_answer_is_not_found_in_words() -> None:
    """An answer of a letter or a word is only taken for an answer where it fills its lines."""
    known = KnownTexts(brief_of("x"))
    read = read_answer(model_call({}, completion("no"), "researcher"))
    assert read is not None
    known.add_answer("researcher", read)
    told = read_conversation({"messages": [{"role": "user", "content": "He knows nothing.\nno\nNow go on."}]})
    assert told is not None
    pieces = list(compose(told, None, known).pieces())
    assert [(p.source, p.text) for p in pieces] == [
        ("framing", "He knows nothing.\n"),
        ("answer", "no"),
        ("framing", "\nNow go on."),
    ]


def test_cut_answer_is_found_as_changed() -> None:
    """A long answer that is handed on cut short is that answer, changed, and not text of the framework's own."""
    long = "\n".join(f"- fact number {n} about the company" for n in range(40))
    known = KnownTexts(brief_of("x"))
    read = read_answer(model_call({}, completion(long), "researcher"))
    assert read is not None
    known.add_answer("researcher", read)
    told = read_conversation({"messages": [{"role": "user", "content": f"Context: {long[:900]} [cut]"}]})
    assert told is not None
    pieces = list(compose(told, None, known).pieces())
    assert [piece.source for piece in pieces if len(piece.text) > 20] == ["answer"]
    assert measure(compose(told, None, known), None).framing < 30


def test_find_changed_wants_most_of_it() -> None:
    """Texts with a few words in common are not one text changed."""
    known = "You are a business analyst. You draw conclusions from facts, and you give the reason for each."
    assert (
        find_changed(known, "You are a business writer. You write clear reports in plain language.") is None
    )
    found = find_changed(known, f"Listen: {known.replace('each', 'all')} Thank you.")
    assert found is not None
    assert [edit for edit in found.edits if edit[0] != "same"] == [("removed", "each"), ("added", "all")]


def test_enormous_texts_are_not_compared() -> None:
    """Two texts of millions of characters cost no time."""
    assert matching("a b " * 1_000_000, "a c " * 1_000_000) == []


def test_rounds_of_a_tool_loop_fold() -> None:
    """Three rounds of two tool calls and one round of one look the same: how many there are is the model's doing."""

    def loop(rounds: int, calls: int) -> Any:
        known = KnownTexts(brief_of("x", tools=True))
        told = planned(brief_of("x"), 0, {})
        for number in range(rounds):
            asked = [
                {
                    "id": f"{number}-{n}",
                    "type": "function",
                    "function": {"name": "search", "arguments": f"{number}{n}"},
                }
                for n in range(calls)
            ]
            answer = read_answer(model_call({}, completion(None, asked), "researcher"))
            assert answer is not None
            known.add_answer("researcher", answer)
            told.append({"role": "assistant", "content": None, "tool_calls": asked})
            for n in range(calls):
                known.add_result(f"result {number} {n} of the tool")
                told.append(
                    {
                        "role": "tool",
                        "tool_call_id": f"{number}-{n}",
                        "content": f"result {number} {n} of the tool",
                    }
                )
        read = read_conversation({"messages": told})
        assert read is not None
        return template_of(fold_rounds(compose(read, brief_of("x").agents[0], known)))

    assert loop(3, 2) == loop(1, 1)
    assert loop(1, 1) != loop(0, 0)


def test_split_tool_calls_do_not_fold() -> None:
    """A framework that hands one answer's two calls back as two messages does otherwise than one that does not."""
    brief = brief_of("x", tools=True)
    calls = calls_of(brief, KEY, planned)
    second = next(request for request in lay_out(calls, brief) if request.number == 2)
    known = KnownTexts(brief)
    answer = read_answer(calls[0])
    assert answer is not None
    known.add_answer("researcher", answer)
    assert second.conversation is not None
    whole = compose(second.conversation, brief.agents[0], known)
    messages = second.call.request["messages"]
    halves = [{"role": "assistant", "tool_calls": [call]} for call in messages[2]["tool_calls"]]
    read = read_conversation({"messages": [*messages[:2], *halves, *messages[3:]]})
    assert read is not None
    split = compose(read, brief.agents[0], known)
    assert template_of(fold_rounds(split)) != template_of(fold_rounds(whole))


def test_streamed_tool_calls_are_put_together() -> None:
    """The parts of a streamed tool call, of which there may be several at once, make up whole calls."""
    deltas = [
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "search", "arguments": ""}}]},
        {"tool_calls": [{"index": 1, "id": "b", "function": {"name": "search", "arguments": '{"q'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
        {"tool_calls": [{"index": 1, "function": {"arguments": '": 1}'}}]},
    ]
    answer = read_answer(model_call({}, [{"choices": [{"delta": delta}]} for delta in deltas], None))
    assert answer is not None
    assert answer.calls == (ToolCall("search", "{}"), ToolCall("search", '{"q": 1}'))


def test_endless_variants_are_bounded() -> None:
    """A framework that writes something new into each request is kept to a few, and crowds nobody out."""
    step = StepCounts()
    for number in range(MOST_TEMPLATES + 50):
        parts = _parts([{"role": "user", "content": f"It is {number} o'clock."}]).parts
        step.add("alpha", "x", template_of(parts), parts, Where(run_id="r", attempt=1))
    assert len(step.alike) == MOST_TEMPLATES
    assert step.unkept == {"alpha": 50}
    parts = _parts(planned(brief_of("x"), 0, {})).parts
    step.add("direct", "x", template_of(parts), parts, Where(run_id="r", attempt=1))
    assert len(step.alike) == MOST_TEMPLATES + 1


def test_shown_size_is_bounded() -> None:
    """A message of a megabyte that differs everywhere is shown in a few kilobytes."""
    told = [_parts([{"role": "user", "content": f"{word} " * 200_000}]) for word in ("alpha", "beta")]
    shown = align(told[0].parts, told[1].parts)
    assert len("".join(span.text for message in shown for span in message.spans)) < 5_000
    assert all(len(message.spans) <= MOST_SPANS for message in shown)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb", "a\\u202eb"),
        ("a\nb\t", "a\nb\t"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
    ],
)
def test_hidden_characters_are_shown(text: str, expected: str) -> None:
    """What would steer a terminal or hide from the eye is spelt out."""
    assert visible(text) == expected


def test_tool_description_paths() -> None:
    """A difference deep in a schema is named by its path."""
    changed: dict[str, Any] = SEARCH | {
        "parameters": {"type": "object", "properties": {"q": {}}, "required": []}
    }
    [difference] = tool_differences([{"type": "function", "function": changed}], [SEARCH])
    assert "parameters.properties.q added" in difference.what
    assert "parameters.properties.query left out" in difference.what
    assert "parameters.required changed" in difference.what


def test_messages_show_as_they_are() -> None:
    """A request by itself is shown with what stands for each known text, none of it marked."""
    brief = brief_of("x")
    read = read_conversation(body_of(brief, 0, planned(brief, 0, {})))
    assert read is not None
    shown = show(compose(read, brief.agents[0], KnownTexts(brief)).parts)
    assert [[(span.source, span.text) for span in message.spans] for message in shown] == [
        [("instructions", "")],
        [("request", "")],
    ]
