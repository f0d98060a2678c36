"""Maturity facts: gathered at the end of a run, and by `levelfield maturity`."""

from __future__ import annotations

from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cluster.workspace import Workspace
from runtime_envs.catalog import framework
from runtime_envs.maturity import gather_maturity
from shared.errors import UserError
from shared.foreign_text import harmless
from shared.maturity import MATURITY_FILE, Maturity
from shared.record_files import make_folder, write_whole
from shared.store import Store

NOT_STATED = "not stated"


def keep_maturity(work: Workspace) -> None:
    """The facts that need no network, beside the runs; those already there stay. Never fails a run."""
    path = work.store.folder / MATURITY_FILE
    if path.exists():
        return
    try:
        write_maturity(path, gather_maturity(work.experiment.plan.frameworks))
    except Exception as error:  # noqa: BLE001 - odd metadata of any package must not cost a finished run
        work.progress.warn(f"The frameworks' maturity facts could not be gathered: {error}")


def maturity_command(folder: Path | None, json_out: Path | None, console: Console, *, offline: bool) -> None:
    """Gather, print, and write to what is given."""
    store = Store.existing(folder) if folder else None
    names = list(store.manifest().frameworks) if store else None
    with console.status("Reading packages' metadata"):
        facts = gather_maturity(names, ask_index=not offline)
    if not facts.frameworks:
        raise UserError(
            "No framework's environment is built on this machine. `levelfield envs build` builds them."
        )
    for table in (releases_table(facts), packages_table(facts)):
        console.print(table)
    for note in facts.notes:
        console.print(Text(harmless(note), style="yellow"), soft_wrap=True)
    places = [store.folder / MATURITY_FILE] if store else []
    for path in [*places, *([json_out] if json_out else [])]:
        write_maturity(path, facts)
        console.print(Text(f"Written: {path}"), soft_wrap=True)
    if store:
        console.print(Text(f"levelfield report {store.folder} shows them."), soft_wrap=True)


def write_maturity(path: Path, facts: Maturity) -> None:
    """Raises StoreFailed."""
    make_folder(path.parent)
    write_whole(
        path,
        orjson.dumps(facts.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE),
    )


def releases_table(facts: Maturity) -> Table:
    rows = []
    for name, found in facts.frameworks.items():
        first = found.distributions[0]
        known = first.releases
        rows.append(
            [
                framework(name).title,
                f"{first.name} {first.version}",
                (known.released_at if known else None) or "",
                f"{known.newest or ''} {known.newest_released_at or ''}".strip() if known else "",
                "" if known is None or known.in_12_months is None else str(known.in_12_months),
                first.status or NOT_STATED,
            ]
        )
    columns = ("", "Version", "Released", "Newest", "Releases in 12 months", "Status")
    return _table(f"Gathered {facts.gathered_at}", columns, rows)


def packages_table(facts: Maturity) -> Table:
    rows = [
        [
            framework(name).title,
            found.distributions[0].licence or NOT_STATED,
            str(found.dependencies),
            f"{found.installed_bytes / 1e6:,.0f}",
            ", ".join(found.openai_requirements.values()),
            ", ".join(f"{framework(each.framework).title} ({each.package})" for each in found.conflicts),
        ]
        for name, found in facts.frameworks.items()
    ]
    return _table("", ("", "Licence", "Brings packages", "MB", "Needs of openai", "Cannot share with"), rows)


def _table(title: str, columns: tuple[str, ...], rows: list[list[str]]) -> Table:
    table = Table(*columns, box=None, pad_edge=False, title=title or None, title_justify="left")
    for row in rows:
        table.add_row(*(Text(harmless(text), overflow="fold") for text in row))
    return table
