"""Read a task from its folder, and say plainly what is wrong with a file that is not right."""

from __future__ import annotations

import importlib
import re
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from shared.errors import PlanError
from shared.plan import NAME
from shared.suggest import unknown_name
from shared.tasks.item import Item
from shared.tasks.task import Task, TaskDefinition
from shared.tools.catalog import TOOLS
from shared.yardsticks import Rubric

TASKS = Path(__file__).parent

Model = TypeVar("Model", bound=BaseModel)


def task_names() -> list[str]:
    return sorted(path.parent.name for path in TASKS.glob("*/task.yaml"))


def load_task(name: str) -> Task:
    """The task with all its items. An unknown name or a malformed file is a PlanError."""
    if name not in task_names():
        raise PlanError(unknown_name("task", name, task_names()))
    return _load(TASKS / name)


def load_items(folder: Path, queries: dict[str, tuple[str, ...]]) -> dict[str, Item]:
    """Every item file of a folder, by file name."""
    files = [path for path in sorted(folder.iterdir()) if path.suffix in {".yaml", ".yml"}]
    for path in files:
        if not re.fullmatch(NAME, path.stem):
            raise PlanError(
                f"{path}: the file's name is the item's name in plans: use only letters, digits, - _"
            )
    return {path.stem: _load_item(path, queries) for path in files}


@cache
def _load(folder: Path) -> Task:
    definition = _read(folder / "task.yaml", TaskDefinition)
    for agent in definition.agents:
        for tool in agent.tools:
            if tool not in TOOLS:
                raise PlanError(f"{folder / 'task.yaml'}: {unknown_name('tool', tool, TOOLS)}")
    return Task(
        definition=definition,
        prompts=importlib.import_module(f"shared.prompts.{folder.name}").PROMPTS,
        items=load_items(folder / "items", definition.queries),
        rubric=_read(folder / "rubric.yaml", Rubric),
    )


def _load_item(path: Path, queries: dict[str, tuple[str, ...]]) -> Item:
    item = _read(path, Item)
    for place, fact in enumerate(item.facts):
        if fact.query not in queries:
            raise PlanError(
                f"{path}: facts[{place}] ({fact.id}): {unknown_name('query', fact.query, queries)}"
            )
    for query in queries:
        if not item.facts_text(query):
            raise PlanError(f"{path}: no fact answers the query {query!r}: add at least one")
    return item


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
