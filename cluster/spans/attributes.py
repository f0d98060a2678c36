"""Attributes of spans, after OpenTelemetry's conventions for generative AI; what they lack is levelfield.*.

Names are those of github.com/open-telemetry/semantic-conventions-genai; the constants of the package
opentelemetry-semantic-conventions are marked as having moved there. What comes from the wire is text that
nobody vouches for: each value is taken only as the type that the convention gives it, and cut.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from cluster.spans.scene import Scene
from cluster.spans.steps import Step
from shared.calls import Asked, Call
from shared.latency import LatencyParts, take_call_apart
from shared.records import RunRecord, Status

Value = str | bool | int | float | list[str]
Attributes = dict[str, Value]

TEXT_CHARACTERS = 200
INT64 = 2**63
CLIENT_GONE = 499
OPERATIONS = {"/v1/chat/completions": "chat", "/v1/responses": "chat", "/v1/embeddings": "embeddings"}

_EXCEPTION = re.compile(r"([A-Za-z_][\w.]{0,199})(?::|$)")


def run(record: RunRecord, scene: Scene) -> Attributes:
    """A run is a workflow of agents; the workflow's name is the task's."""
    key = record.key
    found = _known(
        {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.provider.name": scene.provider,
            "gen_ai.workflow.name": key.task,
            "error.type": run_error(record),
            "levelfield.arm": key.arm,
            "levelfield.task": key.task,
            "levelfield.item": key.item,
            "levelfield.iteration": key.iteration,
            "levelfield.attempt_id": record.attempt_id,
            "levelfield.status": record.status.value,
            "levelfield.position": record.position,
            "levelfield.node": record.node,
            "levelfield.latency_s": record.latency_s,
            "levelfield.prompt_tokens": record.prompt_tokens,
            "levelfield.completion_tokens": record.completion_tokens,
            "levelfield.model_calls": record.model_calls,
            "levelfield.tool_calls": record.tool_calls,
            "levelfield.retried_calls": record.retried_calls,
            "levelfield.stray_calls": record.stray_calls,
            "levelfield.limits_hit": record.limits_hit or None,
            "levelfield.replay_of": record.replay_of,
        }
    )
    return found | _parts(record.parts)


def whose(record: RunRecord) -> Attributes:
    """On every span, so that one found alone says what it belongs to."""
    return {
        "levelfield.run_id": record.key.run_id,
        "levelfield.attempt": record.attempt,
        "levelfield.framework": record.key.framework,
    }


def run_error(record: RunRecord) -> str | None:
    """The exception's class where the framework raised one, else the status; None for a completed run."""
    if record.status is Status.COMPLETED:
        return None
    named = _EXCEPTION.match((record.error or "").partition("\n")[0])
    return named.group(1) if named else record.status.value


def step(taken: Step, record: RunRecord, scene: Scene) -> Attributes:
    """The latency's parts are the agent's over the whole run, where it has one step as usual."""
    return _known(
        {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": scene.provider,
            "gen_ai.agent.name": taken.agent,
        }
    ) | _parts(record.agent_parts.get(taken.agent))


def call(made: Call, scene: Scene) -> Attributes:
    """Of a model call or a tool call."""
    common = {
        "error.type": call_error(made),
        "http.response.status_code": made.status,
        "user_agent.original": made.client,
        "gen_ai.agent.name": made.agent,
        "levelfield.sequence": made.sequence,
        "levelfield.retry_of": made.retry_of,
    }
    own = _tool_call(made) if made.kind == "tool" else _model_call(made, scene)
    return _known(own | common) | _parts(take_call_apart(made))


def call_name(attributes: Attributes) -> str:
    """The operation and what it was on: "chat MODEL", "execute_tool search"."""
    target = attributes.get("gen_ai.tool.name") or attributes.get("gen_ai.request.model") or ""
    return f"{attributes['gen_ai.operation.name']} {target}".rstrip()


def _tool_call(made: Call) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": unquote(made.path.rpartition("/")[2]),
        "gen_ai.tool.type": "function",
        **(_asked(made.asked) if made.asked else {}),
    }


def _asked(asked: list[Asked]) -> dict[str, Any]:
    """Not under the convention's names, by which a viewer would count it as the framework's."""
    return {
        "levelfield.asked": len(asked),
        "levelfield.asked_prompt_tokens": sum(each.prompt_tokens or 0 for each in asked),
        "levelfield.asked_completion_tokens": sum(each.completion_tokens or 0 for each in asked),
        "levelfield.asked_s": sum(each.seconds for each in asked),
    }


def _model_call(made: Call, scene: Scene) -> dict[str, Any]:
    asked = made.request if isinstance(made.request, dict) else {}
    said = _said(made.response)
    parameters = {
        name: next((taken_as(asked[key]) for key in keys if asked.get(key) is not None), None)
        for name, (keys, taken_as) in REQUEST.items()
    }
    return parameters | {
        "gen_ai.operation.name": OPERATIONS.get(made.path, "chat"),
        "gen_ai.provider.name": scene.provider,
        "gen_ai.request.stream": made.streamed or None,
        "gen_ai.response.id": _text(said.get("id")),
        "gen_ai.response.model": _text(said.get("model")),
        "gen_ai.response.finish_reasons": [made.finish_reason] if made.finish_reason else None,
        "gen_ai.response.time_to_first_chunk": _first_chunk_s(made),
        "gen_ai.usage.input_tokens": made.prompt_tokens,
        "gen_ai.usage.output_tokens": made.completion_tokens,
        "gen_ai.usage.cache_read.input_tokens": made.cached_tokens,
    }


def _first_chunk_s(made: Call) -> float | None:
    """Of a whole answer, when it began says nothing."""
    if not made.streamed or made.first_byte_s is None:
        return None
    return made.first_byte_s - made.arrived_s - made.rate_limited_s


def call_error(made: Call) -> str | None:
    """The HTTP status that the client was given, where it says what went wrong."""
    if not made.failed:
        return None
    return str(made.status) if made.status >= 400 else "_OTHER"


def is_refused(made: Call) -> bool:
    """Whether the gateway answered by itself that this was not to be: the model server never saw it."""
    return 400 <= made.status < 500 and made.status != CLIENT_GONE and made.forwarded_s is None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _texts(value: Any) -> list[str] | None:
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str)] or None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    """Not the integers beyond any double that JSON can spell."""
    if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > sys.float_info.max:
        return None
    return None if math.isnan(value) else float(value)


def _choices(value: Any) -> int | None:
    """One answer is what every request asks for that does not say."""
    return None if value == 1 else _whole(value)


REQUEST: Mapping[str, tuple[tuple[str, ...], Callable[[Any], Value | None]]] = {
    "gen_ai.request.model": (("model",), _text),
    "gen_ai.request.temperature": (("temperature",), _number),
    "gen_ai.request.top_p": (("top_p",), _number),
    "gen_ai.request.seed": (("seed",), _whole),
    "gen_ai.request.max_tokens": (("max_tokens", "max_completion_tokens", "max_output_tokens"), _whole),
    "gen_ai.request.frequency_penalty": (("frequency_penalty",), _number),
    "gen_ai.request.presence_penalty": (("presence_penalty",), _number),
    "gen_ai.request.stop_sequences": (("stop",), _texts),
    "gen_ai.request.choice.count": (("n",), _choices),
}
"""Attribute: the names that a request may have it under, and how it is taken."""


def _said(response: Any) -> dict[str, Any]:
    """What an answer says of itself; of a stream, its first event."""
    first = response[0] if isinstance(response, list) and response else response
    holder = first if isinstance(first, dict) else {}
    inner = holder.get("response")
    return inner if isinstance(inner, dict) else holder


def _parts(parts: LatencyParts | None) -> Attributes:
    """Those that took any time."""
    found = parts.model_dump() if parts else {}
    return {f"levelfield.{name}": seconds for name, seconds in found.items() if seconds}


def _known(values: Mapping[str, Any]) -> Attributes:
    """What is known and fits: text is cut, integers beyond OTLP's 64 bits are left out."""
    return {name: _fitting(value) for name, value in values.items() if not _is_nothing(value)}


def _is_nothing(value: Any) -> bool:
    return value in (None, "") or (isinstance(value, int) and not -INT64 <= value < INT64)


def _fitting(value: Any) -> Any:
    if isinstance(value, list):
        return [_fitting(part) for part in value]
    return value[:TEXT_CHARACTERS].encode("utf-8", "replace").decode() if isinstance(value, str) else value
