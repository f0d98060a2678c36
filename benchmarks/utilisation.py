"""Share of a node's time in which its model works, over a whole plan with judging."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.line_process import ProcessFailed, child_variables, end, log_tail, tied_process
from benchmarks.mock import MODEL, Behaviour, Stamp, running_mock
from benchmarks.plain_loop import run_loop
from benchmarks.result import Goal, Subject, busy_seconds, figure, merged
from benchmarks.session import Benchmark, Findings, Session
from runtime_envs.build import build
from runtime_envs.catalog import framework
from shared.plan import Plan, TaskPlan, ordered_runs
from shared.records import Status
from shared.store import Store

OURS, FLOOR = "levelfield", "loop"
CALL_S = 2.0
"""A model that answers in seconds."""
PLAN_TIMEOUT_S = 900
GOAL_SHARE = 0.95
SHOWN_GAPS = 12
COUNTED = (
    "Share of the time from the first request to the last answer in which the mock was answering, overlaps "
    "counted once. It takes 2 s for each call, several at once if asked, and says something else each time, "
    "so that every report gets a verdict of its own. Probes and warm-ups are off: only runs and verdicts "
    "count. levelfield: `levelfield run`, judged by the same model. loop: each framework's adapter as a "
    "subprocess, one after the other, then the judge. Starting Ray and building environments come before "
    "the first request."
)
FULL = ("direct", "langgraph", "crewai", "autogen", "agent_framework", "openai_agents")
QUICK = ("direct", "langgraph", "autogen")


def measure(session: Session) -> Findings:
    frameworks, items = (QUICK, ["anthropic"]) if session.quick else (FULL, ["anthropic", "stripe"])
    return measure_plan(session, session.rounds_of(full=3, quick=1), plan_of(frameworks, items), CALL_S)


def plan_of(frameworks: Sequence[str], items: list[str]) -> Plan:
    return Plan(
        name="utilisation",
        frameworks=list(frameworks),
        tasks=[TaskPlan(name="company_research", items=items)],
        probes=False,
    )


def measure_plan(session: Session, rounds: int, plan: Plan, call_s: float) -> Findings:
    _build_environments(session, plan)
    session.progress.stage("utilisation", total=2 * rounds)
    taken: dict[str, list[Carried]] = {FLOOR: [], OURS: []}
    with running_mock(session.folder) as mock:
        mock.behave(Behaviour(wait_s=call_s, distinct=True))
        ways: dict[str, Callable[[int], None]] = {
            FLOOR: lambda _: run_loop(plan, mock.base_url, MODEL, session.progress.doing),
            OURS: lambda number: run_command(session.folder / f"round-{number}", plan, mock.base_url),
        }
        for number in range(rounds):
            for name, carry_out in ways.items():
                session.progress.doing(f"{name}, round {number + 1} of {rounds}")
                mock.account()
                began = time.monotonic()
                carry_out(number)
                taken[name].append(Carried(mock.account().stamps, time.monotonic() - began))
                session.progress.advance()
    return _findings(plan, rounds, taken)


@dataclass(frozen=True, slots=True)
class Carried:
    """A whole plan, once."""

    stamps: list[Stamp]
    wall_s: float
    """Of the command or the loop, from its start to its end."""

    @property
    def busy(self) -> list[tuple[float, float]]:
        return answered(self.stamps)

    @property
    def served_s(self) -> float:
        return self.busy[-1][1] - self.busy[0][0]

    @property
    def share(self) -> float:
        return busy_seconds(self.busy) / self.served_s

    @property
    def share_in_runs(self) -> float:
        """The same from the first to the last request that is no judge's."""
        runs = answered([stamp for stamp in self.stamps if stamp.kind == "run"])
        return busy_seconds(runs) / (runs[-1][1] - runs[0][0])

    def gaps(self) -> list[dict[str, Any]]:
        """The longest pauses of the model, and how long after the first request each began."""
        first = self.busy[0][0]
        pauses = [
            {"pause_s": round(later[0] - earlier[1], 3), "at_s": round(earlier[1] - first, 1)}
            for earlier, later in pairwise(self.busy)
        ]
        return sorted(pauses, key=lambda pause: -pause["pause_s"])[:SHOWN_GAPS]


def answered(stamps: Iterable[Stamp]) -> list[tuple[float, float]]:
    """When at least one request was being answered, in order and without overlaps."""
    return merged((stamp.arrived, stamp.last) for stamp in stamps if stamp.last is not None)


def run_command(folder: Path, plan: Plan, base_url: str, judge: str | None = None) -> None:
    """`levelfield run` as a user's process, judged by the model itself or by the service `judge`.

    Raises:
        ProcessFailed: Not all is complete and judged.
    """
    folder.mkdir()
    plan_file, out, log = folder / "plan.yaml", folder / "out", folder / "levelfield.log"
    plan_file.write_text(json.dumps(plan.model_dump(mode="json")), encoding="utf-8")  # JSON is YAML, too
    # Ray keeps sockets in it, and their paths may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="lf-") as ray_folder, log.open("ab") as output:
        process = tied_process(
            [sys.executable, "-m", "cluster", "run", str(plan_file), "--out", str(out)],
            cwd=folder,  # where no .env is
            env=child_variables()
            | {"RAY_TMPDIR": ray_folder, "LEVELFIELD_LLM_MODEL": f"openai:{MODEL}"}
            | {"LEVELFIELD_LLM_BASE_URL": base_url}
            | ({"LEVELFIELD_JUDGE_MODEL": judge, "LEVELFIELD_JUDGE_BASE_URL": base_url} if judge else {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            status = process.wait(PLAN_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise ProcessFailed(
                f"levelfield run: not done after {PLAN_TIMEOUT_S} s.\n{log_tail(log)}"
            ) from None
        finally:
            process.terminate()
            end(process)
    if status:
        raise ProcessFailed(f"levelfield run ended with {status}. The end of its output:\n{log_tail(log)}")
    _check_complete(Store(out), plan)


def _check_complete(store: Store, plan: Plan) -> None:
    runs, verdicts = store.runs(), store.verdicts()
    wanted = sum(map(len, ordered_runs(plan)))
    completed = sum(record.status is Status.COMPLETED for record in runs)
    own = sum(verdict.scored and verdict.same_text_as is None for verdict in verdicts)
    if completed != wanted or own != wanted:
        raise ProcessFailed(f"Of {wanted} runs {completed} were completed and {own} judged by themselves.")


def _build_environments(session: Session, plan: Plan) -> None:
    session.progress.stage("utilisation: environments", total=len(plan.frameworks))
    for name in plan.frameworks:
        build(framework(name).environment, on_progress=session.progress.doing)
        session.progress.advance()


def _findings(plan: Plan, rounds: int, taken: Mapping[str, Sequence[Carried]]) -> Findings:
    quantities: dict[tuple[str, str], Callable[[Carried], float]] = {
        ("model at work", "share"): lambda carried: carried.share,
        ("model at work while runs are left", "share"): lambda carried: carried.share_in_runs,
        ("first request to last answer", "s"): lambda carried: carried.served_s,
        ("command from start to end", "s"): lambda carried: carried.wall_s,
    }
    figures = [
        figure(name, unit, {who: [value(one) for one in all_of] for who, all_of in taken.items()}, OURS)
        for (name, unit), value in quantities.items()
    ]
    share = figures[0].of[OURS].median
    return Findings(
        counted=COUNTED,
        rounds=rounds,
        subjects=[
            Subject(name=FLOOR, role="floor", what="subprocesses one after the other, then the judge"),
            Subject(name=OURS, role="ours", what="levelfield run"),
        ],
        figures=figures,
        goals=[Goal(text=f"above {GOAL_SHARE:.0%}", met=share > GOAL_SHARE, found=f"{share:.1%}")],
        details={
            "frameworks": plan.frameworks,
            "runs": sum(map(len, ordered_runs(plan))),
            "requests": {who: [len(one.stamps) for one in all_of] for who, all_of in taken.items()},
            "longest_pauses_of_the_model": {who: all_of[-1].gaps() for who, all_of in taken.items()},
        },
    )


BENCHMARK = Benchmark("utilisation", "Share of a node's time in which its model works.", measure)
