"""One small program to write: what it is to do, examples that agents see, and hidden cases that decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from shared.tasks.coding.find_program import find_program
from shared.tasks.coding.run_cases import Case, Tried, run_cases
from shared.tasks.item import TaskItem
from shared.tasks.score import Answer, Score


class Item(TaskItem):
    difficulty: Literal["easy", "medium", "hard"]
    signature: str = Field(pattern=r"^[a-z_]\w*\(.*\) -> .+$")
    """As Python writes it, e.g. `area(width: int, height: int) -> int`."""
    statement: str = Field(min_length=1)
    """All that the program is to do, whole enough to tell every hidden case."""
    examples: tuple[Case, ...] = Field(min_length=1, max_length=3)
    """What agents are shown, and what `run_examples` runs."""
    hidden: tuple[Case, ...] = Field(min_length=1)
    """What decides. Never told to an agent, a tool or a judge."""
    reference: str
    """A right program; it shows that the cases can be met, and is used for nothing else."""
    wrong: str
    """A program that the examples pass and the hidden cases must not."""

    @model_validator(mode="after")
    def _no_example_is_hidden(self) -> Item:
        shown = {example.call(self.function) for example in self.examples}
        for place, case in enumerate(self.hidden):
            if case.call(self.function) in shown:
                raise ValueError(f"hidden[{place}] is among the examples: it would decide nothing")
        return self

    @property
    def function(self) -> str:
        return self.signature.partition("(")[0]

    def fields(self) -> dict[str, str]:
        examples = "\n".join(f"- {example.example(self.function)}" for example in self.examples)
        return {"signature": f"`{self.signature}`", "statement": self.statement, "examples": examples}

    def tool_data(self, queries: Mapping[str, tuple[str, ...]]) -> Any:  # noqa: ARG002 - has none
        return {"function": self.function, "examples": [example.model_dump() for example in self.examples]}

    def secrets(self) -> tuple[str, ...]:
        return (*(case.call(self.function) for case in self.hidden), self.reference, self.wrong)

    def score(self, answer: Answer) -> Score:
        """Raises SandboxUnavailable where an answer holds a program and nothing can be run safely."""
        program = find_program(answer.text, self.function)
        if program is None:
            return _score([], [], note=f"no fenced block defines {self.function}")
        hidden = run_cases(program, self.function, self.hidden)
        wrong = Counter(tried.how for tried in hidden if tried.how != "right")
        # How they fail, not which: what is written down can be read by who writes the next prompt.
        why = ", ".join(f"{count} with {how}" for how, count in wrong.most_common())
        note = f"{wrong.total()} of {len(hidden)} hidden cases fail: {why}" if wrong else ""
        return _score(hidden, run_cases(program, self.function, self.examples), note)


def _score(hidden: list[Tried], examples: list[Tried], note: str) -> Score:
    return Score(
        passed=bool(hidden) and _share(hidden) == 1,
        figures={
            "hidden_cases_share": _share(hidden),
            "examples_share": _share(examples),
            "program_found": float(bool(hidden)),
        },
        notes=(note,) if note else (),
    )


def _share(tried: list[Tried]) -> float:
    return sum(case.how == "right" for case in tried) / len(tried) if tried else 0.0
