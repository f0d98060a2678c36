"""What every task keeps, whoever wrote it; and that the template is such a task."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

import shared.tasks
from cluster.task_commands import new_task
from shared.errors import PlanError, UserError
from shared.tasks import load_task as loading
from shared.tasks.check_task import check_task, figure_problems
from shared.tasks.load_task import load_task, task_names
from shared.tasks.score import Answer, ToolUse

RIGHT = Answer(
    text="17 and 25 make 42.\n**Answer: 42.**",
    tool_calls=(ToolUse(name="look_up", arguments={"topic": "red box"}, result="..."),),
)


@pytest.fixture
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder of tasks of its own, in which `travel_plan` was made from the template."""
    monkeypatch.setattr(loading, "TASKS", tmp_path)
    monkeypatch.setattr(shared.tasks, "__path__", [*shared.tasks.__path__, str(tmp_path)])
    name = f"travel_plan_{abs(hash(request.node.name))}"  # a module once imported stays
    new_task(name, tmp_path).rename(tmp_path / name)
    yield tmp_path / name
    loading._load.cache_clear()


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("name", task_names())
def test_task(name: str) -> None:
    """Texts can be filled in, tools answer anything and alike in every run, no agent is told the answer."""
    task = load_task(name)
    for item in task.items:
        try:
            task.toolbox(item).check()
        except UserError as missing:  # such as an index of documents; tests/functional makes it
            pytest.skip(str(missing))
    assert check_task(task) == []


@pytest.mark.parametrize("name", task_names())
def test_figures_are_described(name: str) -> None:
    """Each figure of the score has its sentence, also where the task's tools cannot be opened here."""
    assert list(figure_problems(load_task(name))) == []


def test_a_new_task_is_sound(tasks: Path) -> None:
    """What `levelfield task new` writes loads, passes the same checks, and tells right from wrong."""
    task = load_task(tasks.name)
    assert check_task(task) == []
    assert (task.has_score, task.rubric) == (True, None)
    assert [[tool.name for tool in agent.tools] for agent in task.agents("first")] == [["look_up"], []]
    assert "17 apples" in task.toolbox("first").open().call("look_up", {"topic": "Red box"})
    right, wrong = task.score("first", RIGHT), task.score("first", Answer(text="Answer: 43"))
    assert right
    assert wrong
    assert (right.passed, right.figures) == (True, {"topics_looked_up_share": 0.5})
    assert (wrong.passed, wrong.notes) == (False, ("the last answer is '43'",))


@pytest.mark.parametrize(
    ("text", "passes"),
    [("Answer: 50%", True), ("answer: `50 %`", False), ("Answer:\n\n50%", False), ("\n" * 100_000, False)],
)
def test_a_new_task_reads_one_line(tasks: Path, text: str, passes: bool) -> None:
    """The answer of the template is what its line holds, signs included, and never the next line."""
    replaced(tasks / "items" / "first.yaml", 'answer: "42"', "answer: 50%")
    score = load_task(tasks.name).score("first", Answer(text=text))
    assert score
    assert score.passed is passes


def test_a_new_tasks_topics_have_capitals(tasks: Path) -> None:
    """A topic is found, and counts as looked up, whatever the case in the file and in the call."""
    replaced(tasks / "items" / "first.yaml", "  red box:", "  Red Box:")
    task = load_task(tasks.name)
    assert "17 apples" in task.toolbox("first").open().call("look_up", {"topic": " RED box"})
    looked_up = ToolUse(name="look_up", arguments={"topic": "red Box "}, result="...")
    score = task.score("first", Answer(text="", tool_calls=(looked_up,)))
    assert score
    assert score.figures == {"topics_looked_up_share": 0.5}


@pytest.mark.parametrize("name", ["Travel", "1st", "a-b", "../x", "", "a b"])
def test_a_name_that_is_none(name: str, tmp_path: Path) -> None:
    """A name that could not be a package's is refused, and nothing is written."""
    with pytest.raises(PlanError, match="cannot be a task's name"):
        new_task(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_name_of_a_module(tmp_path: Path) -> None:
    """A folder that would be imported instead of a module beside it is refused, and nothing is written."""
    (tmp_path / "score.py").touch()
    with pytest.raises(PlanError, match="'score' cannot be a task's name"):
        new_task("score", tmp_path)
    assert not (tmp_path / "score").exists()


def test_a_name_that_is_taken(tmp_path: Path) -> None:
    """A task that is there is not overwritten."""
    new_task("mine", tmp_path)
    with pytest.raises(PlanError, match="already"):
        new_task("mine", tmp_path)


def share_without_figures(folder: Path, task: str) -> None:
    path = folder / "task.yaml"
    stated = {name: value for name, value in yaml.safe_load(path.read_text()).items() if name != "figures"}
    path.write_text(yaml.safe_dump(stated | {"shares": task}))


REFUSED: dict[str, tuple[Callable[[Path], None], str]] = {
    "unknown tool": (
        lambda folder: replaced(folder / "task.yaml", "tools: [look_up]", "tools: [look_upp]"),
        r'reader.*look_upp.*"look_up"',
    ),
    "equal agents": (
        lambda folder: replaced(folder / "task.yaml", "- name: writer", "- name: reader"),
        "'reader' is there more than once",
    ),
    "a name that no item gives": (
        lambda folder: replaced(folder / "task.yaml", "Answer the question: {question}", "Answer: {qestion}"),
        "'qestion', which item 'first' does not give",
    ),
    "a lone brace": (
        lambda folder: replaced(folder / "task.yaml", "Then list", "{ Then list"),
        "a brace itself is written twice",
    ),
    "no items": (lambda folder: (folder / "items" / "first.yaml").unlink(), "holds no item"),
    "another name": (
        lambda folder: replaced(folder / "task.yaml", f"name: {folder.name}", "name: other"),
        "name is 'other', but the folder is",
    ),
    "shares itself": (
        lambda folder: share_without_figures(folder, folder.name),
        r"shares: Unknown task",
    ),
    "figures of its own beside a shared score": (
        lambda folder: replaced(folder / "task.yaml", "version: 1", "version: 1\nshares: no_such"),
        "figures: they are those of no_such",
    ),
    "no direction of a figure": (
        lambda folder: replaced(folder / "task.yaml", "better: higher", "better: more"),
        r"figures\.topics_looked_up_share\.better: Input should be 'higher', 'lower' or 'neither'",
    ),
    "no agents": (
        lambda folder: (folder / "task.yaml").write_text(
            f"name: {folder.name}\nversion: 1\ndescription: Nobody works.\n"
        ),
        "name at least one, or in `shares`",
    ),
    "nobody to play": (
        lambda folder: replaced(folder / "task.yaml", "version: 1", "version: 1\nplayed_by: model"),
        "nobody in them whom a model could play",
    ),
    "shares nothing": (
        lambda folder: share_without_figures(folder, "no_such"),
        "no_such",
    ),
}


def test_a_task_without_agents_has_those_of_the_one_it_shares(tasks: Path) -> None:
    """Agents, their pattern, items and tools are the other's; name and version are its own."""
    twin = tasks.parent / "twin"
    twin.mkdir()
    (twin / "task.yaml").write_text(f"name: twin\nversion: 3\nshares: {tasks.name}\ndescription: Again.\n")
    theirs, task = load_task(tasks.name), load_task("twin")
    assert task.agents("first") == theirs.agents("first")
    assert (task.name, task.definition.version, task.definition.pattern) == ("twin", 3, "pipeline")
    (twin / "task.yaml").write_text("name: twin\nversion: 3\nshares: other\ndescription: Again.\n")
    (tasks.parent / "other").mkdir()
    (tasks.parent / "other" / "task.yaml").write_text(
        "name: other\nversion: 1\nshares: twin\ndescription: Round and round.\n"
    )
    loading._load.cache_clear()
    with pytest.raises(PlanError, match="holds no item"):
        load_task("twin")


@pytest.mark.parametrize("case", REFUSED)
def test_a_task_that_cannot_be_loaded(tasks: Path, case: str) -> None:
    """Each mistake is one error that names the file and what is wrong in it."""
    spoil, named = REFUSED[case]
    spoil(tasks)
    with pytest.raises(PlanError, match=named) as raised:
        load_task(tasks.name)
    assert str(tasks) in str(raised.value)


UNSOUND: dict[str, tuple[Callable[[Path], None], str]] = {
    "the answer in a request": (
        lambda folder: replaced(folder / "task.yaml", "Then list", "Answer: 42. Then list"),
        "an agent is told what it must not know",
    ),
    "the answer in a tool": (
        lambda folder: replaced(folder / "tools.py", "a text argument", "Answer: 42, a text argument"),
        "an agent is told what it must not know",
    ),
    "the answer in an agent's description": (
        lambda folder: replaced(
            folder / "task.yaml", "- name: writer", '- name: writer\n    description: "Answer: 42"'
        ),
        "an agent is told what it must not know",
    ),
    "the answer in a tool's schema": (
        lambda folder: replaced(folder / "tools.py", "The topic's name.", "Answer: 42"),
        "an agent is told what it must not know",
    ),
    "a tool without a description": (
        lambda folder: replaced(folder / "tools.py", "What the notes say of one topic.", " "),
        "tool look_up: it needs a description",
    ),
    "items of one name": (
        lambda folder: shutil.copy(folder / "items" / "first.yaml", folder / "items" / "second.yaml"),
        "more than one item has the name 'The two boxes'",
    ),
    "everything passes": (
        lambda folder: replaced(folder / "item.py", "passed=right", "passed=True"),
        "an answer that says nothing passes",
    ),
    "no end to a figure": (
        lambda folder: replaced(folder / "item.py", "len(looked_up) / len(self.notes)", 'float("inf")'),
        "is inf",
    ),
    "a figure without a description": (
        lambda folder: replaced(folder / "task.yaml", "topics_looked_up_share:", "topics_looked_up:"),
        "the figure topics_looked_up_share has no description",
    ),
    "a description without a figure": (
        lambda folder: replaced(folder / "task.yaml", "topics_looked_up_share:", "topics_looked_up:"),
        "describes topics_looked_up, which no item's score has",
    ),
    "chance in a tool": (
        lambda folder: replaced(
            folder / "tools.py",
            "self._notes.get(",
            "str(__import__('time').perf_counter_ns()) + self._notes.get(",
        ),
        "differently in a second run",
    ),
}


@pytest.mark.parametrize("case", UNSOUND)
def test_a_task_that_is_unsound(tasks: Path, case: str) -> None:
    """What would spoil a comparison is found before any run."""
    spoil, named = UNSOUND[case]
    spoil(tasks)
    assert named in "\n".join(check_task(load_task(tasks.name)))
