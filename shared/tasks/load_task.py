"""Read a task from its folder, and say plainly what is wrong with a file that is not right."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from shared.errors import PlanError
from shared.plan import NAME, digest
from shared.suggest import unknown_name
from shared.tasks.fact_item import FactItem
from shared.tasks.item import TaskItem
from shared.tasks.synthetic import Difficulty
from shared.tasks.task import Task, TaskDefinition
from shared.tasks.toolbox import Toolbox, tools_module
from shared.yardsticks import Rubric

TASKS = Path(__file__).parent
GENERATOR = "generate.py"

Model = TypeVar("Model", bound=BaseModel)


def task_names() -> list[str]:
    return sorted(path.parent.name for path in TASKS.glob("*/task.yaml"))


def load_task(name: str) -> Task:
    """The task with all its items. An unknown name or a malformed file is a PlanError."""
    if name not in task_names():
        raise PlanError(unknown_name("task", name, task_names()))
    return _load(TASKS / name)


def load_items(
    folder: Path, queries: Mapping[str, tuple[str, ...]], kind: type[TaskItem] = FactItem
) -> dict[str, TaskItem]:
    """Every item file of a folder, by file name."""
    files = [path for path in sorted(folder.glob("*")) if path.suffix in {".yaml", ".yml"}]
    if not files:
        raise PlanError(f"{folder} holds no item: add a YAML file, whose name is the item's name in plans")
    for path in files:
        if not re.fullmatch(NAME, path.stem):
            raise PlanError(
                f"{path}: the file's name is the item's name in plans: use only letters, digits, - _"
            )
    return {path.stem: load_item(path, queries, kind) for path in files}


def load_item(
    path: Path, queries: Mapping[str, tuple[str, ...]], kind: type[TaskItem] = FactItem
) -> TaskItem:
    """One item file, checked by itself and against the task's queries."""
    item = _read(path, kind)
    if problems := item.problems(queries):
        raise PlanError(f"{path}: {'; '.join(problems[:3])}")
    return item


def item_kind(task: str) -> type[TaskItem]:
    """The class of a task's items: its own, or the one with known facts."""
    folder = _shared(TASKS / task)
    if not (folder / "item.py").exists():
        return FactItem
    kind: type[TaskItem] = importlib.import_module(f"shared.tasks.{folder.name}.item").Item
    return kind


def items_folder(task: str) -> Path:
    """Where a task's item files are. Raises PlanError: there is no such task."""
    load_task(task)
    return _shared(TASKS / task) / "items"


def generator(task: str) -> Callable[[int, Difficulty], TaskItem]:
    """What makes a task's synthetic items. Raises PlanError: it has none."""
    folder = items_folder(task).parent
    if not (folder / GENERATOR).exists():
        known = [name for name in task_names() if (TASKS / name / GENERATOR).exists()]
        raise PlanError(
            f"{task} makes no synthetic items: it has no {GENERATOR}. Those that do: {', '.join(known)}."
        )
    make: Callable[[int, Difficulty], TaskItem] = importlib.import_module(
        f"shared.tasks.{folder.name}.generate"
    ).generate
    return make


@cache
def _load(folder: Path) -> Task:
    definition = _read(folder / "task.yaml", TaskDefinition)
    if definition.name != folder.name:
        raise PlanError(
            f"{folder / 'task.yaml'}: name is {definition.name!r}, but the folder is {folder.name!r}"
        )
    owner = _shared(folder)
    if not definition.agents:
        theirs = _read(owner / "task.yaml", TaskDefinition)
        definition = definition.model_copy(update={"agents": theirs.agents, "pattern": theirs.pattern})
    rubric = owner / "rubric.yaml"
    task = Task(
        definition=definition,
        items=load_items(owner / "items", definition.queries, item_kind(folder.name)),
        rubric=_read(rubric, Rubric) if rubric.exists() else None,
        tools_module=tools_module(owner),
        figures=_read(owner / "task.yaml", TaskDefinition).figures,
        code=_code_digest(owner),
    )
    _check(folder / "task.yaml", task)
    return task


def _shared(folder: Path) -> Path:
    """The folder whose items, tools and rubric the task uses: its own, or that of the task it shares."""
    shares = _read(folder / "task.yaml", TaskDefinition).shares
    if shares is None:
        return folder
    if shares not in task_names() or shares == folder.name:
        raise PlanError(f"{folder / 'task.yaml'}: shares: {unknown_name('task', shares, task_names())}")
    return TASKS / shares


def _check(path: Path, task: Task) -> None:
    """Names of agents and tools, and that every text can be filled in for every item."""
    definition = task.definition
    names = [agent.name for agent in definition.agents]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PlanError(f"{path}: agents: {twice[0]!r} is there more than once: names must differ")
    if definition.played_by == "model" and not Toolbox(module=task.tools_module).can_be_played:
        raise PlanError(f"{path}: played_by: the task's tools have nobody in them whom a model could play")
    known = [spec.name for spec in task.tools_kind.SPECS]
    for agent in definition.agents:
        for tool in (*agent.tools, *(call.tool for call in agent.prefetch)):
            if tool not in known:
                raise PlanError(f"{path}: agents: {agent.name}: {unknown_name('tool', tool, known)}")
    for item in task.items:
        try:
            task.description(item)
            task.agents(item), task.agents(item, "agent")
        except (KeyError, IndexError, ValueError) as error:
            known_names = ", ".join(["item", "as_of", "results", *task.item(item).fields()])
            raise PlanError(
                f"{path}: a text names {error}, which item {item!r} does not give. It gives {known_names}; "
                "a brace itself is written twice."
            ) from None


def _code_digest(folder: Path) -> str:
    """Of a task's code but `item.py`, which scores after the runs, and a generator, whose items are files.

    What `item.py` keeps in files of its own counts as tools: runs may be done again for nothing, but never
    be kept wrongly.
    """
    apart = {"item.py", GENERATOR, "__init__.py"}
    files = [path for path in sorted(folder.rglob("*.py")) if path.name not in apart]
    return digest([[str(path.relative_to(folder)), path.read_text(encoding="utf-8")] for path in files])


def _read(path: Path, model: type[Model]) -> Model:
    try:
        data: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PlanError(f"{path} cannot be read: {error}") from None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = [f"{_key(problem['loc'], data)}{problem['msg']}" for problem in error.errors()[:3]]
        raise PlanError(f"{path}: {'; '.join(problems)}") from None


def _key(location: tuple[int | str, ...], data: Any) -> str:
    """Where in the file, e.g. "facts[3] (stripe.news.1).expect: "."""
    words = ""
    for step in location:
        words += f"[{step}]" if isinstance(step, int) else f"{'.' if words else ''}{step}"
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            data = None
        if isinstance(step, int) and isinstance(data, dict) and "id" in data:
            words += f" ({data['id']})"
    return f"{words}: " if words else ""
