"""The exact score of a finished run, where its task can tell right from wrong without a judge."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from shared.strict import Strict


class ToolUse(Strict):
    """One tool call of a run, as the gateway answered it."""

    name: str
    arguments: dict[str, Any]
    result: str
    said: tuple[str, ...] = ()
    """By a model that was asked for it, in order: what `Tools` are to be given again."""


class Answer(Strict):
    """All of a completed run that a task may score: nothing of the framework."""

    text: str
    """The last agent's answer. Untrusted."""
    agent_outputs: dict[str, str] = Field(default_factory=dict)
    tool_calls: tuple[ToolUse, ...] = ()
    """As they were carried out, one after another; refused ones are left out. What they changed is found by
    making them again."""


class Score(Strict):
    """Passed or not, and what else can be counted."""

    passed: bool
    figures: dict[str, float] = Field(default_factory=dict)
    """By name, e.g. "hidden_cases_share"; the same names for all items of a task."""
    notes: tuple[str, ...] = ()
    """Why it did not pass, in a sentence each."""
