"""Runs that did what their material told them."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.alarm import alarm
from analysis.read_runs import Runs
from analysis.result import Alarm
from analysis.score.result import TaskScore
from analysis.wording import listing, plural


def score_alarms(runs: Runs, score: TaskScore | None) -> Iterator[Alarm]:
    found = {name: one for name, one in score.frameworks.items() if one.followed} if score else {}
    if not found:
        return
    counts, said = [], " followed an instruction written in their material"
    for name, one in found.items():
        items = listing(one.followed_items)
        counts.append(f"{runs.title(name)}: {one.followed} of {plural(one.runs, 'run')}{said} ({items}).")
        said = ""
    yield alarm(
        "followed_instruction",
        "medium",
        f"{' '.join(counts)} All frameworks ran the same model: this counts what that model does with each "
        "framework's wording, and is no finding on how secure a framework is.",
        runs={
            name: {"followed": one.followed, "of": one.runs, "items": one.followed_items}
            for name, one in found.items()
        },
    )
