"""`levelfield judge audit`: what it does, apart from reading its arguments."""

from __future__ import annotations

from pathlib import Path

import orjson
from rich.console import Console
from rich.text import Text

from analysis.audit import audit_judges
from analysis.audit_terminal import print_audit
from cluster.audit import ask_for_audit
from cluster.commands import existing, working
from cluster.run_plan import write_results
from shared.judgement_store import Judgements
from shared.record_files import make_folder, write_whole


def audit_command(
    folder: Path, model: str | None, json_out: Path | None, console: Console, *, reports: int, repeats: int
) -> int:
    """The exit code: 1 when questions are left without an answer, else 0, whatever the verdict.

    Raises:
        ResultsMismatch: `folder` is no experiment, or of a newer Levelfield.
        UserError: It holds no report to show a judge.
        StoreFailed: `json_out` cannot be written.
    """
    store, experiment = existing(folder, {"judge_model": model})
    with working(experiment, store, console) as work:
        left = ask_for_audit(work, reports=reports, repeats=repeats)
        judges = audit_judges(Judgements(store.folder).audits())
        result = write_results(work)
    for judge in experiment.settings.panel:
        if judge in judges:
            print_audit(judge, judges[judge], console)
    if json_out is not None:
        found = {name: audit.model_dump(mode="json") for name, audit in judges.items()}
        make_folder(json_out.absolute().parent)
        write_whole(json_out.absolute(), orjson.dumps({"judges": found}, option=orjson.OPT_INDENT_2))
    if left:
        again = f"{left} questions are left without an answer; the same command goes on with them."
        console.print(Text(again, style="yellow"), soft_wrap=True)
    console.print(Text(f"Report: {result.written.report}"), soft_wrap=True)
    return int(left > 0)
