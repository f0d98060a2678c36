"""`levelfield task`: what there is, a new one from the template, and whether one is sound."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from shared.errors import PlanError
from shared.tasks.check_task import check_task
from shared.tasks.load_task import TASKS, load_task, task_names

TEMPLATE = TASKS.parent / "task_template"
TASK_NAME = r"[a-z][a-z0-9_]*"
"""It is a Python package's name as well."""

task_app = typer.Typer(help="Task types: list, check, make a new one.", no_args_is_help=True)


@task_app.command("list", epilog="Example: `levelfield task list`")
def list_tasks() -> None:
    """Every task, its items, its agents, and what tells whether it was done."""
    table = Table("Task", "Items", "Agents", "Scored by", box=None, pad_edge=False)
    for name in task_names():
        task = load_task(name)
        scored = [
            *(["report form"] if task.definition.report else []),
            *(["judge"] if task.rubric else []),
            *(["exact score"] if task.has_score else []),
        ]
        agents = ", ".join(agent.name for agent in task.definition.agents)
        table.add_row(name, str(len(task.items)), agents, ", ".join(scored))
    Console().print(table)


@task_app.command("new", epilog="Example: `levelfield task new travel_plan`")
def new(name: Annotated[str, typer.Argument(help="Lower-case letters, digits and _.")]) -> None:
    """A folder in shared/tasks with a small task that runs as it is, to be changed into yours."""
    folder = new_task(name)
    typer.echo(f"{folder}\nNow make task.yaml, items/, item.py and tools.py yours: docs/add-a-task.md.")
    typer.echo(f"Then: levelfield task check {name}")


@task_app.command("check", epilog="Example: `levelfield task check travel_plan`")
def check(name: Annotated[str, typer.Argument(help="A folder's name in shared/tasks.")]) -> None:
    """Whether a task is sound: texts can be filled in, tools answer anything, no agent knows the answer."""
    problems = check_task(load_task(name))
    for problem in problems:
        typer.echo(f"{name}: {problem}")
    if not problems:
        typer.echo(f"{name} is sound: {len(load_task(name).items)} items.")
    raise typer.Exit(int(bool(problems)))


def new_task(name: str, tasks: Path = TASKS) -> Path:
    """Copy the template under a new name. Raises PlanError for a name that is taken or cannot be one."""
    if not re.fullmatch(TASK_NAME, name):
        raise PlanError(
            f"{name!r} cannot be a task's name: use lower-case letters, digits and _, as travel_plan."
        )
    folder = tasks / name
    if folder.with_suffix(".py").exists():
        raise PlanError(f"{name!r} cannot be a task's name: shared/tasks has a module of that name.")
    if folder.exists():
        raise PlanError(f"There is a task {name} already: {folder}.")
    shutil.copytree(TEMPLATE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    definition = folder / "task.yaml"
    text = definition.read_text(encoding="utf-8").replace("name: task_template", f"name: {name}", 1)
    definition.write_text(text, encoding="utf-8")
    (folder / "__init__.py").write_text("", encoding="utf-8")
    return folder
