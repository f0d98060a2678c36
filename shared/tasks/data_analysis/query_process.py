"""A process of its own that answers queries: DuckDB and the standard library, and nothing of ours.

It is started as a file, with an empty environment. A line of JSON comes in for the tables, then one for each
query, and a line of JSON goes back for each. DuckDB's own limits are not enough: constants such as
range(1000000000) are made without regard to its memory limit (20 GB were seen) and cannot be interrupted. So
the process has a limit of memory from the system, and who started it kills it when it does not answer.

Every query begins with the same seed, so random(), uuid() and USING SAMPLE are the same in every run. A
Bernoulli sample, which DuckDB seeds by itself, is not, nor is what the clock says, as in now() and uuidv7().
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any

import duckdb

MEMORY_BYTES = 1 << 30
"""Of addresses, the interpreter and DuckDB included (about 400 MB before any query)."""
CPU_S = 120
"""In all; a process whose parent is gone ends by it at the latest."""
QUERY_S = 5
"""After which DuckDB stops a query. On tables of a few thousand rows any sensible one takes milliseconds."""
SETTINGS = {
    "threads": "1",
    "memory_limit": "256MB",
    "temp_directory": "",
    "max_execution_time": str(QUERY_S * 1000),
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "enable_external_access": "false",
    "lock_configuration": "true",
}
"""In this order, once the data are there."""
READ_ONLY = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
"""DESCRIBE, SHOW and SUMMARIZE are SELECT too."""


def main() -> None:
    _bound_this_process()
    wanted = json.loads(sys.stdin.readline())
    connection = _open(wanted["tables"], wanted["columns"])
    _say({})
    for line in sys.stdin:
        query = json.loads(line)
        _say(_answer(connection, query["sql"], query["max_rows"], query["max_cell_chars"]))


def _bound_this_process() -> None:
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(what, (most, most))


def _open(
    tables: dict[str, list[list[Any]]], columns: dict[str, dict[str, str]]
) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    for table, kinds in columns.items():
        declared = ", ".join(f'"{column}" {kind}' for column, kind in kinds.items())
        connection.execute(f'CREATE TABLE "{table}" ({declared})')
        columns_of_cells = [list(cells) for cells in zip(*tables[table], strict=True)]
        selected = ", ".join("unnest(?)" for _ in kinds)  # 20 times as fast as rows of placeholders
        connection.execute(f'INSERT INTO "{table}" SELECT {selected}', columns_of_cells)
    for setting, value in SETTINGS.items():
        connection.execute(f"SET {setting} = '{value}'")
    return connection


def _answer(
    connection: duckdb.DuckDBPyConnection, sql: str, max_rows: int, max_cell_chars: int
) -> dict[str, Any]:
    """Columns and rows as text, or "error" with what DuckDB says."""
    try:
        statements = connection.extract_statements(sql)
        if len(statements) != 1:
            return {"error": f"one statement is wanted, and this is {len(statements)}"}
        if statements[0].type not in READ_ONLY:
            kind = statements[0].type.name
            return {"error": f"the data can only be read: begin with SELECT or WITH, not {kind}"}
        connection.execute("SELECT setseed(0.5)")
        connection.execute("BEGIN TRANSACTION READ ONLY")
        try:
            return _result(connection.execute(statements[0]), max_rows, max_cell_chars)
        finally:
            connection.execute("ROLLBACK")
    except duckdb.InterruptException:
        return {"error": "it took too long and was stopped: ask for less at once"}
    except (MemoryError, duckdb.OutOfMemoryException):
        return {"error": "it needs too much memory: ask for less at once"}
    except (duckdb.Error, RuntimeError, ValueError, OverflowError) as error:
        return {"error": str(error)}


def _result(found: duckdb.DuckDBPyConnection, max_rows: int, max_cell_chars: int) -> dict[str, Any]:
    names = [str(column[0]) for column in found.description or ()]
    rows = found.fetchmany(max_rows + 1)
    return {
        "columns": [name[:max_cell_chars] for name in names],
        "rows": [[_text(cell, max_cell_chars) for cell in row] for row in rows[:max_rows]],
        "more": len(rows) > max_rows,
    }


def _text(cell: object, max_chars: int) -> str:
    text = "NULL" if cell is None else str(cell)
    return text if len(text) <= max_chars else f"{text[:max_chars]}..."


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
