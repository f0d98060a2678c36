"""What an experiment is before it starts: its plan checked, its identity, its folder."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from cluster.replay import Recording
from cluster.run_job import RunJob
from cluster.schedule import Assignment
from cluster.servers import check_setting
from runtime_envs.catalog import environment, framework
from shared.acceptance import Acceptance
from shared.brief import AgentBrief, Brief, answer_mark
from shared.contract import AgentSpec
from shared.errors import PlanError, SettingsError
from shared.manifest import Manifest
from shared.plan import Limits, Plan, TaskPlan, digest
from shared.prompts.pass_on import user_turn
from shared.records import RunKey
from shared.settings import BenchmarkSettings
from shared.stopping import Stopping
from shared.store import slug
from shared.strict import Strict
from shared.suggest import unknown_name
from shared.surroundings import Disturbance
from shared.tasks.load_task import load_task
from shared.tasks.task import Task
from shared.trace import new_trace

ROOT = Path(__file__).resolve().parent.parent

MEASURING_CODE = (
    *("frameworks", "shared/prompts", "shared/sandbox", "shared/tools", "cluster/gateway", "cluster/servers"),
    *("cluster/framework_log.py", "cluster/framework_worker.py", "cluster/leased_run.py"),
    *("cluster/framework_host.py", "cluster/framework_main.py"),
)
"""Code that can change what is measured; the rest may change between a run and its resume."""

MAX_PLAN_BYTES = 1_000_000


@dataclass(frozen=True)
class Experiment:
    """A checked plan with all it names."""

    plan: Plan
    settings: BenchmarkSettings
    tasks: dict[str, Task]
    identity: dict[str, Any]
    """What must be equal for runs to be pooled."""
    locks: Mapping[str, str] = field(default_factory=dict)
    """Of the frameworks that the plan has in a stated version, by name: what is installed, as text."""

    @property
    def name(self) -> str:
        return f"{self.plan.name}-{slug(self.settings.model_name)}-{digest(self.identity)[:6]}"

    def task_of(self, key: RunKey) -> Task:
        return self.tasks[key.task]


def read_plan(path: Path) -> Plan:
    """A plan file as data; nothing in it is executed.

    Raises:
        PlanError: With the file, the key and what is wrong with it.
    """
    try:
        if path.stat().st_size > MAX_PLAN_BYTES:
            raise PlanError(f"{path} is over {MAX_PLAN_BYTES:,} bytes: that is no plan.")
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PlanError(f"There is no plan {path}. Ready-made ones are in plans/.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"Cannot read the plan {path}: {error}.") from None
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" near line {where.line + 1}" if where else ""
        raise PlanError(f"{path} is not valid YAML{line}: {getattr(error, 'problem', error)}.") from None
    if not isinstance(content, dict):
        raise PlanError(f"{path} must hold keys and values, such as `name: quick`. See plans/quick.yaml.")
    try:
        return Plan.model_validate(content)
    except ValidationError as error:
        raise PlanError(f"{path}: " + "; ".join(_problem(problem) for problem in error.errors())) from None


def describe_experiment(
    plan: Plan, settings: BenchmarkSettings, locks: Mapping[str, str] | None = None
) -> Experiment:
    """Check every name in the plan, and work out its identity.

    Args:
        plan: What to compare.
        settings: What with.
        locks: Those of the frameworks in a stated version (`cluster.versions.version_locks`).

    Raises:
        PlanError: An unknown framework, task, item or agent, naming the nearest right one.
        SettingsError: The same for a model.
    """
    check_frameworks(plan)
    for setting in {settings.llm_model, *settings.panel}:
        check_setting(setting)
    tasks = {}
    for wanted in plan.tasks:
        task = tasks[wanted.name] = load_task(wanted.name).limited(plan.limits.facts_per_query)
        check_pattern(plan, task)
        for item in wanted.items:
            task.agents(item, plan.tools, plan.limits.max_tokens)
    check_token_limits(plan, tasks)
    locks = dict(locks or {})
    return Experiment(plan, settings, tasks, _identity(plan, settings, tasks, locks), locks)


def not_added(kept: Manifest, wanted: Experiment) -> list[str]:
    """What keeps `wanted` from being the experiment in `kept` with more runs, by name; empty: it is that."""
    departs = [f"plan: {key}" for key in wanted.plan.departs_from(kept.plan)]
    if departs:
        return departs
    again = describe_experiment(kept.plan, wanted.settings, wanted.locks)
    return kept.differs_in_identity(again.identity)


def check_frameworks(plan: Plan) -> None:
    """Raises PlanError for an unknown one, and for one without versions in a version."""
    for name in plan.frameworks:
        try:
            framework(name)
        except SettingsError as error:
            raise PlanError(str(error)) from None


def check_token_limits(plan: Plan, tasks: Mapping[str, Task]) -> None:
    """Raises PlanError for an agent that no task of the plan has."""
    agents = {agent.name for task in tasks.values() for agent in task.definition.agents}
    for name in plan.limits.max_tokens:
        if name not in agents:
            raise PlanError(unknown_name("agent in limits.max_tokens", name, agents))


def check_tools(experiment: Experiment) -> None:
    """Before the first run. Raises UserError where an item's tools cannot be opened here, with what to do."""
    for wanted in experiment.plan.tasks:
        for item in wanted.items:
            experiment.tasks[wanted.name].toolbox(item).check()


def check_pattern(plan: Plan, task: Task) -> None:
    """Raises PlanError where a framework or an arm of the plan does not know the task's pattern."""
    pattern = task.definition.pattern
    rows = {name: framework(name) for name in plan.frameworks}
    if strangers := [row.title for row in rows.values() if pattern not in row.patterns]:
        raise PlanError(
            f"{task.name}: who goes on is the model's choice (pattern {pattern}), and "
            f"{', '.join(strangers)} has no way of handing over: leave it out, or give the task its own plan."
        )
    if pattern == "handoff" and plan.arms != ["idiomatic"]:
        raise PlanError(
            f"{task.name}: the pattern handoff has only the arm idiomatic, because how one hands over is the "
            "framework's own: leave the arm equalised out, or give the task its own plan."
        )


def experiment_folder(experiment: Experiment, out: Path | None, *, fresh: bool) -> Path:
    """`out`, or the experiment's newest folder below `results_dir`; with `fresh`, a new one."""
    if out:
        return out.expanduser().resolve()
    base = _results_dir(experiment.settings.results_dir) / experiment.name
    number = 1
    while _numbered(base, number + 1).exists():
        number += 1
    newest = _numbered(base, number)
    return _numbered(base, number + 1) if fresh and newest.exists() else newest


def total_runs(plan: Plan) -> int:
    return len(plan.subjects) * len(plan.arms) * plan.iterations * sum(len(t.items) for t in plan.tasks)


def job_of(
    experiment: Experiment, assignment: Assignment, attempt_id: str, recording: Recording | None = None
) -> RunJob:
    """An attempt with all that a node needs for it."""
    key, plan = assignment.key, experiment.plan
    task = experiment.task_of(key)
    return RunJob(
        assignment,
        attempt_id,
        agents=task.agents(key.item, plan.tools, plan.limits.max_tokens),
        toolbox=task.toolbox(key.item),
        temperature=plan.temperature,
        seed=plan.seed,
        limits=plan.limits,
        pattern=task.definition.pattern,
        trace=new_trace(),
        replay=recording.answers(key) if recording else None,
        replay_asked=recording.asked(key) if recording else None,
        replay_of=recording.attempt_id(key) if recording else None,
        replay_timing=experiment.settings.replay_timing,
    )


def briefs(experiment: Experiment, served_model: str) -> Iterator[Brief]:
    """What every framework is handed, for each task item of the plan."""
    plan = experiment.plan
    for wanted in plan.tasks:
        task = experiment.tasks[wanted.name]
        for item in wanted.items:
            agents = task.agents(item, plan.tools, plan.limits.max_tokens)
            yield Brief(
                task=wanted.name,
                item=item,
                agents=list(_agent_briefs(task, agents)),
                model=served_model,
                temperature=plan.temperature,
                seed=plan.seed,
                max_steps=plan.limits.max_steps,
                max_handoffs=plan.limits.max_handoffs if task.definition.pattern == "handoff" else 0,
            )


def _agent_briefs(task: Task, agents: Iterable[AgentSpec]) -> Iterator[AgentBrief]:
    marks: dict[str, str] = {}
    for spec in agents:
        yield AgentBrief(**asdict(spec), user_turn=user_turn(spec, marks))
        if task.definition.pattern == "pipeline":
            marks[spec.name] = answer_mark(spec.name)


def _identity(
    plan: Plan, settings: BenchmarkSettings, tasks: dict[str, Task], locks: Mapping[str, str]
) -> dict[str, Any]:
    return {
        **{f"plan: {key}": value for key, value in plan.measured.items()},
        **{f"settings: {key}": value for key, value in settings.identity.items()},
        **{f"task: {wanted.name}": tasks[wanted.name].digests(wanted.items)["runs"] for wanted in plan.tasks},
        **{
            f"environment: {name}": hashlib.sha256(locks[name].encode()).hexdigest()
            if name in locks
            else _file_digest([environment(framework(name).environment).lock])
            for name in plan.frameworks
        },
        "code": _file_digest(
            path
            for place in MEASURING_CODE
            for path in ([ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py")))
        ),
    }


def _file_digest(paths: Any) -> str:
    found = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        found.update(f"{path.name}:{len(content)}:".encode() + content)
    return found.hexdigest()


def _results_dir(folder: Path) -> Path:
    """A submitted job runs in a folder that Ray deletes: there, relative means below the home folder."""
    if folder.is_absolute():
        return folder
    in_job = "RAY_JOB_CONFIG_JSON_ENV_VAR" in os.environ
    return (Path.home() / "levelfield" / folder) if in_job else folder.resolve()


def _numbered(base: Path, number: int) -> Path:
    return base if number == 1 else base.with_name(f"{base.name}-{number}")


def _problem(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"]) or "plan"
    if problem["type"] == "extra_forbidden":
        parent = problem["loc"][0] if len(problem["loc"]) > 1 else None
        known = _known_keys(parent)
        return unknown_name("key", str(problem["loc"][-1]), known)
    return f"{where}: {re.sub(r'^Value error, ', '', problem['msg'])}"


def _known_keys(parent: Any) -> list[str]:
    models: dict[Any, type[Strict]] = {
        "limits": Limits,
        "tasks": TaskPlan,
        "disturbance": Disturbance,
        "acceptance": Acceptance,
        "stopping": Stopping,
    }
    return list(models.get(parent, Plan).model_fields)
