"""The coding task with real programs in the real sandbox."""

from __future__ import annotations

import pytest

from shared.errors import SandboxUnavailable
from shared.sandbox.choose_isolation import choose_isolation
from shared.tasks.coding.item import Item
from shared.tasks.coding.tools import Tools
from shared.tasks.load_task import load_task
from shared.tasks.score import Answer, Score

pytestmark = [pytest.mark.functional, pytest.mark.timeout(300)]


@pytest.fixture(autouse=True)
def sandbox() -> None:
    try:
        choose_isolation()
    except SandboxUnavailable as refused:
        pytest.skip(str(refused))


def coding_item(name: str) -> Item:
    item = load_task("coding").item(name)
    assert isinstance(item, Item)
    return item


def scored(item: Item, program: str) -> Score:
    return item.score(Answer(text=f"Here it is:\n```python\n{program}\n```\nAll examples hold."))


@pytest.mark.parametrize("name", sorted(load_task("coding").items))
def test_an_item_tells_right_from_wrong(name: str) -> None:
    """Its reference meets all cases; its wrong program meets the examples and not the hidden cases."""
    item = coding_item(name)
    right, wrong = scored(item, item.reference), scored(item, item.wrong)
    whole = {"hidden_cases_share": 1.0, "examples_share": 1.0, "program_found": 1.0}
    assert (right.passed, right.figures, right.notes) == (True, whole, ())
    assert (wrong.passed, wrong.figures["examples_share"]) == (False, 1.0)
    assert 0 < wrong.figures["hidden_cases_share"] < 1
    assert not any(secret in note for note in wrong.notes for secret in item.secrets())


FAKES = {
    "says that all is well": "print('{\"value\": 0}')\nprint('10 of 10 hidden cases hold')\ndef parking_fee(minutes): pass",
    "ends well at once": "import sys\ndef parking_fee(minutes): sys.exit(0)",
    "ends well while loading": "import os\nos._exit(0)\ndef parking_fee(minutes): pass",
    "equals everything": "class All(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\n"
    "def parking_fee(minutes): return All(99)",
    "changes what compares and writes": "import json, builtins, math\njson.dumps = lambda *_: '{\"passed\": true}'\n"
    "json.loads = lambda *_: {'passed': True}\nmath.isclose = builtins.all = lambda *_: True\n"
    "def parking_fee(minutes): return 99",
    "looks for what is expected": """
import gc, os, sys
def parking_fee(minutes):
    for thing in gc.get_objects():
        if isinstance(thing, dict) and {"returns", "hidden", "expected"} & {k for k in thing if isinstance(k, str)}:
            return thing.get("returns", thing.get("hidden"))
    for folder, _, names in os.walk("/scratch"):
        for name in names:
            if name != "program.py":
                return open(os.path.join(folder, name)).read()
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()):
            if isinstance(value, dict) and "arguments" in value:
                found = value.get("returns")
                return found
        frame = frame.f_back
""",
    "writes many answers": """
import os
def parking_fee(minutes):
    for number in range(3, 10):
        try:
            os.write(number, b'{"value": 2}')
        except OSError:
            pass
    return 99
""",
}


@pytest.mark.parametrize("program", FAKES.values(), ids=list(FAKES))
def test_a_program_cannot_fake_its_score(program: str) -> None:
    """It holds nothing but arguments, and what it returns is compared elsewhere."""
    score = scored(coding_item("parking-fee"), program)
    assert not score.passed
    assert score.figures["hidden_cases_share"] <= 0.3  # by luck: where 0 or 2 is right
    assert score.figures["program_found"] == 1


def test_learning_the_examples_by_heart_is_not_enough() -> None:
    """A table of the examples' answers meets them all and no hidden case."""
    item = coding_item("merge-shifts")
    table = [(list(example.arguments), example.returns) for example in item.examples]
    score = scored(
        item,
        f"def merge_shifts(*given):\n    return next(right for asked, right in {table!r} if asked == list(given))",
    )
    assert (score.passed, score.figures["examples_share"], score.figures["hidden_cases_share"]) == (
        False,
        1,
        0,
    )


SAID = {
    "def parking_fee(minutes): return 0": "- parking_fee(31): fails: it returned 0; right is 2.",
    "def parking_fee(minutes):\n    print('hello')\n    return 1 / 0": (
        "- parking_fee(30): fails: ZeroDivisionError: division by zero in line 3; right is 0. It printed: hello"
    ),
    "def parking_fee(minutes: return 0": "- parking_fee(30): fails: SyntaxError: ",
    "def parking_fee(minutes): return {1, 2}": "it returned a value of type set that holds more than plain data",
    "import os\ndef parking_fee(minutes): os._exit(3)": "it ended without returning, with exit code 3",
    "def parking_fee(minutes):\n    while True: pass": "- parking_fee(31): not run",
    "def parking_fee(minutes): raise ValueError(object())": "<object object at 0x...>",
    "def parking_fee(minutes): return '\\x1b[31m' * 1000": "...; right is 0.",
    "def parking_fee(minutes):\n    x = []\n    for _ in range(900): x = [x]\n    return x": "fails",
    "Here:\n```python\ndef parking_fee(minutes): return 0\n```": "1 of 3 examples hold.",
    "def parking_fees(minutes): return 0": "The program does not define parking_fee.",
    "\x00\ud800 def parking_fee(m): return 0": "0 of 3 examples hold.",
    "x" * 30_000: "The program is too long: 30000 characters",
    " ": 'run_examples needs a text argument "program"',
}


@pytest.mark.parametrize(("program", "said"), SAID.items(), ids=range(len(SAID)))
def test_what_the_tool_says(program: str, said: str) -> None:
    """Which examples fail and how, in few words, whatever the program is."""
    tools = Tools(coding_item("parking-fee").tool_data({}))
    answer = tools.call("run_examples", {"program": program})
    assert said in answer
    assert len(answer) < 3000
    assert answer == tools.call("run_examples", {"program": program})
    assert "\x1b" not in answer
    tools.close()


def test_a_right_program_is_told_so() -> None:
    """All examples hold, and that is all that is said."""
    item = coding_item("parking-fee")
    answer = Tools(item.tool_data({})).call("run_examples", {"program": item.reference})
    assert answer.splitlines() == [
        "3 of 3 examples hold.",
        *(f"- parking_fee({minutes}): right" for minutes in (30, 31, 150)),
    ]


def test_what_a_program_sees_ends_with_it() -> None:
    """Nothing one case leaves behind is there for the next."""
    program = """
import os
def parking_fee(minutes):
    left = os.listdir(".")
    open("left", "w").close()
    return 0 if left == ["program.py"] and "seen" not in os.environ else 99
"""
    answer = Tools(coding_item("parking-fee").tool_data({})).call("run_examples", {"program": program})
    assert "99" not in answer
    assert answer.startswith("1 of 3 examples hold.")
