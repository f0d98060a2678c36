"""The coding task without a sandbox: which program is taken, what counts as equal, and what stays hidden."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.errors import PlanError
from shared.tasks.coding.find_program import find_program
from shared.tasks.coding.item import Item
from shared.tasks.coding.run_cases import Case, same
from shared.tasks.load_task import load_item, load_task

ITEMS = Path(__file__).resolve().parents[2] / "shared" / "tasks" / "coding" / "items"
BLOCK = "```python\ndef area(a):\n    return a\n```"


@pytest.mark.parametrize(
    ("text", "program"),
    [
        (BLOCK, "def area(a):\n    return a\n"),
        (f"Old:\n{BLOCK}\nNew:\n```\ndef area(b): return b\n```\nDone.", "def area(b): return b\n"),
        (f"{BLOCK}\nTry it:\n```python\nprint(area(2))\n```", "def area(a):\n    return a\n"),
        ("~~~py\ndef area(a): return 1\n~~~", "def area(a): return 1\n"),
        ("```python\ndef area(a):\n    return", "def area(a):\n    return"),
        ("````md\n```python\ndef area(a): return 1\n```\n````", "```python\ndef area(a): return 1\n```\n"),
        ("def area(a): return a", None),
        ("```python\ndef areas(a): return a\n```", None),
        ("", None),
        ("```" * 2000, None),
    ],
    ids=[
        "one",
        "last",
        "use after it",
        "tildes",
        "cut off",
        "nested",
        "no fence",
        "another name",
        "empty",
        "fences",
    ],
)
def test_the_program_in_an_answer(text: str, program: str | None) -> None:
    """It is the last fenced block that defines the function."""
    assert find_program(text, "area") == program


@pytest.mark.parametrize(
    ("expected", "got", "equal"),
    [
        (1, 1, True),
        (1, 1.0, True),
        (0.3, 0.1 + 0.2, True),
        (2**60, 2**60 + 1, False),
        (2**60, float(2**60), True),
        (0.5, 10**400, False),
        (float("nan"), float("nan"), False),
        (True, 1, False),
        (1, True, False),
        (None, None, True),
        (None, 0, False),
        ("1", 1, False),
        ([1, [2]], [1, [2]], True),
        ([1, 2], [1, 2, 3], False),
        ({"a": [1]}, {"a": [1]}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([], {}, False),
    ],
)
def test_what_is_equal(expected: Any, got: Any, equal: bool) -> None:
    """Plain data of the same kind, and numbers with a fraction to nine digits."""
    assert same(expected, got) is equal


@pytest.mark.parametrize("item", [path.stem for path in sorted(ITEMS.glob("*.yaml"))])
def test_what_is_hidden_stays_hidden(item: str) -> None:
    """No hidden case and no solution is in what agents are told, tools are opened with, or a judge is given."""
    task = load_task("coding")
    known = task.item(item)
    assert isinstance(known, Item)
    told = "\n".join(f"{agent.instructions}\n{agent.request}" for agent in task.agents(item, "agent"))
    spec = task.check_spec(item)
    elsewhere = f"{task.toolbox(item).data}\n{task.description(item)}\n{task.evidence(item)}\n{spec}"
    assert all(example.example(known.function) in told for example in known.examples)
    for case in known.hidden:
        assert case.call(known.function) not in told + elsewhere
        assert repr(case.arguments) not in elsewhere
    for solution in (known.reference, known.wrong):
        assert solution not in told + elsewhere


def test_agents_and_their_tool() -> None:
    """Coder and reviewer run examples themselves in both modes, the planner only plans; nobody judges prose."""
    task = load_task("coding")
    for agents in (task.agents("parking-fee"), task.agents("parking-fee", "agent")):
        assert [(agent.name, [tool.name for tool in agent.tools]) for agent in agents] == [
            ("planner", []),
            ("coder", ["run_examples"]),
            ("reviewer", ["run_examples"]),
        ]
    assert (task.rubric, task.has_score) == (None, True)
    assert {item.difficulty for item in task.items.values() if isinstance(item, Item)} == {
        "easy",
        "medium",
        "hard",
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"examples": []}, "examples: Tuple should have at least 1 item"),
        ({"hidden": []}, "hidden: Tuple should have at least 1 item"),
        ({"hidden": [{"arguments": [30], "returns": 0}]}, r"hidden\[0\] is among the examples"),
        ({"signature": "parking fee"}, "signature: String should match pattern"),
        ({"difficulty": "fiendish"}, "difficulty: Input should be 'easy', 'medium' or 'hard'"),
        ({"hidden": [{"arguments": [{1: 2}], "returns": 0}]}, "is more than text, numbers, lists"),
        ({"hidden": [{"arguments": [], "returns": float("nan")}]}, "is more than text, numbers, lists"),
        ({"answer": 1}, "answer: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_item(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    """An item file that cannot work is refused with its name, the key and the value."""
    data = yaml.safe_load((ITEMS / "parking-fee.yaml").read_text()) | change
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(PlanError, match=rf"mine\.yaml: .*{said}"):
        load_item(path, {}, Item)


def test_a_case_is_shown_as_python() -> None:
    """What agents read is what they would write."""
    case = Case.model_validate({"arguments": ["a", [1, None], {"k": True}], "returns": [1.5]})
    assert case.example("f") == "f('a', [1, None], {'k': True}) returns [1.5]"
