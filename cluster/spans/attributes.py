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
from shared.calls import Call
from shared.latency import LatencyParts, take_call_apart
from shared.records import RunRecord, Status

Value = str | bool | int | float | list[str]
Attributes = dict[str, Value]

TEXT_CHARACTERS = 200
INT64 = 2**63
CLIENT_GONE = 499
OPERATIONS = {"/v1/chat/completions": "chat", "/v1/responses": "chat", "/v1/embeddings": "embeddings"}

_EXCEPTION = re.compile(r"([A-Za-z_][\w.]{0,199})(?::|$)")


def run_attributes(record: RunRecord, scene: Scene) -> Attributes:
    """A run is a workflow of agents; the workflow's name is the task's."""
    key = record.key
    found = _named(
        {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.provider.name": scene.provider,
            "gen_ai.workflow.name": key.task,
            "error.type": error_type(record),
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
    return found | whose(record) | _parts(record.parts)


def whose(record: RunRecord) -> Attributes:
    """On every span, so that one found alone says what it belongs to."""
    return {
        "levelfield.run_id": record.key.run_id,
        "levelfield.attempt": record.attempt,
        "levelfield.framework": record.key.framework,
    }


def error_type(record: RunRecord) -> str | None:
    """The exception's class where the framework raised one, else the status; None for a completed run."""
    if record.status is Status.COMPLETED:
        return None
    named = _EXCEPTION.match((record.error or "").partition("\n")[0])
    return named.group(1) if named else record.status.value


def step_attributes(step: Step, record: RunRecord, scene: Scene) -> Attributes:
    """The latency's parts are the agent's over the whole run, where it has one step as usual."""
    return _named(
        {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": scene.provider,
            "gen_ai.agent.name": step.agent,
        }
    ) | _parts(record.agent_parts.get(step.agent))


def call_attributes(call: Call, scene: Scene) -> Attributes:
    """Of a model call or a tool call."""
    found = tool_attributes(call) if call.kind == "tool" else model_attributes(call, scene)
    return (
        found
        | _named(
            {
                "error.type": call_error(call),
                "http.response.status_code": call.status,
                "user_agent.original": call.client,
                "gen_ai.agent.name": call.agent,
                "levelfield.sequence": call.sequence,
                "levelfield.retry_of": call.retry_of,
            }
        )
        | _parts(take_call_apart(call))
    )


def tool_attributes(call: Call) -> Attributes:
    return _named(
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": tool_name(call),
            "gen_ai.tool.type": "function",
        }
    )


def model_attributes(call: Call, scene: Scene) -> Attributes:
    asked = call.request if isinstance(call.request, dict) else {}
    said = _said(call.response)
    found: dict[str, Any] = {
        "gen_ai.operation.name": operation(call),
        "gen_ai.provider.name": scene.provider,
        "gen_ai.request.stream": call.streamed or None,
        "gen_ai.response.id": _text(said.get("id")),
        "gen_ai.response.model": _text(said.get("model")),
        "gen_ai.response.finish_reasons": [call.finish_reason] if call.finish_reason else None,
        "gen_ai.usage.input_tokens": call.prompt_tokens,
        "gen_ai.usage.output_tokens": call.completion_tokens,
        "gen_ai.usage.cache_read.input_tokens": call.cached_tokens,
    }
    if call.streamed and call.first_byte_s is not None:
        found["gen_ai.response.time_to_first_chunk"] = call.first_byte_s - call.arrived_s
    for name, (keys, taken_as) in REQUEST.items():
        found[name] = next((taken_as(asked[key]) for key in keys if asked.get(key) is not None), None)
    return _named(found)


def operation(call: Call) -> str:
    return OPERATIONS.get(call.path, "chat")


def tool_name(call: Call) -> str:
    return unquote(call.path.rpartition("/")[2])


def call_error(call: Call) -> str | None:
    """The HTTP status that the client was given, where it says what went wrong."""
    if not call.failed:
        return None
    return str(call.status) if call.status >= 400 else "_OTHER"


def is_refused(call: Call) -> bool:
    """Whether the gateway answered by itself that this was not to be: the model server never saw it."""
    return 400 <= call.status < 500 and call.status != CLIENT_GONE and call.forwarded_s is None


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


def _named(values: Mapping[str, Any]) -> Attributes:
    """What is known and fits: text is cut, integers beyond OTLP's 64 bits are left out."""
    return {name: _fitting(value) for name, value in values.items() if not _is_nothing(value)}


def _is_nothing(value: Any) -> bool:
    return value in (None, "") or (isinstance(value, int) and not -INT64 <= value < INT64)


def _fitting(value: Any) -> Any:
    if isinstance(value, list):
        return [_fitting(part) for part in value]
    return value[:TEXT_CHARACTERS].encode("utf-8", "replace").decode() if isinstance(value, str) else value
