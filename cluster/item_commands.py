"""`levelfield item`: words in, exit codes out. The work is done in `cluster/items.py`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from shared.tasks.synthetic import Difficulty

item_app = typer.Typer(help="Items of a task: make them up, or add your own.", no_args_is_help=True)

TaskName = Annotated[str, typer.Argument(metavar="TASK", help="A folder's name in shared/tasks.")]


@item_app.command(
    "generate",
    epilog="Example: `levelfield item generate company_research --seed 40 --difficulty hard --count 6`",
)
def generate(
    task: TaskName,
    seed: Annotated[int, typer.Option(min=0, help="Of the first item; the next have the next seeds.")],
    difficulty: Annotated[Difficulty, typer.Option(help="How easily facts are taken for one another.")],
    count: Annotated[int, typer.Option(min=1, max=1000, help="How many items.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="The folder to write into; default: the task's own items.")
    ] = None,
) -> None:
    """Write items that are invented, so that no model can know them: an item file for each seed.

    The same seed and difficulty make the same item. Seeds that were never used before are the held-out ones.
    """
    from cluster.items import generate_items

    written = generate_items(task, range(seed, seed + count), difficulty, out)
    for path in written:
        typer.echo(path)
    typer.echo(f"In a plan: items: [{', '.join(path.stem for path in written)}]")


@item_app.command("add", epilog="Example: `levelfield item add company_research ./acme --name Acme`")
def add(
    task: TaskName,
    source: Annotated[Path, typer.Argument(help="An item's YAML file, or a folder of Markdown and text.")],
    name: Annotated[
        str | None, typer.Option(help="Of a folder: its subject's name; default: the folder's.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="DATE", help="Of a folder: when it was true; default: today.")
    ] = None,
) -> None:
    """Check an item and put it among the task's.

    A folder has a file for each standard query, such as news.md or financials.txt. Each sentence becomes a
    fact, with the figures and names in it as what a report must say. What cannot be decided is listed.
    """
    from cluster.items import add_file, add_folder

    if source.is_dir():
        today = dt.datetime.now(tz=dt.UTC).date().isoformat()
        added, undecided = add_folder(task, source, name or source.resolve().name, as_of or today)
        for line in undecided:
            typer.echo(f"Left out: {line}")
    else:
        added = add_file(task, source)
    typer.echo(f"{added}\nIn a plan: items: [{added.stem}]")
