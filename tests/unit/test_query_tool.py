"""The tool `query`: what it answers, what it refuses, and what no query can do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.tasks.data_analysis.shop import make_shop
from shared.tasks.data_analysis.tables import COLUMNS, tables_of
from shared.tasks.data_analysis.tools import FAILED, MAX_ANSWER_CHARS, MAX_ROWS, Tools

DATA = {"tables": tables_of(make_shop(1, 150), 1), "columns": COLUMNS}


@pytest.fixture(scope="module")
def tools() -> Iterator[Tools]:
    opened = Tools(DATA)
    yield opened
    opened.close()


def ask(tools: Tools, sql: str) -> str:
    return tools.call("query", {"sql": sql})


def test_a_query_is_answered_as_a_small_table(tools: Tools) -> None:
    """The number of rows, the columns' names, a row a line, NULL as NULL."""
    assert ask(tools, "SELECT city, NULL AS gap FROM stores ORDER BY city LIMIT 2") == (
        "2 rows:\ncity | gap\nAuckland | NULL\nDenver | NULL"
    )
    assert ask(tools, "SELECT 1 AS one WHERE false") == "0 rows:\none"


@pytest.mark.parametrize(
    "sql",
    ["DESCRIBE orders", "SHOW TABLES", "SUMMARIZE stores", "FROM stores", "WITH a AS (SELECT 1) FROM a;"],
)
def test_looking_at_the_tables_works(tools: Tools, sql: str) -> None:
    """What a model may try first is a query like any other."""
    assert not ask(tools, sql).startswith(FAILED)


def test_answers_are_bounded(tools: Tools) -> None:
    """Many rows, many columns and long cells are cut, and the answer says that there is more."""
    many = ask(tools, "SELECT * FROM range(100000)")
    assert many.startswith(f"The first {MAX_ROWS} of more rows:")
    assert len(many.splitlines()) == MAX_ROWS + 2
    wide = ask(tools, "SELECT repeat('x', 5000) AS a, * FROM orders")
    assert wide.startswith("The first ")
    assert len(wide) <= MAX_ANSWER_CHARS + 100
    columns = ask(tools, f"SELECT {', '.join(f'{n} AS column_{n}' for n in range(800))}")
    assert len(columns) <= MAX_ANSWER_CHARS + 100


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT status FROM ordrs", "orders"),
        ("SELECT stats FROM orders", "status"),
        ("SELEC 1", "syntax error"),
        ("SELECT 1; SELECT 2", "one statement"),
        ("-- nothing", "one statement"),
        ("DELETE FROM orders", "only be read"),
        ("CREATE TABLE x AS SELECT 1", "only be read"),
        ("SET threads = 8", "only be read"),
        ("INSTALL httpfs", "only be read"),
        ("LOAD httpfs", "only be read"),
        ("ATTACH '/tmp/x.db'", "only be read"),
        ("COPY orders TO '/tmp/x.csv'", "only be read"),
        ("PREPARE p AS DELETE FROM orders", "only be read"),
        ("SELECT * FROM query('DELETE FROM orders')", "SELECT"),
        ("SELECT * FROM read_text('/etc/passwd')", "disabled"),
        ("SELECT * FROM read_csv('/etc/passwd')", "disabled"),
        ("SELECT * FROM glob('/*')", "disabled"),
        ("SELECT * FROM '/etc/passwd'", "does not exist"),
        ("SELECT * FROM 'https://example.org/x.csv'", "disabled"),
        ("SELECT getenv('HOME')", "does not exist"),
        ("SELECT * FROM connection", "does not exist"),
        ("EXPLAIN ANALYZE DELETE FROM orders", "read-only"),
    ],
)
def test_a_failing_query_says_why(tools: Tools, sql: str, said: str) -> None:
    """Mistakes are told in DuckDB's words; files, settings, network and writing are out of reach."""
    answer = ask(tools, sql)
    assert answer.startswith(FAILED)
    assert said in answer
    assert ask(tools, "SELECT count(*) FROM orders").splitlines()[-1] == str(len(DATA["tables"]["orders"]))


@pytest.mark.parametrize(
    "sql", ["SELECT random()", "SELECT gen_random_uuid()", "SELECT order_id FROM orders USING SAMPLE 5"]
)
def test_chance_is_the_same_in_every_run(tools: Tools, sql: str) -> None:
    """A query that draws has the same answer in another run, and again in the same one."""
    other = Tools(DATA)
    try:
        drawn = ask(other, sql)
    finally:
        other.close()
    assert not drawn.startswith(FAILED)
    assert ask(tools, sql) == ask(tools, sql) == drawn


@pytest.mark.parametrize(
    "arguments", [{}, {"sql": ""}, {"sql": 5}, {"sql": None}, {"query": "SELECT 1"}, {"sql": "x" * 20_000}]
)
def test_bad_arguments_are_answered(tools: Tools, arguments: dict[str, object]) -> None:
    """A call that is none says how to ask, and raises nothing."""
    assert tools.call("query", arguments).startswith(FAILED)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM range(100000000) a, range(100000) b",
        "WITH RECURSIVE r AS (SELECT 1 i UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r",
    ],
)
def test_an_endless_query_is_stopped(tools: Tools, sql: str) -> None:
    """A query without an end is ended, and the next one is answered."""
    assert ask(tools, sql).startswith(f"{FAILED}it took too long")
    assert ask(tools, "SELECT 1").startswith("1 row")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT range(1000000000)",
        "SELECT length(repeat('x', 4000000000))",
        "SELECT list(i) FROM range(50000000) r(i)",
        "SELECT string_agg(repeat('x', 1000000), '') FROM range(3000)",
    ],
)
def test_a_query_cannot_take_the_machines_memory(tools: Tools, sql: str) -> None:
    """Constants and aggregates of gigabytes end as a failed query, and the next one is answered."""
    assert "memory" in ask(tools, sql)
    assert ask(tools, "SELECT 1").startswith("1 row")


def test_what_cannot_be_interrupted_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that gives no answer in time is ended, and another one takes the next query."""
    opened = Tools(DATA)
    try:
        assert ask(opened, "SELECT 1").startswith("1 row")
        monkeypatch.setattr("shared.tasks.data_analysis.tools.ANSWER_S", 0.2)
        assert ask(opened, "SELECT count(*) FROM range(100000000) a, range(100000) b").startswith(FAILED)
        monkeypatch.undo()
        assert ask(opened, "SELECT 1").startswith("1 row")
    finally:
        opened.close()


def test_a_process_that_dies_is_replaced() -> None:
    """When it ends between two queries, one at most fails, and the next is answered."""
    opened = Tools(DATA)
    try:
        for _ in range(2):
            assert opened._process is not None
            ask(opened, "SELECT 1")
            opened._process.kill()
            opened._process.wait(20)
            assert ask(opened, "SELECT 1").startswith(FAILED)
            assert ask(opened, "SELECT count(*) FROM stores").endswith("6")
    finally:
        opened.close()


def test_closing_ends_the_process() -> None:
    """After close, before any call and twice too, no process is left."""
    opened = Tools(DATA)
    opened.close()
    ask(opened, "SELECT 1")
    process = opened._process
    assert process is not None
    assert Path(f"/proc/{process.pid}").exists()
    opened.close()
    opened.close()
    assert process.returncode is not None
