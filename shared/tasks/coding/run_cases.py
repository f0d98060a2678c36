"""Call a program's function in the sandbox, a process for each case, and compare outside what it returned."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import field_validator

from shared.sandbox.limits import Ended, Limits
from shared.sandbox.run_program import run_program
from shared.strict import Strict

CALL_FUNCTION = Path(__file__).with_name("call_function.py").read_text(encoding="utf-8")

LIMITS = Limits(cpu_s=2, wall_s=8)
"""A case of these items takes milliseconds. A tool call, which runs three, is waited for 30 s."""

How = Literal["right", "another value", "an error", "no value", "no end in time"]


class Case(Strict):
    arguments: tuple[Any, ...]
    returns: Any

    @field_validator("arguments", "returns")
    @classmethod
    def _plain_data(cls, value: Any) -> Any:
        try:
            again = json.loads(json.dumps(value, allow_nan=False))
        except (TypeError, ValueError):
            again = None
        if not same(list(value) if isinstance(value, tuple) else value, again):
            raise ValueError(f"{value!r} is more than text, numbers, lists and objects with text as keys")
        return value

    def call(self, function: str) -> str:
        """As Python writes it, e.g. `area(2, 3)`."""
        return f"{function}({', '.join(map(repr, self.arguments))})"

    def example(self, function: str) -> str:
        return f"{self.call(function)} returns {self.returns!r}"


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one case."""

    case: Case
    how: How
    returned: str = ""
    """With "another value", as Python writes it."""
    error: str = ""
    """With "an error" or "no value", the program's own words: untrusted."""
    printed: str = ""


def run_cases(program: str, function: str, cases: Iterable[Case]) -> list[Tried]:
    """In their order. Raises SandboxUnavailable, and SandboxFailed."""
    return [
        _tried(case, run_program(CALL_FUNCTION, _order(program, function, case), LIMITS)) for case in cases
    ]


def same(expected: Any, got: Any) -> bool:
    """Equal as plain data: true is not 1, and numbers with a fraction are equal to nine digits."""
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    if isinstance(expected, int | float) and isinstance(got, int | float):
        return expected == got or _close(expected, got)
    if type(expected) is not type(got):
        return False
    if isinstance(expected, list):
        return len(expected) == len(got) and all(map(same, expected, got))
    if isinstance(expected, dict):
        return expected.keys() == got.keys() and all(same(expected[key], got[key]) for key in expected)
    return bool(expected == got)


def _close(expected: float, got: float) -> bool:
    if isinstance(expected, int) and isinstance(got, int):
        return False
    try:
        return math.isclose(expected, got, rel_tol=1e-9, abs_tol=1e-9)
    except OverflowError:
        return False


def _order(program: str, function: str, case: Case) -> str:
    return json.dumps({"program": program, "function": function, "arguments": case.arguments})


def _tried(case: Case, ended: Ended) -> Tried:
    if ended.how in ("cpu_limit", "wall_limit"):
        return Tried(case, "no end in time", printed=ended.stderr)
    try:
        answer = json.loads(ended.stdout)
        repr(answer)  # what nests too deeply to be written again is no value
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or not answer.keys() & {"value", "error"}:
        ending = f"signal {ended.signal}" if ended.signal else f"exit code {ended.exit_code}"
        return Tried(
            case, "no value", error=f"it ended without returning, with {ending}", printed=ended.stderr
        )
    if "value" not in answer:
        return Tried(case, "an error", error=str(answer["error"]), printed=ended.stderr)
    if same(case.returns, answer["value"]):
        return Tried(case, "right", printed=ended.stderr)
    return Tried(case, "another value", returned=repr(answer["value"]), printed=ended.stderr)
