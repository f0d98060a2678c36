"""Our chat template for Qwen2.5-Coder: the model's own but for the form of tool calls.

`tests/functional/test_tool_calls.py` holds the copy of the model's own against the model's file.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime_envs.models import CHAT_TEMPLATES, MODELS, chat_template
from shared.tools.search import Tools

OWN = Path(__file__).parents[1] / "data" / "qwen2.5-coder-own.jinja"
SEARCH = {
    "type": "function",
    "function": {"name": "search", "description": Tools.SPECS[0].description, "parameters": {}},
}
ASKED = [{"role": "system", "content": "You research."}, {"role": "user", "content": "Facts?"}]
CLOSING = "These are the results."


@functools.cache
def compiled(path: Path) -> jinja2.Template:
    """As llama.cpp and transformers do it."""
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701 - no HTML
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment.from_string(path.read_text(encoding="utf-8"))


def render(path: Path, messages: list[dict[str, Any]], tools: list[Any] | None = None) -> str:
    return compiled(path).render(messages=messages, tools=tools, add_generation_prompt=True)


def ours(messages: list[dict[str, Any]], tools: list[Any] | None = None) -> str:
    path = chat_template("qwen2.5-coder-1.5b")
    assert path
    return render(path, messages, tools)


def asking(*queries: str, text: str = "") -> dict[str, Any]:
    # Servers parse the arguments before they render.
    calls = [
        {"id": f"call-{n}", "type": "function", "function": {"name": "search", "arguments": {"query": query}}}
        for n, query in enumerate(queries)
    ]
    return {"role": "assistant", "content": text, "tool_calls": calls}


def result(text: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": "call-0", "content": text}


@settings(deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "role": st.sampled_from(["system", "user", "assistant"]),
                "content": st.text() | st.sampled_from(["```json\n{}\n```", "<tool_call>", "{{ x }}"]),
            },
            optional={"name": st.text()},
        ),
        min_size=1,
    )
)
def test_without_tools_it_is_the_models_own(messages: list[dict[str, Any]]) -> None:
    """Any conversation without tools and tool messages renders to the very same text."""
    assert ours(messages) == render(OWN, messages)
    assert ours(messages, []) == render(OWN, messages, [])


def test_tools_are_shown_and_the_form_is_asked_for() -> None:
    """The system turn holds each tool as JSON, and says that calls are an array in a fenced block."""
    system = ours(ASKED, [SEARCH]).split("<|im_end|>")[0]
    assert json.dumps(SEARCH) in system
    assert '```json\n[{"name": <function-name>, "arguments": <args-json-object>}]\n```' in system
    assert system.startswith("<|im_start|>system\nYou research.\n\n# Tools")


@pytest.mark.parametrize(("text", "before"), [("", ""), ("Let me look.", "Let me look.\n")])
def test_calls_are_written_as_the_model_writes_them(text: str, before: str) -> None:
    """All calls of one answer are one JSON array in one fenced block, after what else was said."""
    rendered = ours([*ASKED, asking("über", 'a "b"', text=text), result("R")], [SEARCH])
    turn = rendered.split("<|im_start|>assistant\n")[1].split("<|im_end|>")[0]
    said, _, array = turn.removesuffix("\n```").partition("```json\n")
    assert said == before
    assert json.loads(array) == [
        {"name": "search", "arguments": {"query": "über"}},
        {"name": "search", "arguments": {"query": 'a "b"'}},
    ]


def test_results_are_one_user_turn() -> None:
    """Results that follow one another share a user turn, in their order."""
    rendered = ours([*ASKED, asking("a", "b"), result("First."), result("Second.")], [SEARCH])
    turn = rendered.split("<|im_start|>user\n")[-1].split("<|im_end|>")[0]
    told = "<tool_response>\nFirst.\n</tool_response>\n<tool_response>\nSecond.\n</tool_response>\n"
    assert turn.startswith(told + CLOSING)


def test_the_model_is_reminded_to_answer_only_when_it_is_its_turn() -> None:
    """The sentence stands after the newest results alone, and not where no tools can be called."""
    looped = [*ASKED, asking("a"), result("R1"), asking("b"), result("R2")]
    assert ours(looped, [SEARCH]).count(CLOSING) == 1
    assert ours(looped, [SEARCH]).rindex(CLOSING) > ours(looped, [SEARCH]).index("R2")
    assert CLOSING not in ours(looped)
    assert CLOSING not in ours([*looped, {"role": "user", "content": "Go on."}], [SEARCH])


def test_every_template_belongs_to_a_model() -> None:
    """Each file in the folder is some model's, each model's file is there, and a model may have none."""
    used = {weights.chat_template for weights in MODELS.values() if weights.chat_template}
    assert used == {path.name for path in CHAT_TEMPLATES.iterdir()}
    assert chat_template("smollm2-135m") is None
    assert chat_template("/some/file.gguf") is None
