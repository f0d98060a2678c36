"""What the commands do, apart from reading their arguments."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from cluster.experiment import Experiment, describe_experiment, experiment_folder, read_plan
from cluster.interrupts import handled_interrupts
from cluster.merge import merge, source
from cluster.progress import RunProgress
from cluster.run_plan import PlanResult, judge_only, run_plan, write_results
from cluster.spans.endpoint import Endpoint, traces_url, url_from
from cluster.spans.stored import send_stored
from cluster.versions import version_locks
from cluster.workspace import Workspace
from runtime_envs.catalog import FRAMEWORKS
from runtime_envs.versions import build_named
from shared.errors import EnvironmentFailed, SettingsError
from shared.settings import NOT_FROM_PLANS, load_settings
from shared.store import Store


def run_command(
    plan_path: Path,
    out: Path | None,
    model: str | None,
    judge: str | None,
    *,
    fresh: bool,
    extend: Path | None = None,
    console: Console,
) -> int:
    """The exit code: 0 when the whole plan has results, 1 when something is missing.

    Raises:
        UserError: Plan, settings or folder are wrong, and how.
    """
    if extend:
        if out or fresh:
            raise SettingsError("--extend names the folder already: leave --out and --fresh away.")
        out = Store.existing(extend).folder
    plan = read_plan(plan_path)
    settings = load_settings({"llm_model": model, "judge_model": judge}, plan.settings)
    locks = version_locks(plan, out, again=fresh, say=lambda text: console.print(Text(text)))
    experiment = describe_experiment(plan, settings, locks)
    store = Store(experiment_folder(experiment, out, fresh=fresh))
    with working(experiment, store, console, extends=extend is not None) as work:
        work.progress.say(f"Results: {store.folder}")
        result = run_plan(work)
    _print_result(result, console)
    return int(bool(result.missing or result.unjudged))


def judge_command(
    folder: Path,
    model: str | None,
    console: Console,
    *,
    repeats: int | None = None,
    pairs: bool | None = None,
) -> int:
    """Judge and report again; 1 when something is left without a verdict. None: as the experiment has it."""
    store, experiment = existing(
        folder, {"judge_model": model, "judge_repeats": repeats, "judge_pairs": pairs}
    )
    with working(experiment, store, console) as work:
        result = judge_only(work)
    _print_result(result, console)
    return int(bool(result.unjudged))


def report_command(folder: Path, console: Console, *, all_runs: bool = False) -> None:
    store, experiment = existing(folder, {})
    with working(experiment, store, console) as work:
        result = write_results(work, all_runs=all_runs)
    _print_result(result, console)


def merge_command(folders: list[Path], out: Path, console: Console) -> None:
    """Pool the experiments, and report."""
    if len(folders) < 2:
        raise SettingsError("There is nothing to merge: name two folders or more.")
    pooled = merge([source(*existing(folder, {})) for folder in folders], out.expanduser().resolve())
    report_command(pooled.folder, console)


def spans_command(folder: Path, endpoint: str | None, console: Console) -> int:
    """The exit code: 1 when the endpoint did not take them all."""
    store = Store.existing(folder)
    url = traces_url(endpoint) if endpoint else url_from(os.environ)
    if url is None:
        raise SettingsError("No endpoint to send to: give --endpoint, or set OTEL_EXPORTER_OTLP_ENDPOINT.")
    measured = store.manifest().settings.get("trace_content", False)
    content = load_settings(None, {"trace_content": measured}).trace_content
    receiver = Endpoint(url)
    sent, reason = send_stored(store, receiver, content=content)
    console.print(Text(f"{sent} attempts sent to {receiver.shown}."), soft_wrap=True)
    if reason:
        console.print(Text(f"The next was not taken ({reason}), and no more were tried.", style="red"))
    return int(reason is not None)


def build_command(names: list[str], console: Console) -> int:
    """Build each; 1 when one failed, after trying all. A framework's version may be named: crewai==1.14.*."""
    wanted = names or sorted({framework.environment for framework in FRAMEWORKS.values()})
    failed = 0
    for name in wanted:
        console.print(Text(f"{name}: building"))
        try:
            built = build_named(name, lambda text: console.print(Text(text)))
        except EnvironmentFailed as error:
            console.print(Text(str(error), style="red"))
            failed += 1
            continue
        how = "was there" if built.reused else f"built in {built.build_s:.1f} s"
        console.print(Text(f"{name}: {how}, {built.size_bytes / 1e6:,.0f} MB, {built.path}"), soft_wrap=True)
    return int(failed > 0)


@contextmanager
def working(
    experiment: Experiment, store: Store, console: Console, *, extends: bool = False
) -> Iterator[Workspace]:
    """The store locked, progress shown and Ctrl-C handled inside the block."""
    progress = RunProgress(console)
    store.lock()
    try:
        with handled_interrupts(progress.warn) as interrupts, progress.shown():
            yield Workspace(experiment, store, progress, interrupts, extends)
    finally:
        store.unlock()


def existing(folder: Path, given: dict[str, Any]) -> tuple[Store, Experiment]:
    """The experiment in a folder, with what is given and not None. Raises ResultsMismatch: there is none."""
    store = Store.existing(folder)
    manifest = store.manifest()
    measured = {
        name: value
        for name, value in manifest.settings.items()
        if value is not None and name not in NOT_FROM_PLANS
    }
    kept = {"llm_model": measured["llm_model"], "judge_model": measured.get("judge_model")}
    chosen = {name: value for name, value in given.items() if value is not None}
    locks = version_locks(manifest.plan, folder)
    return store, describe_experiment(manifest.plan, load_settings(kept | chosen, measured), locks)


def _print_result(result: PlanResult, console: Console) -> None:
    from analysis.summary_table import summary_table  # noqa: PLC0415 - scipy takes seconds to import

    for task, analysis in result.written.tasks.items():
        console.print(summary_table(analysis, task if len(result.written.tasks) > 1 else None))
    console.print(Text(result.written.headline))
    if result.missing:
        missing = f"{result.missing} runs are missing: the same command goes on with them."
        console.print(Text(missing, style="yellow"))
    if result.unjudged:
        unjudged = f"{result.unjudged} verdicts are missing: levelfield judge {result.folder}"
        console.print(Text(unjudged, style="yellow"), soft_wrap=True)
    console.print(Text(f"Report: {result.written.report}"), soft_wrap=True)
