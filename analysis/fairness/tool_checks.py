"""Whether tools were offered as planned, and their results handed on as the tools gave them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from analysis.fairness.changed import edits_between
from analysis.fairness.compose import Composition
from analysis.fairness.messages import Conversation, as_json
from analysis.fairness.result import Span
from analysis.fairness.visible import edit_spans, visible
from shared.brief import handoff_target

MOST_DIFFERENCES = 12


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which what was sent is not what was planned."""

    what: str
    """In a few words: the detail of the finding's sentence."""
    expected: str | None = None
    seen: str | None = None
    diff: Callable[[], list[Span]] = list
    """Worked out only for the few that are shown."""


def tool_differences(
    offered: Any, planned: list[dict[str, Any]], handoffs: Sequence[str] = ()
) -> Iterator[Difference]:
    """`offered` is the request's `tools`, `planned` the brief's.

    A tool that hands over to one of `handoffs` is planned as well, in whatever form the framework gives it.
    """
    functions = {name: function for name, function in _functions(offered) if name}
    wanted = {str(tool.get("name")): tool for tool in planned}
    targets = {handoff_target(name, handoffs) for name in functions if name not in wanted}
    for agent in handoffs:
        if agent not in targets:
            yield Difference(f"no handing over to {visible(agent, 60)} is offered")
    for name in wanted:
        if name not in functions:
            yield Difference(f"{visible(name, 60)} is not offered")
    for name, function in functions.items():
        if name not in wanted:
            if handoff_target(name, handoffs):
                continue
            yield Difference(f"{visible(name, 60)} is offered unplanned", seen=visible(as_json(function)))
        elif paths := list(_paths(wanted[name], _plain(function)))[:MOST_DIFFERENCES]:
            diff = partial(json_diff, wanted[name], _plain(function))
            yield Difference(f"{visible(name, 60)}: {', '.join(paths)}", diff=diff)
    odd = len(offered) - len(functions) if isinstance(offered, list) else int(offered is not None)
    if odd:
        yield Difference("something that is no function, or a function twice", seen=visible(as_json(offered)))


def result_differences(
    conversation: Conversation, composition: Composition, agents: Sequence[str] = ()
) -> Iterator[Difference]:
    """Of the results that a request carries, against what the tools gave in this run.

    What handing over to one of `agents` answers is the framework's own word.
    """
    for message, part in zip(conversation.messages, composition.parts, strict=True):
        if part.role != "tool" or (message.answers and handoff_target(message.answers, agents)):
            continue
        pieces = part.pieces
        if len(pieces) == 1 and pieces[0].source == "tool_result" and not pieces[0].is_changed:
            continue
        said = "".join(piece.text for piece in pieces)
        yield Difference("a result that no tool gave word for word", seen=visible(said))
    calls = sum(len(message.calls) for message in conversation.messages)
    results = sum(message.role == "tool" for message in conversation.messages)
    if results < calls:
        yield Difference("a tool call without its result", f"{calls} results", f"{results} results")


def offered_names(offered: Any) -> list[str]:
    return [name or "?" for name, _ in _functions(offered)]


def _functions(offered: Any) -> Iterator[tuple[str | None, dict[str, Any]]]:
    for tool in offered if isinstance(offered, list) else ():
        function = tool.get("function") if isinstance(tool, dict) else None
        if isinstance(function, dict):
            name = function.get("name")
            yield name if isinstance(name, str) else None, function


def _plain(function: dict[str, Any]) -> dict[str, Any]:
    """Without what says no more than its absence: see messages.NORMALISATIONS."""
    return {
        key: value
        for key, value in function.items()
        if value is not None and not (key == "strict" and value is False)
    }


def _paths(planned: Any, seen: Any, path: str = "") -> Iterator[str]:
    """Where two JSON values differ, e.g. "parameters.additionalProperties added"."""
    if isinstance(planned, dict) and isinstance(seen, dict):
        for key in sorted({*planned, *seen}):
            where = f"{path}.{visible(key, 60)}" if path else visible(key, 60)
            if key not in seen:
                yield f"{where} left out"
            elif key not in planned:
                yield f"{where} added"
            else:
                yield from _paths(planned[key], seen[key], where)
    elif as_json(planned) != as_json(seen):
        yield f"{path} changed"


def json_diff(planned: Any, seen: Any) -> list[Span]:
    """Two JSON values line by line, the keys in order."""
    texts = (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) for value in (planned, seen))
    return edit_spans(edits_between(*texts))
