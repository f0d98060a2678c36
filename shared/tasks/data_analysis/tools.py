"""The tool `query`: one read-only SQL statement on the run's own copy of the data.

The data is {"tables": {table: rows}, "columns": {table: {column: type}}}. A successful answer begins with the
number of rows, a failed one with `FAILED`. `query_process.py` says how the process is bounded that runs them.
"""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

from shared.contract import ToolSpec
from shared.tools.arguments import text_argument

FAILED = "Query failed: "
MAX_ROWS = 50
MAX_CELL_CHARS = 200
MAX_ANSWER_CHARS = 4_000
"""About a thousand tokens, so that a small model's context holds several answers."""
MAX_SQL_CHARS = 10_000
ANSWER_S = 8
"""After which the process is killed, because some work of DuckDB's cannot be interrupted."""
START_S = 20
"""For a slow machine; it takes half a second. With an answer it stays below a tool call's 30 seconds."""

_PROCESS = Path(__file__).with_name("query_process.py")


class Tools:
    """One per run."""

    SPECS: ClassVar[tuple[ToolSpec, ...]] = (
        ToolSpec(
            name="query",
            description=(
                "Run one SQL SELECT statement (DuckDB) on the data, and see its result: at most "
                f"{MAX_ROWS} rows."
            ),
            parameters={
                "type": "object",
                "properties": {"sql": {"type": "string", "description": "One SELECT statement."}},
                "required": ["sql"],
            },
        ),
    )

    def __init__(self, data: Any) -> None:
        """The process starts while the run's first agents are at work, so that no query waits for Python."""
        self._data = data
        self._process: subprocess.Popen[str] | None = _started()
        self._loaded = False

    def call(self, name: str, arguments: dict[str, Any]) -> str:  # noqa: ARG002 - there is only one
        """What the query gives as text, or why it failed and how to ask."""
        sql = text_argument(arguments, "sql")
        if sql is None:
            return f'{FAILED}query needs a text argument "sql" with one SELECT statement.'
        if len(sql) > MAX_SQL_CHARS:
            return f"{FAILED}the statement has more than {MAX_SQL_CHARS:,} characters."
        question = {"sql": sql, "max_rows": MAX_ROWS, "max_cell_chars": MAX_CELL_CHARS}
        answer = self._ask(self._with_data(), question, ANSWER_S)
        if answer is None:
            self.close()
            return f"{FAILED}it took too long or needed too much memory. Ask for less at once."
        if "error" in answer:
            return f"{FAILED}{_cut(answer['error'])}"
        return _shown(answer)

    def close(self) -> None:
        """End the process; a later call starts another."""
        process, self._process, self._loaded = self._process, None, False
        if process is not None:
            process.kill()
            with contextlib.suppress(OSError), process:  # a pipe may be broken
                process.wait()

    def _with_data(self) -> subprocess.Popen[str]:
        """Raises RuntimeError when there is no process that answers: our fault, not the model's."""
        process = self._process = self._process or _started()
        if not self._loaded and self._ask(process, self._data, START_S) is None:
            self.close()
            raise RuntimeError("the process that runs queries does not start")
        self._loaded = True
        return process

    @staticmethod
    def _ask(process: subprocess.Popen[str], question: dict[str, Any], timeout_s: float) -> Any:
        """Its answer; None when it ended or is not done in time."""
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        with contextlib.suppress(OSError, ValueError):
            print(json.dumps(question), file=process.stdin, flush=True)
            if select.select([process.stdout], [], [], timeout_s)[0]:
                return json.loads(process.stdout.readline())
        return None


def _started() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-I", str(_PROCESS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
        text=True,
    )


def _shown(answer: dict[str, Any]) -> str:
    """The number of rows, the columns' names, then a row a line, cut where it gets too long."""
    lines = [" | ".join(cells) for cells in [answer["columns"], *answer["rows"]]]
    kept, size = [], 0
    for line in lines:
        size += len(line) + 1
        if size > MAX_ANSWER_CHARS:
            break
        kept.append(line)
    rows = max(0, len(kept) - 1)
    more = answer["more"] or rows < len(answer["rows"])
    count = f"The first {rows} of more rows" if more else f"{rows} row{'' if rows == 1 else 's'}"
    return "\n".join([f"{count}:", *(kept or [_cut(lines[0])])])


def _cut(text: str) -> str:
    return text if len(text) <= MAX_ANSWER_CHARS else f"{text[:MAX_ANSWER_CHARS]}..."
