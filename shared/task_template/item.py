"""One item of this task: how its file looks, what agents are told of it, and when a run has done it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from shared.tasks.item import TaskItem
from shared.tasks.score import Answer, Score

_ANSWER = re.compile(r"^\W*answer\W*:\s*(.*?)\W*$", re.IGNORECASE | re.MULTILINE)


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
        given = _ANSWER.findall(answer.text)
        right = bool(given) and given[-1].casefold() == self.answer.casefold()
        said = f"the last answer is {given[-1]!r}" if given else "no line says Answer:"
        looked_up = {str(use.arguments.get("topic")) for use in answer.tool_calls} & set(self.notes)
        return Score(
            passed=right,
            figures={"topics_looked_up_share": len(looked_up) / len(self.notes)},
            notes=() if right else (said,),
        )
