"""One item of this task: how its file looks, what agents are told of it, and when a run has done it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from shared.tasks.answer_line import given_answer, same_words
from shared.tasks.item import TaskItem
from shared.tasks.score import Answer, Score


class Item(TaskItem):
    question: str
    notes: dict[str, str] = Field(min_length=1)
    """Topic -> what the tool says of it."""
    answer: str
    """The one right answer. No agent is told."""

    def fields(self) -> dict[str, str]:
        return {"question": self.question, "topics": ", ".join(self.notes)}

    def tool_data(self, queries: Mapping[str, tuple[str, ...]]) -> Any:  # noqa: ARG002 - has none
        return self.notes

    def secrets(self) -> tuple[str, ...]:
        return (f"Answer: {self.answer}",)

    def score(self, answer: Answer) -> Score:
        given = given_answer(answer.text)
        right = given is not None and same_words(given, self.answer)
        said = "no line says Answer:" if given is None else f"the last answer is {given!r}"
        asked = {str(use.arguments.get("topic")).strip().casefold() for use in answer.tool_calls}
        looked_up = asked & {topic.casefold() for topic in self.notes}
        return Score(
            passed=right,
            figures={"topics_looked_up_share": len(looked_up) / len(self.notes)},
            notes=() if right else (said,),
        )
