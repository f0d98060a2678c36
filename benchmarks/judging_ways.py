"""Who judges in `judging`, each as a process of its own: by hand, `levelfield judge`, DeepEval's GEval."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.judging_reports import Reports, forget_verdicts, own_verdicts
from benchmarks.judging_run import Sample, watched
from benchmarks.line_process import ProcessFailed
from benchmarks.mock import MODEL
from benchmarks.texts import text_of
from runtime_envs.build import OnProgress, build
from shared.yardsticks import Rubric

REASONING_CHARACTERS = 300
"""The longest that our schema allows."""
SCORE = 7

DEEPEVAL_VARIABLES = {
    "DEEPEVAL_TELEMETRY_OPT_OUT": "1",
    "DEEPEVAL_UPDATE_WARNING_OPT_IN": "0",
    "DEEPEVAL_DISABLE_DOTENV": "1",
    "DEEPEVAL_FILE_SYSTEM": "READ_ONLY",
}


@dataclass(frozen=True, slots=True)
class Task:
    """Reports to judge, and whom to ask."""

    reports: Reports
    base_url: str
    parallel: int
    """Requests in flight at once."""
    folder: Path
    """For what a way writes; the experiment that holds the reports is in it."""

    @property
    def experiment(self) -> Path:
        return self.folder / "experiment"


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody judges."""

    calls: int
    """Per verdict."""
    one_in: int
    """It judges one in so many of the reports: fewer where a verdict takes longer."""
    answer: str
    """What the judge's model is to say."""
    judge: Callable[[Task, int], list[Sample]]
    """The first so many reports; raises ProcessFailed unless each has its verdict."""


def plain(rubric: Rubric) -> Way:
    return Way(1, 1, _verdict(rubric), _program(sys.executable, "benchmarks.judging_plain"))


def levelfield(rubric: Rubric) -> Way:
    return Way(1, 1, _verdict(rubric), _judge_command)


def geval(rubric: Rubric, on_progress: OnProgress, *, one_client: bool) -> Way:
    """With a client for each call, as DeepEval has it, or with one. Raises EnvironmentFailed."""
    python = str(build("bench-deepeval", on_progress=on_progress).python)
    answer = json.dumps({"reason": text_of(REASONING_CHARACTERS), "score": SCORE})
    judge = _program(python, "benchmarks.judging_deepeval", DEEPEVAL_VARIABLES, one_client=one_client)
    return Way(len(rubric.criteria), 10, answer, judge)


def _verdict(rubric: Rubric) -> str:
    scores = {criterion.name: SCORE for criterion in rubric.criteria}
    return json.dumps({"reasoning": text_of(REASONING_CHARACTERS), **scores, "overall": SCORE})


def _judge_command(task: Task, count: int) -> list[Sample]:
    """`levelfield judge` as a user's process, on an experiment of `count` reports."""
    forget_verdicts(task.experiment)
    # Ray keeps sockets in it, and their paths may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="lf-") as ray_folder:
        samples = watched(
            [sys.executable, "-m", "cluster", "judge", str(task.experiment), "--model", f"openai:{MODEL}"],
            {
                "RAY_TMPDIR": ray_folder,
                "LEVELFIELD_JUDGE_BASE_URL": task.base_url,
                "LEVELFIELD_JUDGE_PARALLEL": str(task.parallel),
            },
            task.folder / "levelfield.log",
            cwd=task.folder,  # where no .env is
        )
    _check("levelfield judge", own_verdicts(task.experiment), count)
    return samples


def _program(
    python: str, module: str, variables: Mapping[str, str] | None = None, **further: Any
) -> Callable[[Task, int], list[Sample]]:
    """A module of this folder: its configuration in a file, its verdicts in another, a line each."""

    def judge(task: Task, count: int) -> list[Sample]:
        config, out = task.folder / f"{module}.json", task.folder / f"{module}.jsonl"
        wanted = task.reports.config(task.base_url, task.parallel, count) | further
        config.write_text(json.dumps(wanted), encoding="utf-8")
        samples = watched(
            [python, "-m", module, str(config), str(out)],
            variables or {},
            task.folder / f"{module}.log",
            cwd=task.folder,
        )
        _check(module, len(out.read_text(encoding="utf-8").splitlines()), count)
        return samples

    return judge


def _check(who: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise ProcessFailed(f"{who}: of {wanted} reports {found} have a verdict of their own.")
