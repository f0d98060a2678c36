"""What is wrong with the table of runs: failures, gaps, cut answers, facts not looked up, odd cells."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.alarm import alarm
from analysis.name_columns import count_names
from analysis.read_runs import Runs
from analysis.result import Alarm
from analysis.wording import plural


def data_alarms(runs: Runs) -> Iterator[Alarm]:
    yield from _failures(runs)
    yield from _missing(runs)
    yield from _balance(runs)
    yield from _cut_answers(runs)
    yield from _tools_left_alone(runs)
    yield from _odd_cells(runs)


def _failures(runs: Runs) -> Iterator[Alarm]:
    statuses = {name: n for name, n in count_names(runs.table["status"]).items() if name != "completed"}
    if statuses:
        words = ", ".join(f"{status} {count}" for status, count in statuses.items())
        yield alarm(
            "runs_not_completed",
            "medium",
            f"{sum(statuses.values())} of {plural(len(runs.table), 'run')} did not complete ({words}). They "
            "are listed below and are in no mean.",
            statuses=statuses,
        )


def _missing(runs: Runs) -> Iterator[Alarm]:
    """Known only where a plan says how many there should be."""
    planned, there = runs.manifest.planned_runs, len(runs.table)
    if planned is not None and there < planned:
        yield alarm(
            "runs_missing",
            "medium",
            f"{planned - there} of {plural(planned, 'planned run')} are not in the results: which ones are "
            "missing need not be chance.",
            planned=planned,
            there=there,
        )


def _balance(runs: Runs) -> Iterator[Alarm]:
    done = runs.completed
    sizes = done.groupby(["subject", "item"]).size()
    cells = runs.table["subject"].nunique() * runs.table["item"].nunique()
    if done.empty or (len(sizes) == cells and sizes.min() == sizes.max()):
        return
    fewest = int(sizes.min()) if len(sizes) == cells else 0
    yield alarm(
        "unbalanced",
        "medium",
        f"The frameworks do not have the same completed runs of each item (from {fewest} to {sizes.max()} "
        "per cell), so means over all runs weigh items differently.",
        fewest=fewest,
        most=int(sizes.max()),
    )


def _cut_answers(runs: Runs) -> Iterator[Alarm]:
    done = runs.completed
    cut = int((done["limits_hit"].str.strip("[] ") != "").sum())
    if cut:
        yield alarm(
            "limits_hit",
            "medium",
            f"{plural(cut, 'completed run')} of {len(done)} ran into a limit of the plan (answers cut "
            "short): quality, tokens and latency are those of cut answers.",
            runs=cut,
        )


def _tools_left_alone(runs: Runs) -> Iterator[Alarm]:
    """Where the agents were to look facts up themselves."""
    if runs.manifest.sections.get("plan", {}).get("tools") != "agent":
        return
    done = runs.completed
    without = int((done["tool_calls"] == 0).sum())
    if without:
        yield alarm(
            "tools_not_called",
            "high",
            f"In {plural(without, 'completed run')} of {len(done)} no agent called a tool: what their "
            "reports state was never looked up. Small models do so, and any model that is not shown the "
            "tools by its chat template.",
            runs=without,
        )


def _odd_cells(runs: Runs) -> Iterator[Alarm]:
    repeated = int(runs.table.duplicated(["subject", "item", "iteration", "attempt"]).sum())
    if repeated:
        yield alarm(
            "duplicate_rows",
            "medium",
            f"{plural(repeated, 'row')} repeat the framework, item, iteration and attempt of an earlier one.",
            rows=repeated,
        )
    if runs.unreadable:
        words = ", ".join(f"{column} ({count})" for column, count in runs.unreadable.items())
        yield alarm(
            "unreadable_values",
            "medium",
            f"Cells that hold no usable number were read as missing: {words}.",
            cells=dict(runs.unreadable),
        )
