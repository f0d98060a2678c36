"""The main path: from a plan to a report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import ray

from analysis.report import write_report
from analysis.result import Analysis
from cluster.dispatch import dispatch
from cluster.experiment import Experiment, agents_for, experiment_folder, total_runs
from cluster.inference_node import MeasuredRun, PreparedEnvironment, RunJob
from cluster.interrupts import Interrupts
from cluster.judging import check_reports, judge_reports, unjudged
from cluster.nodes import Node, prepare_environments, start_nodes, stop_nodes
from cluster.progress import RunProgress
from cluster.runs_csv import write_runs_csv
from cluster.schedule import Assignment, Schedule, remaining
from cluster.servers import ServerOptions
from cluster.session import node_places, ray_session
from shared.manifest import FrameworkEntry, Manifest
from shared.plan import ordered_runs
from shared.settings import BenchmarkSettings
from shared.store import Store


@dataclass(frozen=True)
class PlanResult:
    """Where things are and what is missing."""

    folder: Path
    report: Path
    analysis: Analysis
    missing: int
    """Runs of the plan without a final record."""
    unjudged: int
    stopped: bool


def run_plan(
    experiment: Experiment, out: Path | None, *, fresh: bool, progress: RunProgress, interrupts: Interrupts
) -> PlanResult:
    """Run what is not complete yet, judge what has no verdict yet, and write the report."""
    store = Store(experiment_folder(experiment, out, fresh=fresh))
    store.lock()
    try:
        progress.say(f"Results: {store.folder}")
        if _has_work(store, experiment):
            with ray_session(experiment.settings.ray_address):
                _measure_and_judge(store, experiment, progress, interrupts)
        else:
            progress.say(f"All {total_runs(experiment.plan)} runs are complete; --fresh measures again.")
        return finish(store, experiment, progress, stopped=interrupts.stopping)
    finally:
        store.unlock()


def judge_folder(store: Store, experiment: Experiment, progress: RunProgress, interrupts: Interrupts) -> None:
    """Judge what has no verdict of the settings' judge yet, without running any framework."""
    jobs = unjudged(store, experiment, experiment.settings.judge)
    if not jobs:
        return
    with ray_session(experiment.settings.ray_address):
        progress.stage("Setting up")
        nodes = start_nodes(
            node_places(ray.nodes()),
            experiment.settings.judge,
            _judge_options(experiment.settings, store),
            progress,
        )
        _judge(nodes, store, experiment, progress, interrupts)
        stop_nodes(nodes)


def finish(store: Store, experiment: Experiment, progress: RunProgress, *, stopped: bool = False) -> PlanResult:
    """What needs no Ray: checks, runs.csv, the report."""
    progress.stage("Writing the report")
    check_reports(store, experiment)
    write_runs_csv(store, experiment.settings.judge)
    report, analysis = write_report(store.folder, json_out=store.folder / "report.json")
    final = sum(record.status.is_final for record in store.runs())
    return PlanResult(
        folder=store.folder,
        report=report,
        analysis=analysis,
        missing=total_runs(experiment.plan) - final,
        unjudged=len(unjudged(store, experiment, experiment.settings.judge)),
        stopped=stopped,
    )


def _has_work(store: Store, experiment: Experiment) -> bool:
    if not store.manifest_path.exists():
        return True
    left = remaining(ordered_runs(experiment.plan), store.runs())
    return bool(left) or bool(unjudged(store, experiment, experiment.settings.judge))


def _measure_and_judge(
    store: Store, experiment: Experiment, progress: RunProgress, interrupts: Interrupts
) -> None:
    settings = experiment.settings
    progress.stage("Setting up", total=len(experiment.plan.frameworks))
    nodes = start_nodes(node_places(ray.nodes()), settings.llm_model, _options(settings, store), progress)
    environments = prepare_environments(nodes, experiment.plan.frameworks, progress)
    store.begin(_manifest(store, experiment, nodes, environments))
    _measure(nodes, environments, store, experiment, progress, interrupts)
    if interrupts.stopping:
        stop_nodes(nodes)
        return
    if settings.judge == settings.llm_model:
        _judge(nodes, store, experiment, progress, interrupts)
        stop_nodes(nodes)
    else:
        stop_nodes(nodes)
        judges = start_nodes(
            node_places(ray.nodes()), settings.judge, _judge_options(settings, store), progress
        )
        _judge(judges, store, experiment, progress, interrupts)
        stop_nodes(judges)


def _measure(
    nodes: list[Node],
    environments: dict[str, PreparedEnvironment],
    store: Store,
    experiment: Experiment,
    progress: RunProgress,
    interrupts: Interrupts,
) -> None:
    plan = experiment.plan
    left = [
        [assignment for assignment in block if assignment.key.framework in environments]
        for block in remaining(ordered_runs(plan), store.runs())
    ]
    progress.stage("Measuring", total=sum(map(len, left)))

    def job_for(assignment: Assignment) -> RunJob:
        tool_data = experiment.task_of(assignment.key).tool_data(assignment.key.item)
        return RunJob(
            assignment,
            agents_for(experiment, assignment),
            tool_data,
            plan.temperature,
            plan.seed,
            plan.limits,
        )

    def keep(measured: MeasuredRun) -> None:
        store.write_run(measured.record, measured.calls)
        progress.run_finished(measured.record)

    dispatch(nodes, Schedule(left), job_for, keep, progress, interrupts)


def _judge(
    nodes: list[Node], store: Store, experiment: Experiment, progress: RunProgress, interrupts: Interrupts
) -> None:
    settings = experiment.settings
    jobs = unjudged(store, experiment, settings.judge)
    progress.stage("Judging", total=len(jobs))
    judge_reports(nodes, jobs, store, settings.judge, settings.judge_parallel, progress, interrupts)


def _manifest(
    store: Store, experiment: Experiment, nodes: list[Node], environments: dict[str, PreparedEnvironment]
) -> Manifest:
    info = nodes[0].info
    return Manifest(
        experiment=store.folder.name,
        created_at=datetime.now(UTC).isoformat(),
        levelfield=version("levelfield"),
        plan=experiment.plan,
        settings=experiment.settings.public,
        identity=experiment.identity,
        frameworks={
            name: FrameworkEntry(title=found.title, versions=found.versions)
            for name, found in environments.items()
        },
        server=asdict(info.identity),
        hardware=info.hardware,
        notes=info.identity.notes,
    )


def _options(settings: BenchmarkSettings, store: Store) -> ServerOptions:
    return ServerOptions(
        base_url=settings.llm_base_url,
        api_key=settings.llm_api_key.get_secret_value() if settings.llm_api_key else None,
        context_length=settings.context_length,
        log_dir=store.logs,
    )


def _judge_options(settings: BenchmarkSettings, store: Store) -> ServerOptions:
    if settings.judge == settings.llm_model:
        return _options(settings, store)
    return ServerOptions(
        base_url=settings.judge_base_url,
        api_key=settings.judge_api_key.get_secret_value() if settings.judge_api_key else None,
        context_length=settings.context_length,
        log_dir=store.logs,
    )
