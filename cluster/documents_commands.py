"""The commands on people's own documents: words in, exit codes out. The work is done elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

documents_app = typer.Typer()


@documents_app.command(epilog='Example: `levelfield index ./docs`, then `levelfield ask "..."`')
def index(
    folder: Annotated[
        Path | None, typer.Argument(help="Whose documents: PDF, Markdown, text and DOCX, subfolders too.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Of the index, or a path to keep it at; default: after the folder, in the cache."),
    ] = None,
    max_mb: Annotated[float, typer.Option(min=0.001, help="Larger files are skipped.")] = 50,
    example: Annotated[
        bool, typer.Option("--example", help="The documents that Levelfield ships, as the index `example`.")
    ] = False,
) -> None:
    """Index a folder for `ask`, and as the search tool of the task document_research.

    Everything stays on this machine. Files that did not change are not read again, and what is gone leaves
    the index. What cannot be read is named and skipped. The first time builds an environment of 560 MB.
    """
    from cluster.documents.index_command import index_command

    index_command(folder, name, Console(), max_file_mb=max_mb, example=example)


@documents_app.command(
    epilog='Example: `levelfield ask "Who approves travel?" --model llamacpp:qwen2.5-coder-1.5b`'
)
def ask(
    question: Annotated[str, typer.Argument(help="In your own words.")],
    index: Annotated[
        str | None, typer.Option(help="Name or folder of an index; default: the one made last.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Instead of the setting llm_model.")] = None,
    passages: Annotated[int, typer.Option(min=1, max=50, help="How many the model is given.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Answer a question from the indexed documents alone, with file and page of what it rests on.

    Exit status 1 when the documents do not tell, or the answer cites nothing or a passage that is not there,
    or has a figure that no cited passage has.
    """
    from cluster.documents.ask_command import ask_command

    raise typer.Exit(ask_command(question, index, model, Console(), most=passages, as_json=as_json))
