"""Between two runs on a node: `levelfield run` beside the plain loop, and what the time goes to."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from statistics import fmean, median
from typing import Any

from benchmarks.line_process import ProcessFailed
from benchmarks.mock import MODEL, Behaviour, Stamp, running_mock
from benchmarks.plain_loop import run_loop
from benchmarks.session import Session
from benchmarks.utilisation import FLOOR, OURS, plan_of, run_command
from shared.plan import ordered_runs
from shared.store import Store

CALLS_PER_RUN = 3
"""Of every framework where facts are handed over: one per agent."""
CALL_S = 0.2
JUDGE = f"openai:{MODEL}-judge"
"""Another name than that of the model under test: it is asked after the runs, as in the loop."""
MEAN = "pause before a run, mean"
COUNTED = (
    "pause: at a mock model, from a run's last answer to the next run's first request; both judge after the "
    "runs. The pauses of both hold the start of an interpreter and the import of its framework, the loop's "
    "before each run, ours before each block for all of its runs. A plan's first block is left out, since "
    "`levelfield run` starts its processes before the first request. Starting is deliberate, since nothing "
    "may start beside a measured run, and told apart; the rest is overhead, and what a framework itself does "
    "before its first request, which `direct` hardly does. Processes that start side by side, from four "
    "cores on, count one by one as starting."
)


@dataclass(frozen=True, slots=True)
class Pause:
    """Before a run."""

    seconds: float
    begins_block: bool


def pauses(stamps: Sequence[Stamp], blocks: Sequence[int]) -> list[Pause]:
    """Those before the runs of all blocks but the first.

    Args:
        stamps: Of a plan's requests, its runs one after the other.
        blocks: How many runs each block has, in the plan's order.

    Raises:
        ProcessFailed: There were more or fewer runs.
    """
    calls = sorted((s for s in stamps if s.kind == "run" and s.last is not None), key=lambda s: s.arrived)
    wanted = CALLS_PER_RUN * sum(blocks)
    if len(calls) not in (wanted, wanted + 1):  # a judge elsewhere is asked a word first
        raise ProcessFailed(f"{len(calls)} calls in {sum(blocks)} runs: one was repeated, or is missing.")
    runs = [calls[first : first + CALLS_PER_RUN] for first in range(0, wanted, CALLS_PER_RUN)]
    heads = set(accumulate(blocks))
    found = [
        Pause(later[0].arrived - (earlier[-1].last or 0.0), number in heads)
        for number, (earlier, later) in enumerate(pairwise(runs), start=1)
    ]
    return found[blocks[0] - 1 :]


def measure_pauses(
    session: Session, frameworks: Sequence[str], items: Sequence[str]
) -> tuple[dict[tuple[str, str], dict[str, float]], Any]:
    """Figures by name and unit, of each subject, and each pause."""
    plan = plan_of(frameworks, list(items)).model_copy(update={"iterations": 2})
    blocks = [len(block) for block in ordered_runs(plan)]
    with running_mock(session.folder) as mock, tempfile.TemporaryDirectory() as folder:
        mock.behave(Behaviour(wait_s=CALL_S, distinct=True))
        place = Path(folder) / "round"

        def of(carry_out: Callable[[], None]) -> list[Pause]:
            mock.account()
            carry_out()
            return pauses(mock.account().stamps, blocks)

        loop = of(lambda: run_loop(plan, mock.base_url, MODEL, session.progress.doing))
        ours = of(lambda: run_command(place, plan, mock.base_url, judge=JUDGE))
        records = sorted(Store(place / "out").runs(), key=lambda record: record.position)[blocks[0] :]
    starts = [record.boot.process_s + record.boot.import_s for record in records if record.boot]
    told = {FLOOR: [asdict(pause) for pause in loop], OURS: [asdict(pause) for pause in ours]}
    return figures(loop, ours, starts), told


def figures(
    loop: Sequence[Pause], ours: Sequence[Pause], starts: Sequence[float]
) -> dict[tuple[str, str], dict[str, float]]:
    """`starts`: seconds that our processes took to start, imports included, of the same runs."""
    seconds = {FLOOR: [pause.seconds for pause in loop], OURS: [pause.seconds for pause in ours]}
    start_s = fmean(starts)
    found = {
        (MEAN, "s"): {who: fmean(values) for who, values in seconds.items()},
        ("pause before a run, median", "s"): {who: median(values) for who, values in seconds.items()},
        ("of the mean, starting and importing", "s"): {OURS: start_s},
        ("of the mean, all else", "s"): {OURS: fmean(seconds[OURS]) - start_s},
    }
    if within := [pause.seconds for pause in ours if not pause.begins_block]:
        found["pause within a block, median", "s"] = {OURS: median(within)}
    return found
