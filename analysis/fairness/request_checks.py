"""What one request does otherwise than planned. Comparisons between frameworks are made elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from analysis.fairness.compose import Composition
from analysis.fairness.messages import as_json
from analysis.fairness.result import Code
from analysis.fairness.steps import Request
from analysis.fairness.tool_checks import Difference, json_diff, result_differences, tool_differences
from analysis.fairness.visible import edit_spans, visible
from shared.brief import AgentBrief, Brief

LIMIT_KEYS = ("max_tokens", "max_completion_tokens")
"""The protocol's older and newer name of the same limit."""

Observed = tuple[Code, Difference]


def check_request(request: Request, composition: Composition | None, brief: Brief) -> Iterator[Observed]:
    agent = brief.agent(request.agent)
    yield from _check_place(request, brief)
    if request.call.recorded is not None:
        diff = partial(json_diff, request.call.recorded, request.call.request)
        yield "replay_differs", Difference("", diff=diff)
    if request.conversation is None or composition is None:
        return
    if request.kind != "hidden":
        yield from _check_brief(request.call.request, composition, agent)
    if request.conversation.messages and request.conversation.messages[-1].role == "assistant":
        yield "assistant_ending", Difference("")
    yield from _check_parameters(request.call.request, brief, agent)
    targets = [target for each in brief.agents for target in each.handoffs]
    for difference in result_differences(request.conversation, composition, targets):
        yield "tool_results_differ", difference


def _check_place(request: Request, brief: Brief) -> Iterator[Observed]:
    call = request.call
    most = brief.max_steps * (brief.max_handoffs + 1)
    if request.kind == "retry":
        yield "own_retries", Difference("", seen=visible(call.error or f"status {call.status}"))
    elif request.kind == "hidden":
        if request.conversation is None:
            what = f"to {visible(call.path, 60)}"
        else:
            what = f"asking the {request.agent} again" if request.agent else "with no agent's instructions"
        yield "hidden_calls", Difference(what, seen=_last_text(request))
    elif request.number > most:
        yield (
            "limit_differs",
            Difference("model calls in a step", str(most), str(request.number)),
        )


def _check_brief(body: Any, composition: Composition, agent: AgentBrief | None) -> Iterator[Observed]:
    """Prompts and tools, which are all that an agent is handed."""
    if agent is None:
        return
    for source in composition.missing:
        expected = agent.instructions if source == "instructions" else agent.request
        yield "prompt_missing", Difference(f"the {agent.name}'s {source}", visible(expected))
    for piece in composition.pieces():
        if piece.is_changed and piece.source in ("instructions", "request") and piece.agent == agent.name:
            what = f"the {agent.name}'s {piece.source}"
            yield "prompt_changed", Difference(what, diff=partial(edit_spans, piece.edits))
    for difference in tool_differences(body.get("tools"), agent.tools, agent.handoffs):
        yield "tools_differ", difference


def _check_parameters(body: dict[str, Any], brief: Brief, agent: AgentBrief | None) -> Iterator[Observed]:
    given = {key: value for key, value in body.items() if value is not None}
    if _differs(given.get("model"), brief.model):
        yield "model_differs", _instead(given.get("model"), brief.model)
    if "temperature" not in given:
        yield "temperature_missing", Difference("")
    elif _differs(given["temperature"], brief.temperature):
        yield "temperature_differs", _instead(given["temperature"], brief.temperature)
    if "seed" not in given:
        yield "seed_missing", Difference("")
    elif _differs(given["seed"], brief.seed):
        yield "seed_differs", _instead(given["seed"], brief.seed)
    limits = [given[key] for key in LIMIT_KEYS if key in given]
    if not limits:
        yield "limit_missing", Difference("")
    for limit in limits:
        if agent and _differs(limit, agent.max_tokens):
            yield "limit_differs", _instead(limit, agent.max_tokens)


def _differs(seen: Any, planned: Any) -> bool:
    """By value, but that true and false are no numbers."""
    return isinstance(seen, bool) or bool(seen != planned)


def _instead(seen: Any, planned: Any) -> Difference:
    return Difference(
        f"{visible(as_json(seen), 60)} instead of {visible(as_json(planned), 60)}",
        visible(as_json(planned)),
        visible(as_json(seen)),
    )


def _last_text(request: Request) -> str:
    if request.conversation is None:
        return visible(as_json(request.call.request))
    texts = [text for message in request.conversation.messages for text in message.texts]
    return visible(texts[-1]) if texts else ""
