"""The task data_analysis: its data, its questions, and how answers are read and scored."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.tasks.answer_line import given_answer
from shared.tasks.data_analysis.answer import Name, Number, RightAnswer, single_number
from shared.tasks.data_analysis.generate import KINDS, draw_question, generate
from shared.tasks.data_analysis.item import Item
from shared.tasks.data_analysis.questions import Question
from shared.tasks.data_analysis.shop import make_shop
from shared.tasks.data_analysis.tables import COLUMNS, tables_of
from shared.tasks.data_analysis.tools import Tools
from shared.tasks.load_task import load_task
from shared.tasks.score import Answer, ToolUse
from shared.tasks.synthetic import Difficulty
from tests.unit.reference_queries import NAIVE, QUERIES, reference_query

SEEDS = range(12)


def item(seed: int = 5, **question: Any) -> Item:
    return Item.model_validate(
        {"name": "x", "seed": seed, "orders": 200, "difficulty": "easy", "question": question}
    )


@pytest.fixture(scope="module")
def opened() -> Iterator[Any]:
    """Tools for the tables of a seed, closed at the end."""
    kept: dict[int, Tools] = {}

    def tools(seed: int) -> Tools:
        if seed not in kept:
            data = {"tables": tables_of(make_shop(seed, 200), seed), "columns": COLUMNS}
            kept[seed] = Tools(data)
        return kept[seed]

    yield tools
    for one in kept.values():
        one.close()


def only_cell(result: str) -> str:
    count, _, cell = result.splitlines()
    assert count == "1 row:"
    return cell


def is_met(right: RightAnswer, cell: str) -> bool:
    return right.is_met_by(cell) if isinstance(right, Name) else right.is_met_by(float(cell))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_right_query_finds_the_answer_known_from_the_shop(opened: Any, seed: int) -> None:
    """For any seed and drawn parameters an expert's SQL on the tables and plain Python on the shop agree."""
    draw = random.Random(seed)  # noqa: S311 - which parameters to try
    for kind in QUERIES:
        question = draw_question(kind, draw)
        right = item(seed, **question).right_answer()
        cell = only_cell(opened(seed).call("query", {"sql": reference_query(question)}))
        assert is_met(right, cell), (question, right, cell)


def test_every_kind_of_question_is_proven_shipped_and_drawn() -> None:
    """None is asked that was not proven to be answerable; each is shipped, at the difficulty at which it is drawn."""
    shipped = load_task("data_analysis").items.values()
    graded = {(one.difficulty, one.question.kind) for one in shipped if isinstance(one, Item)}
    assert graded == {(difficulty, kind) for difficulty, kinds in KINDS.items() for kind in kinds}
    assert {kind for _, kind in graded} == set(QUERIES)
    asked = get_args(get_args(Question)[0])
    assert set(QUERIES) == {get_args(model.model_fields["kind"].annotation)[0] for model in asked}


@pytest.mark.parametrize("difficulty", KINDS)
def test_drawn_items_follow_from_their_seed(difficulty: Difficulty) -> None:
    """The same seed is the same question on the same data, and each seed's is complete."""
    assert generate(1, difficulty) == generate(1, difficulty)
    drawn = [generate(seed, difficulty) for seed in range(30)]
    assert {one.question.kind for one in drawn} == set(KINDS[difficulty])
    assert len({one.name for one in drawn}) == 30


@pytest.mark.parametrize("kind", NAIVE)
def test_overlooking_a_peculiarity_is_wrong_on_most_shops(opened: Any, kind: str) -> None:
    """The planted duplicates, gaps, small letters and time zones change the answers that they are meant to."""
    wrong = 0
    for seed in range(8):
        question = draw_question(kind, random.Random(seed))  # noqa: S311
        cell = only_cell(opened(seed).call("query", {"sql": NAIVE[kind].format(**question)}))
        wrong += not is_met(item(seed, **question).right_answer(), cell)
    assert wrong >= 5


@pytest.mark.parametrize("name", load_task("data_analysis").items)
def test_shipped_items_can_be_answered_and_tell_no_answer(name: str) -> None:
    """For each shipped item the reference query is right, and no request or tool's data states the answer."""
    task = load_task("data_analysis")
    one = task.item(name)
    assert isinstance(one, Item)
    data = one.tool_data({})
    tools = Tools(data)
    try:
        cell = only_cell(tools.call("query", {"sql": reference_query(one.question.model_dump())}))
    finally:
        tools.close()
    right = one.right_answer()
    assert is_met(right, cell)
    assert set(data) == {"tables", "columns"}
    told = " ".join(agent.instructions + agent.request for agent in task.agents(name))
    assert f" {right.text}" not in told


def test_the_same_seed_is_the_same_data_everywhere() -> None:
    """Data follow from seed and size alone: the digest holds on every machine and Python version."""
    first = json.dumps(tables_of(make_shop(7, 300), 7))
    assert first == json.dumps(tables_of(make_shop(7, 300), 7))
    assert first != json.dumps(tables_of(make_shop(8, 300), 8))
    assert hashlib.sha256(first.encode()).hexdigest()[:16] == "5a38588933203d93"


@pytest.mark.parametrize("seed", SEEDS)
def test_shops_are_coherent_and_their_tables_peculiar(seed: int) -> None:
    """Nobody buys before joining, paid prices were list prices of their day, and each peculiarity is there."""
    shop = make_shop(seed, 200)
    for order in shop.orders:
        assert order.store.opened_on < order.local_time.date()
        assert order.customer is None or order.customer.joined_on < order.local_time.date()
        assert all(line.price_cents == line.product.price_on(order.local_time.date()) for line in order.lines)
    tables = tables_of(shop, seed)
    assert len(tables["orders"]) > len(shop.orders) == len({row[0] for row in tables["orders"]})
    assert len(tables["order_lines"]) > sum(len(order.lines) for order in shop.orders)
    countries = [row[2] for row in tables["customers"]]
    assert None in countries
    assert any(country and country.islower() for country in countries)
    assert {row[5] for row in tables["order_lines"]} > {None}
    for table, rows in tables.items():
        assert all(len(row) == len(COLUMNS[table]) for row in rows)


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("Answer: 12", "12"),
        ("So it is.\n\n**Answer:** 12.50", "12.50"),
        ("Answer: 3\nOn second thought:\nAnswer: 4", "4"),
        ("answer: `Elder Basket`", "Elder Basket"),
        ("- Answer: Lima", "Lima"),
        ("The answer: 12", None),
        ("Answer:", None),
        ("Answer 12", None),
        ("", None),
    ],
)
def test_the_last_answer_line_counts(text: str, given: str | None) -> None:
    """The stated form is read with or without marks of formatting, and nothing else is taken for it."""
    assert given_answer(text) == given


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ("12", 12.0),
        ("1,234.50", 1234.5),
        ("€ 1,234.50", 1234.5),
        ("-9.6%", -9.6),
        ("\u22129.6 percent", -9.6),
        ("12 orders.", 12.0),
        ("12 of 40", None),
        ("3-5", None),
        ("1.234,50", None),
        ("H2", None),
        ("none", None),
        ("9" * 400, None),
    ],
)
def test_one_number_is_read_and_no_other(given: str, number: float | None) -> None:
    """Units and separators of thousands do not matter; two numbers are no answer."""
    assert single_number(given) == number


def test_counts_are_exact_and_money_is_right_to_its_last_place() -> None:
    """A count allows nothing, a rounded figure one unit of its last place."""
    assert Number(12, decimals=0).is_met_by(12.0)
    assert not Number(12, decimals=0).is_met_by(12.4)
    money = Number(86.404999, decimals=2)
    assert all(money.is_met_by(given) for given in (86.40, 86.41, 86.39))
    assert not money.is_met_by(86.42)
    assert money.relative_error(0.0) == 1.0
    assert money.relative_error(1e30) == 1000.0
    assert Name("Elder Basket").is_met_by(' "elder  basket". ')
    assert not Name("Elder Basket").is_met_by("Elder Basket, Lima")


def test_a_run_is_scored_by_its_answer_and_its_queries() -> None:
    """Right, wrong, unreadable and missing answers differ in what is counted, and the reason is said."""
    one = item(kind="orders_with_status", status="paid")
    right = one.right_answer().text
    calls = tuple(
        ToolUse(name="query", arguments={"sql": "x"}, result=result)
        for result in ("1 row:\nn\n3", "Query failed: no", "Query failed: no")
    )
    good = one.score(Answer(text=f"There are many.\nAnswer: {right}", tool_calls=calls))
    assert good.passed
    assert good.figures == {"answered": 1, "relative_error": 0, "queries": 3, "failed_queries": 2}
    assert good.notes == ()
    near = one.score(Answer(text=f"Answer: {int(right) + 17}"))
    assert not near.passed
    assert near.figures["relative_error"] == pytest.approx(17 / int(right))
    assert right in near.notes[0]
    for text, answered in (("It is many.", 0), ("Answer: many", 1), ("Answer: 1 or 2", 1)):
        bad = one.score(Answer(text=text))
        assert (bad.passed, bad.figures["answered"], bad.figures["relative_error"]) == (False, answered, 1)
        assert bad.notes


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"orders": 5}, "orders"),
        ({"seed": -1}, "seed"),
        ({"difficulty": "trivial"}, "difficulty"),
        ({"question": {"kind": "orders_wit_status"}}, "question"),
        ({"question": {"kind": "orders_with_status", "status": "lost"}}, "status"),
        ({"question": {"kind": "best_store", "month": 13}}, "month"),
        ({"answer": 12}, "answer"),
    ],
)
def test_a_malformed_item_is_refused_by_key(change: dict[str, Any], named: str) -> None:
    """An unknown kind, parameter or key is named, and nobody can write an answer into an item."""
    data = {"name": "x", "seed": 1, "orders": 200, "difficulty": "easy", "question": {"kind": "never_sold"}}
    with pytest.raises(ValidationError, match=named):
        TypeAdapter(Item).validate_python(data | change)
