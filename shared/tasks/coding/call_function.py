"""Runs inside the sandbox: loads the program, calls its function once, and writes what came of it.

Read as text and run there with the standard library only. The order is JSON on standard input: the program's
text, the function's name and the arguments. What is expected stays outside. The answer is JSON on standard
output; what the program prints goes to standard error.
"""

from __future__ import annotations

import json
import linecache
import os
import sys
import types
from typing import Any

FILE = "the program"
MAX_ERROR_CHARS = 300


def main() -> None:
    order = json.load(sys.stdin)
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    found = outcome(order["program"], order["function"], order["arguments"])
    answer.write(json.dumps(found))
    answer.flush()


def outcome(program: str, function: str, arguments: list[Any]) -> dict[str, Any]:
    """{"value": ...} or {"error": "..."}."""
    linecache.cache[FILE] = (len(program), None, program.splitlines(keepends=True), FILE)
    module = types.ModuleType("program")
    sys.modules["program"] = module
    try:
        exec(compile(program, FILE, "exec"), module.__dict__)  # noqa: S102 - this is the sandbox
        value = getattr(module, function)(*arguments)
    except BaseException as error:  # noqa: BLE001 - SystemExit is an answer as well
        return {"error": described(error)}
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return {
            "error": f"it returned a value of type {type(value).__name__} that holds more than plain data"
        }
    return {"value": value}


def described(error: BaseException) -> str:
    place, trace = "", error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == FILE:
            place = f" in line {trace.tb_lineno}"
        trace = trace.tb_next
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} in line {error.lineno}"
    return f"{type(error).__name__}: {error}"[:MAX_ERROR_CHARS] + place


if __name__ == "__main__":
    main()
