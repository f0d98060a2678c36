"""The main path: from a plan to a report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.attempts import Attempts, kept_in
from cluster.compare_jobs import uncompared
from cluster.dispatch import dispatch
from cluster.experiment import briefs, check_tools, not_added
from cluster.inference_node import PreparedEnvironment
from cluster.judge_jobs import check_reports, share_verdicts, unjudged
from cluster.judge_missing import judge_missing, judge_on, owed_by_all
from cluster.judge_servers import check_judges, subject_options
from cluster.judging import Judging
from cluster.maturity import keep_maturity
from cluster.nodes import Nodes, serving_nodes
from cluster.replay import Recording
from cluster.runs_csv import write_runs_csv
from cluster.schedule import Assignment, Kept, Schedule, remaining, warmups
from cluster.session import ray_session
from cluster.spans.sink import SpanSink
from cluster.versions import keep_locks, moved_note, titles_of
from cluster.workspace import Workspace
from shared.errors import ResultsMismatch
from shared.manifest import FrameworkEntry, Manifest
from shared.plan import framework_of, ordered_runs

if TYPE_CHECKING:
    from analysis.report import Written


@dataclass(frozen=True)
class PlanResult:
    """Where things are and what is missing."""

    folder: Path
    written: Written
    missing: int
    """Runs of the plan without a final record."""
    unjudged: int
    """Verdicts and comparisons that the panel still owes."""


def run_plan(work: Workspace) -> PlanResult:
    """Run what is not complete yet, judge what has no verdict yet, and write the report."""
    _refuse_other_experiment(work)
    if work.store.manifest_path.exists() and not _missing(work):
        if not owed_by_all(work.store, work.experiment):
            work.progress.say("Every run is complete and judged; --fresh measures again.")
        return judge_only(work)
    check_judges(work.settings)
    check_tools(work.experiment)
    recording = _recording(work)
    settings = work.settings
    work.progress.stage("Starting Ray")
    with ray_session(settings.ray_address):
        options = subject_options(settings, work.store.logs)
        with serving_nodes(settings.llm_model, options, work.progress, settings.gpus_per_node) as nodes:
            plan, locks = work.experiment.plan, work.experiment.locks
            environments = nodes.prepare(plan.frameworks, locks)
            _begin(work, nodes, environments)
            _measure(work, nodes, environments, recording)
        judge_missing(work, [judge for judge in settings.panel if not settings.is_subject(judge)])
    keep_maturity(work)
    return write_results(work)


def judge_only(work: Workspace) -> PlanResult:
    """Judge what the settings' judges have not judged yet, without running any framework."""
    if owed_by_all(work.store, work.experiment):
        check_judges(work.settings)
        work.progress.stage("Starting Ray")
        with ray_session(work.settings.ray_address):
            judge_missing(work)
    return write_results(work)


def write_results(work: Workspace, *, all_runs: bool = False) -> PlanResult:
    """What needs no Ray: checks, runs.csv, the report."""
    from analysis.report import write_reports  # noqa: PLC0415 - scipy and plotly take seconds to import

    work.progress.stage("Writing the report")
    store, experiment = work.store, work.experiment
    store.restate_acceptance(experiment.plan.acceptance)
    check_reports(store, experiment)
    share_verdicts(store)
    write_runs_csv(store, work.settings.judge)
    written = write_reports(store.folder, json_out=store.folder / "report.json", all_runs=all_runs)
    return PlanResult(
        folder=store.folder,
        written=written,
        missing=_missing(work),
        unjudged=owed_by_all(store, experiment),
    )


def _refuse_other_experiment(work: Workspace) -> None:
    """Before anything is started or written; `Store.begin` then compares the servers as well."""
    if work.store.manifest_path.exists():
        kept, wanted = work.store.manifest(), work.experiment
        if work.extends and work.store.stopped():
            raise ResultsMismatch(
                f"{work.store.folder} was ended by its plan's stopping rule, which more runs would undo: "
                "give another --out."
            )
        work.store.require_same(
            not_added(kept, wanted) if work.extends else kept.differs_in_identity(wanted.identity)
        )


def _missing(work: Workspace) -> int:
    """Runs of the plan without a final record."""
    return sum(map(len, remaining(ordered_runs(work.experiment.plan), _kept(work))))


def _kept(work: Workspace) -> Kept:
    return kept_in(work.store, work.experiment.plan.disturbance.attempts)


def _begin(work: Workspace, nodes: Nodes, environments: dict[str, PreparedEnvironment]) -> None:
    """What does not change in an experiment goes to disk before its first run."""
    work.store.begin(_manifest(work, nodes, environments), extends=work.extends)
    keep_locks(work.store.folder, work.experiment.locks)
    for brief in briefs(work.experiment, nodes.running[0].info.identity.served_model):
        work.store.write_brief(brief)


def _recording(work: Workspace) -> Recording | None:
    """Of a replay, the answers, with one for each run of the plan before anything is started."""
    folder = work.settings.recording
    if folder is None:
        return None
    recording = Recording(folder)
    recording.require(key for block in ordered_runs(work.experiment.plan) for key in block)
    return recording


def _measure(
    work: Workspace,
    nodes: Nodes,
    environments: dict[str, PreparedEnvironment],
    recording: Recording | None,
) -> None:
    plan, store = work.experiment.plan, work.store
    kept = _kept(work)

    def left() -> Iterator[list[Assignment]]:
        for block in remaining(ordered_runs(plan), kept):
            yield [one for one in block if framework_of(one.key.framework) in environments]

    schedule = Schedule(
        left(),
        runs=sum(map(len, left())),
        warmups=warmups(plan, kept),
        probes=plan.probes and recording is None,
        disturbed_attempts=plan.disturbance.attempts,
    )
    subject = next(filter(work.settings.is_subject, work.settings.panel), None)
    judging = Judging(work, unjudged(store, work.experiment, subject), subject) if subject else None
    work.progress.stage("Measuring", total=schedule.left)
    with SpanSink(store, content=work.settings.trace_content, warn=work.progress.warn) as spans:
        dispatch(work, nodes, schedule, Attempts(work, spans, recording), judging)
    if subject:  # pairs can be chosen only among all reports
        judge_on(work, nodes, subject, uncompared(store, work.experiment, subject))


def _manifest(work: Workspace, nodes: Nodes, environments: dict[str, PreparedEnvironment]) -> Manifest:
    node, locks = nodes.running[0].info, work.experiment.locks
    titles = titles_of({name: (found.title, found.versions) for name, found in environments.items()})
    caveats = dict.fromkeys(each.info.identity.caveat for each in nodes.running)
    moved = [moved_note(titles[name], name, locks[name]) for name in environments if name in locks]
    return Manifest(
        experiment=work.store.folder.name,
        created_at=datetime.now(UTC).isoformat(),
        levelfield=version("levelfield"),
        plan=work.experiment.plan,
        settings=work.settings.public,
        identity=work.experiment.identity,
        frameworks={
            name: FrameworkEntry(title=titles[name], versions=found.versions)
            for name, found in environments.items()
        },
        server={name: value for name, value in asdict(node.identity).items() if name != "caveat"},
        hardware=node.hardware,
        notes=[note for note in (*caveats, *moved) if note],
    )
