"""The end that all adapters share: an outcome is only made of answers that say something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.contract import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.contract import RunRequest


class NoAnswer(RuntimeError):
    """An agent ended without text. Some frameworks pass that over in silence; here it ends any run."""


def outcome_of(
    request: RunRequest,
    answers: Mapping[str, str | None],
    prompt_tokens: int | None = None,
    completion_tokens: int | None = None,
) -> Outcome:
    """The outcome of a pipeline that ran to its end. Tokens are the framework's own count."""
    outputs: dict[str, str] = {}
    for spec in request.agents:
        text = answers.get(spec.name) or ""
        if not text.strip():
            raise NoAnswer(f"agent {spec.name!r} gave no answer: the model's reply holds no text")
        outputs[spec.name] = text
    return Outcome(
        text=outputs[request.agents[-1].name],
        agent_outputs=outputs,
        native_prompt_tokens=prompt_tokens,
        native_completion_tokens=completion_tokens,
    )


def check_request(request: RunRequest, patterns: tuple[str, ...]) -> None:
    """Raises ValueError for a pattern or an arm that the adapter does not know."""
    _known("pattern", request.pattern, patterns)
    # How control and conversation are handed over is the framework's own: there is nothing to equalise.
    arms = ("idiomatic",) if request.pattern == "handoff" else ("idiomatic", "equalised")
    _known("arm", request.arm, arms)


def _known(what: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise ValueError(f"this adapter does not know the {what} {name!r}; it knows {', '.join(known)}")
