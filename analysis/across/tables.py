"""The page's tables of several tasks: one column per task."""

from __future__ import annotations

from collections.abc import Callable

from analysis.across.result import AcrossTasks, Holding, Profile, TaskDifference, Verdict
from analysis.estimates.tables import NAMES
from analysis.significance_result import Metric
from analysis.tables import MISSING, MOST_PAIRS, Cell, Table, digits_for, number, share, signed_share

VERDICTS: dict[Verdict, str] = {
    "all_higher": "higher in every task",
    "all_lower": "lower in every task",
    "mixed": "turns round",
    "some": "in some tasks only",
    "none": "not shown",
    "unknown": "cannot be tested",
}

_PROFILE: tuple[tuple[str, str, Callable[[Profile], float | None]], ...] = (
    ("passed", "Passed the task's own exact score", lambda p: p.passed),
    ("accepted", "Accepted by the plan's criteria", lambda p: p.accepted),
    ("quality", "Quality, as judged", lambda p: p.quality),
    ("latency_s", "Latency, s", lambda p: p.latency_s),
    ("tokens", "Tokens per run", lambda p: p.tokens),
)
_SHARES = frozenset({"passed", "accepted"})


def completed_table(across: AcrossTasks) -> Table:
    rows = [
        [Cell(_title(of_task), swatch=subject), *(_completed(of_task.get(task)) for task in across.tasks)]
        for subject, of_task in across.profiles.items()
    ]
    return Table("completed", "Runs completed, by task", ("Framework", *across.tasks), rows)


def _completed(profile: Profile | None) -> Cell:
    return Cell(f"{profile.completed}/{profile.runs}" if profile else MISSING)


def profile_tables(across: AcrossTasks) -> list[Table]:
    """One for each figure that any task has; means over that task's completed runs."""
    found = []
    for name, caption, figure in _PROFILE:
        values = {
            subject: {task: figure(profile) for task, profile in of_task.items()}
            for subject, of_task in across.profiles.items()
        }
        if all(value is None for row in values.values() for value in row.values()):
            continue
        digits = {
            task: 0 if name == "tokens" else digits_for(row.get(task) for row in values.values())
            for task in across.tasks
        }
        rows = [
            [
                Cell(_title(across.profiles[subject]), swatch=subject),
                *(
                    Cell(share(row.get(t)) if name in _SHARES else number(row.get(t), digits[t]))
                    for t in across.tasks
                ),
            ]
            for subject, row in values.items()
        ]
        found.append(Table(f"profile-{name}", caption, ("Framework", *across.tasks), rows))
    return found


def holding_tables(across: AcrossTasks) -> list[Table]:
    by_metric: dict[Metric, list[Holding]] = {}
    for holding in across.holdings:
        by_metric.setdefault(holding.metric, []).append(holding)
    note = "95 % intervals over the task's items. Bold: shown by the task's own test after Holm."
    return [
        Table(
            f"holds-{metric}",
            f"{NAMES[metric]}: difference, in percent of the reference's mean in that task",
            ("Framework", "Reference", *across.tasks, "Across tasks"),
            [_holding(across, holding) for holding in found[:MOST_PAIRS]],
            note + (f" The first {MOST_PAIRS} of {len(found)} pairs." if len(found) > MOST_PAIRS else ""),
            frozenset({1, len(across.tasks) + 2}),
        )
        for metric, found in by_metric.items()
    ]


def _holding(across: AcrossTasks, holding: Holding) -> list[Cell]:
    cells = [_difference(holding.tasks.get(task)) for task in across.tasks]
    return [
        Cell(holding.title, swatch=holding.subject),
        Cell(holding.reference),
        *cells,
        Cell(VERDICTS[holding.verdict], strong=holding.verdict in {"all_higher", "all_lower"}),
    ]


def _difference(found: TaskDifference | None) -> Cell:
    if found is None or found.share is None:
        return Cell(MISSING)
    interval = ""
    if found.low is not None and found.high is not None:
        interval = f" ({signed_share(found.low)} to {signed_share(found.high)})"
    return Cell(signed_share(found.share) + interval, strong=bool(found.shown))


def _title(of_task: dict[str, Profile]) -> str:
    return next(iter(of_task.values())).title
