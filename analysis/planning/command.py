"""`levelfield plan-size`: what it does, apart from reading its arguments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from analysis.compare import compared_runs
from analysis.panel.read_verdicts import read_verdicts
from analysis.planning.pilot import read_pilots
from analysis.planning.result import SizePlan
from analysis.planning.sizes import POWER, Wanted, plan_size
from analysis.planning.tables import designs_table, plan_sentences
from analysis.read_runs import read_runs
from analysis.significance_result import METRICS, Metric
from analysis.subjects import arms_of
from shared.errors import UserError
from shared.record_files import make_folder, write_whole


@dataclass(frozen=True)
class SizeRequest:
    """As the user wrote it."""

    metric: str = "latency_s"
    difference: str | None = None
    power: float = POWER
    arm: str | None = None
    task: str | None = None


def plan_size_command(source: Path, asked: SizeRequest, json_out: Path | None, console: Console) -> SizePlan:
    """Print the plan, and write it where asked.

    Raises:
        UserError: `source` is no experiment, or an argument makes no sense.
        StoreFailed: `json_out` cannot be written.
    """
    metric, wanted = _metric(asked.metric), _wanted(asked)
    runs = read_runs(source, asked.task)
    arm = _arm(asked.arm, arms_of(compared_runs(runs)["arm"].unique()))
    (pilot,) = read_pilots(runs, read_verdicts(runs), [metric], arm)
    plan = plan_size(pilot, wanted, arm)
    _show(plan, console)
    if json_out is not None:
        make_folder(json_out.absolute().parent)
        write_whole(json_out.absolute(), f"{plan.model_dump_json(indent=2)}\n".encode())
    return plan


def _metric(name: str) -> Metric:
    for metric in METRICS:
        if metric == name:
            return metric
    raise UserError(f"--metric {name} is unknown. Give one of: {', '.join(METRICS)}.")


def _wanted(asked: SizeRequest) -> Wanted:
    if not 0 < asked.power < 1:
        raise UserError(f"--power {asked.power} is no chance. Give a number between 0 and 1, such as 0.8.")
    if asked.difference is None:
        return Wanted(power=asked.power)
    text = asked.difference.strip()
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = float("nan")
    if not 0 < value < float("inf"):
        raise UserError(
            f"--difference {text} is no difference. Give a number above 0 in the metric's unit, such as 0.5, "
            "or a share of the pilot's mean, such as 10%."
        )
    if text.endswith("%"):
        return Wanted(share=value / 100, power=asked.power)
    return Wanted(points=value, power=asked.power)


def _arm(asked: str | None, arms: list[str]) -> str:
    if not arms:
        raise UserError("No framework completed a run here, so there is nothing to plan from.")
    if asked is None:
        return arms[0]
    if arms == [""]:
        raise UserError("These runs name no arms. Leave --arm out.")
    if asked not in arms:
        raise UserError(f"--arm {asked} did not run here. Give one of: {', '.join(arms)}.")
    return asked


def _show(plan: SizePlan, console: Console) -> None:
    for sentence in plan_sentences(plan):
        # An arm's name in a file of someone else's may hold codes that a terminal obeys.
        console.print(Text("".join(filter(str.isprintable, sentence))))
    table = designs_table(plan)
    if table is None:
        return
    grid = Grid(*table.columns, box=None, pad_edge=False)
    for row in table.rows:
        grid.add_row(*(Text(cell.text) for cell in row))
    console.print(Text(f"\n{table.caption}", style="bold"))
    console.print(grid)
    console.print(Text(table.note))
