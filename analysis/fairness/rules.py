"""Which rule of the methodology a finding is about, and whether it breaks it."""

from __future__ import annotations

from collections.abc import Iterable

from analysis.fairness.messages import as_json
from analysis.fairness.result import Code, Severity

RULES: dict[Code, int | None] = {
    "prompt_missing": 1,
    "prompt_changed": 1,
    "prompts_differ": 1,
    "assistant_ending": 1,
    "framing": 1,
    "tools_differ": 2,
    "tool_results_differ": 2,
    "model_differs": 3,
    "temperature_missing": 4,
    "temperature_differs": 4,
    "seed_missing": 4,
    "seed_differs": 4,
    "limit_missing": 5,
    "limit_differs": 5,
    "hidden_calls": 5,
    "own_retries": 5,
    "streaming_differs": 5,
    "extra_parameters": 5,
    "replay_differs": None,
    "unchecked": None,
}
"""1 prompts, 2 tools, 3 model, 4 temperature and seed, 5 no tuning."""

ITS_OWN_WAY: frozenset[Code] = frozenset({"framing", "hidden_calls", "own_retries"})
"""What a framework does on top: a note where it may go its own way, a violation where it may not."""

PLANNED_KEYS = frozenset(
    {"messages", "model", "temperature", "seed", "max_tokens", "max_completion_tokens", "tools"}
)
"""What a request must or may hold by the plan. `stream` has a finding of its own."""

DEFAULTS: dict[str, object] = {
    "stream": False,
    "n": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "logprobs": False,
    "store": False,
}
"""What leaving a key out means, by OpenAI's API reference: sending it changes nothing."""

STEERING_KEYS = frozenset(
    {
        *("top_p", "top_k", "min_p", "typical_p", "n", "best_of", "stop", "min_tokens", "mirostat"),
        *("presence_penalty", "frequency_penalty", "repetition_penalty", "repeat_penalty", "logit_bias"),
        *("response_format", "grammar", "json_schema", "prediction", "reasoning_effort", "verbosity"),
        *("tool_choice", "parallel_tool_calls", "functions", "function_call", "chat_template_kwargs"),
    }
)
"""Keys of OpenAI's, vLLM's and llama.cpp's chat completions that change what the model answers."""


def severity_of(code: Code, arm: str) -> Severity:
    if code == "unchecked":
        return "note"
    return "note" if code in ITS_OWN_WAY and arm != "equalised" else "violation"


def severity_of_key(key: str, values: Iterable[str]) -> Severity:
    """Of a key that others do not send, with its values as JSON."""
    is_default = key in DEFAULTS and set(values) == {as_json(DEFAULTS[key])}
    return "violation" if key in STEERING_KEYS and not is_default else "note"
