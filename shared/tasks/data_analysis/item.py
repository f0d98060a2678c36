"""A question on a generated shop, with its right answer worked out from the shop itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import Field, model_validator

from shared.tasks.answer_line import given_answer
from shared.tasks.data_analysis.answer import Name, RightAnswer, single_number
from shared.tasks.data_analysis.questions import Question
from shared.tasks.data_analysis.shop import Shop, make_shop
from shared.tasks.data_analysis.tables import COLUMNS, NOTES, schema, tables_of
from shared.tasks.data_analysis.tools import FAILED
from shared.tasks.item import TaskItem
from shared.tasks.score import Answer, Score
from shared.tasks.synthetic import Difficulty


class Item(TaskItem):
    seed: int = Field(ge=0)
    """Of the data: another seed is another shop, with other answers."""
    orders: int = Field(ge=100, le=1500)
    """How many there are; the other tables follow."""
    difficulty: Difficulty
    """Easy: one table. Medium: a join, or one peculiarity of the data. Hard: several."""
    question: Question

    @model_validator(mode="after")
    def _has_an_answer(self) -> Item:
        self.right_answer()
        return self

    def right_answer(self) -> RightAnswer:
        return self.question.answer(_shop(self.seed, self.orders))

    def fields(self) -> dict[str, str]:
        return {
            "question": self.question.text(),
            "tables": schema(),
            "notes": NOTES,
        }

    def tool_data(self, queries: Mapping[str, tuple[str, ...]]) -> Any:  # noqa: ARG002 - there are none
        return {"tables": _tables(self.seed, self.orders), "columns": COLUMNS}

    def secrets(self) -> tuple[str, ...]:
        return (f"Answer: {self.right_answer().text}",)

    def score(self, answer: Answer) -> Score:
        """Passed: the last `Answer:` line holds the right number, within its last place, or name.

        Figures: answered (0 or 1), relative_error (1 where no number was given, and for a wrong name),
        queries and failed_queries.
        """
        right, given = self.right_answer(), given_answer(answer.text)
        results = [use.result for use in answer.tool_calls]
        passed, error, why = _held_against(right, given)
        return Score(
            passed=passed,
            figures={
                "answered": float(given is not None),
                "relative_error": error,
                "queries": float(len(results)),
                "failed_queries": float(sum(result.startswith(FAILED) for result in results)),
            },
            notes=(why,) if why else (),
        )


def _held_against(right: RightAnswer, given: str | None) -> tuple[bool, float, str]:
    """Whether it is right, the relative error, and why it is wrong."""
    if given is None:
        return False, 1.0, "No line begins with `Answer:`."
    if isinstance(right, Name):
        met = right.is_met_by(given)
        return met, 0.0 if met else 1.0, "" if met else f"{given[:80]!r} is not {right.text!r}."
    number = single_number(given)
    if number is None:
        return False, 1.0, f"{given[:80]!r} is not one number."
    met = right.is_met_by(number)
    return met, right.relative_error(number), "" if met else f"{number:g} is not {right.text}."


@lru_cache(maxsize=32)
def _shop(seed: int, orders: int) -> Shop:
    return make_shop(seed, orders)


@lru_cache(maxsize=32)
def _tables(seed: int, orders: int) -> dict[str, list[list[Any]]]:
    return tables_of(_shop(seed, orders), seed)
