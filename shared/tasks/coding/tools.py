"""The tool `run_examples`: runs a program in the sandbox on the examples that the agents were told."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from shared.contract import ToolSpec
from shared.foreign_text import harmless
from shared.sandbox.choose_isolation import choose_isolation
from shared.tasks.coding.find_program import find_program
from shared.tasks.coding.run_cases import Case, Tried, run_cases
from shared.tools.arguments import text_argument

MAX_PROGRAM_CHARS = 20_000
SHOWN_CHARS = 300
"""Of a value, an error or what was printed."""

ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
"""Where an object lies in memory, which differs in every run."""


class Tools:
    SPECS: ClassVar[tuple[ToolSpec, ...]] = (
        ToolSpec(
            name="run_examples",
            description="Run a program on the examples. Says which fail, and how.",
            parameters={
                "type": "object",
                "properties": {"program": {"type": "string", "description": "The complete Python program."}},
                "required": ["program"],
            },
        ),
    )

    def __init__(self, data: Any) -> None:
        """Raises SandboxUnavailable: a run whose programs cannot be tried is not begun."""
        choose_isolation()
        self._function: str = data["function"]
        self._examples = [Case.model_validate(example) for example in data["examples"]]

    @classmethod
    def check(cls, data: Any) -> None:  # noqa: ARG003 - the same for all items
        """Raises SandboxUnavailable where `__init__` would."""
        choose_isolation()

    def call(self, name: str, arguments: dict[str, Any]) -> str:  # noqa: ARG002 - there is only one
        program = text_argument(arguments, "program")
        if program is None:
            return 'run_examples needs a text argument "program": the complete Python program.'
        if len(program) > MAX_PROGRAM_CHARS:
            return f"The program is too long: {len(program)} characters, at most {MAX_PROGRAM_CHARS}."
        program = find_program(program, self._function) or program
        if not re.search(rf"\bdef\s+{self._function}\b", program):
            return f"The program does not define {self._function}. Give the complete program."
        tried: list[Tried] = []
        for example in self._examples:
            tried += run_cases(program, self._function, [example])
            # The caller does not wait for more than one that takes all its time.
            if tried[-1].how == "no end in time":
                break
        held = sum(case.how == "right" for case in tried)
        lines = [f"{held} of {len(self._examples)} examples hold.", *map(self._line, tried)]
        lines += [f"- {left.call(self._function)}: not run" for left in self._examples[len(tried) :]]
        return harmless(ADDRESS.sub("0x...", "\n".join(lines)))

    def close(self) -> None:
        pass

    def _line(self, tried: Tried) -> str:
        call = tried.case.call(self._function)
        if tried.how == "right":
            return f"- {call}: right"
        became = {
            "another value": f"it returned {_short(tried.returned)}",
            "an error": _short(tried.error),
            "no value": tried.error,
            "no end in time": "it did not end in time",
        }[tried.how]
        printed = f" It printed: {_short(tried.printed.strip())}" if tried.printed.strip() else ""
        return f"- {call}: fails: {became}; right is {tried.case.returns!r}.{printed}"


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}..."
