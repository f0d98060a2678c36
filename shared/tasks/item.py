"""What a task is about this time: the base of every kind of item.

A task's folder may hold an `item.py` with a class `Item` of its own; else its items are `FactItem`s.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field

from shared.strict import Strict
from shared.tasks.score import Answer, Score
from shared.yardsticks import ExpectedFact


class TaskItem(Strict):
    """One item file. What a kind does not override, it has nothing of."""

    name: str = Field(min_length=1)
    """As people write it, e.g. "Stripe"."""
    as_of: dt.date | None = None
    """What it says was true on that day."""

    def fields(self) -> dict[str, str]:
        """More names for the agents' requests and the description, beside {item}, {as_of} and {results}."""
        return {}

    def tool_data(self, queries: Mapping[str, tuple[str, ...]]) -> Any:  # noqa: ARG002 - for those who use it
        """What the run's tools are opened with. JSON-compatible.

        Args:
            queries: The task's standard queries, of `task.yaml`.
        """
        return {}

    def problems(self, queries: Mapping[str, tuple[str, ...]]) -> list[str]:  # noqa: ARG002 - as above
        """What does not fit the task, each in words that name the key."""
        return []

    def limited(self, facts_per_query: int) -> Self:  # noqa: ARG002 - as above
        """With no more facts than a plan's limit."""
        return self

    def secrets(self) -> tuple[str, ...]:
        """Texts that no agent may be told, such as the answer: what the checks of a task look for."""
        return ()

    def evidence(self) -> str:
        """What a judge holds the answer against."""
        return ""

    def sources(self) -> tuple[str, ...]:
        """All that is known, for finding claims that no source holds."""
        return ()

    def expected_facts(self) -> tuple[ExpectedFact, ...]:
        return ()

    def score(self, answer: Answer) -> Score | None:  # noqa: ARG002 - as above
        """Whether the run did the task. None: only checks and judges can say."""
        return None
