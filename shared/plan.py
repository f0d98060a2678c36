"""What is compared: a plan file as typed data, and the seeded order of its runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from shared.acceptance import Acceptance
from shared.records import RunKey
from shared.stopping import Stopping
from shared.strict import Strict
from shared.surroundings import Disturbance
from shared.versions import versioned_name

NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"
"""Names become folder names."""

GROWS = frozenset({"name", "frameworks", "arms", "aa", "tasks", "iterations"})
"""Keys of a plan that say which runs there are, and nothing of how one is made."""

AA_SUFFIX = "-aa"
"""Ends the second name of a framework that is compared with itself. No framework's own name has a hyphen."""


class TaskPlan(Strict):
    """One task type and the items of it to run."""

    name: str
    items: list[str] = Field(min_length=1)

    @field_validator("items")
    @classmethod
    def _distinct(cls, items: list[str]) -> list[str]:
        return _without_repeats(items)


class Limits(Strict):
    """The same for every framework. A limit that is hit is recorded."""

    max_tokens: dict[str, int] = Field(default_factory=dict)
    """Completion tokens per model call, by agent name; an agent left out has its task's own limit."""
    facts_per_query: int | None = Field(default=None, ge=1)
    """Most facts in one answer of the search tool; None: all. What is left out counts nowhere."""
    max_steps: int = Field(default=8, ge=1)
    """Model calls of an agent each time it has control (more than one is used only with tools)."""
    max_handoffs: int = Field(default=4, ge=0)
    """In a run of a task whose agents hand over to each other; the next one ends it as `limit_reached`."""
    request_timeout_s: float = Field(default=300, gt=0)
    """For one model call."""
    run_timeout_s: float = Field(default=1800, gt=0)
    """For a whole run; then it ends as `timeout`."""
    memory_mib: float = Field(default=4096, gt=0)
    """For the framework's process and all that it starts; then it ends as `limit_reached`. About ten times
    what a framework takes."""


class Plan(Strict):
    """A plan file."""

    name: str = Field(pattern=NAME)
    frameworks: list[str] = Field(min_length=1)
    """Also in stated versions, as `langgraph==1.1.*`, each a column of its own; kept as `langgraph@1.1.x`."""
    arms: list[Literal["idiomatic", "equalised"]] = Field(default=["idiomatic"], min_length=1)
    tasks: list[TaskPlan] = Field(min_length=1)
    iterations: int = Field(default=1, ge=1)
    aa: list[str] = Field(default_factory=list)
    """Frameworks that run a second time under another name: what differs between the two is noise."""
    warmups: int = Field(default=0, ge=0)
    """Runs of each framework and arm on each node before anything counts; recorded, never in a figure."""
    probes: bool = True
    """Whether a small fixed request measures the model's speed before and after each block."""
    disturbance: Disturbance = Disturbance()
    tools: Literal["prefetched", "agent"] = "prefetched"
    """Whether tool results are gathered beforehand and handed over, or the agents call the tools."""
    seed: int = 7
    """Of the order of runs and of the model's sampling."""
    temperature: float = Field(default=0, ge=0)
    limits: Limits = Limits()
    stopping: Stopping | None = None
    """When it may end before its last item; then items are run one after another."""
    acceptance: Acceptance = Acceptance()
    """When a report counts as accepted; read by the analysis alone."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Defaults for BenchmarkSettings; the environment and the command line come before them."""

    @field_validator("aa", mode="before")
    @classmethod
    def _one_or_more(cls, names: Any) -> Any:
        return [names] if isinstance(names, str) else names

    @field_validator("frameworks", "aa")
    @classmethod
    def _distinct(cls, names: list[str]) -> list[str]:
        return _without_repeats([versioned_name(name) for name in names])

    @model_validator(mode="after")
    def _aa_of_what_runs(self) -> Plan:
        strangers = sorted(set(self.aa) - set(self.frameworks))
        if strangers:
            raise ValueError(f"aa: {strangers[0]} is not among the plan's frameworks")
        return self

    @model_validator(mode="after")
    def _looks_before_the_end(self) -> Plan:
        if self.stopping is None:
            return self
        if len(self.tasks) > 1:
            raise ValueError("stopping: a rule is for a plan of one task, since tasks are never pooled")
        if self.stopping.looks[-1] >= (count := len(self.tasks[0].items)):
            raise ValueError(
                f"stopping: looks must be below {count}, the number of items: the end is a look too"
            )
        return self

    @property
    def subjects(self) -> list[str]:
        """What is compared: the frameworks, and those of `aa` under their second name."""
        return [*self.frameworks, *(f"{name}{AA_SUFFIX}" for name in self.aa)]

    @property
    def measured(self) -> dict[str, Any]:
        """Everything of the plan that can change a result: all but the settings and what is accepted."""
        return self.model_dump(mode="json", exclude={"settings", "acceptance"})

    def departs_from(self, earlier: Plan) -> list[str]:
        """What of this plan is not a mere addition to `earlier`, by key; empty: its runs are all here too."""
        mine, its = self.measured, earlier.measured
        items = {task.name: task.items for task in self.tasks}
        lacks = {
            **{key: not set(its[key]) <= set(mine[key]) for key in ("frameworks", "arms", "aa")},
            "tasks": any(not set(task.items) <= set(items.get(task.name, ())) for task in earlier.tasks),
            "iterations": self.iterations < earlier.iterations,
        }
        changed = [key for key in its if key not in GROWS and mine[key] != its[key]]
        return sorted([*changed, *(key for key, lacking in lacks.items() if lacking)])


def ordered_runs(plan: Plan) -> Iterator[list[RunKey]]:
    """The plan's blocks in seeded random order, and in each its runs in seeded random order.

    With a stopping rule the items are in seeded random order, and each one's blocks follow one another.

    The place of a block, and of a run in it, is drawn for it alone: a plan that is extended later keeps the
    order of what it already had. One block is made at a time: a million keys take over a gigabyte.
    """

    def drawn(*of: object) -> bytes:
        return hashlib.sha256(":".join(map(str, (plan.seed, *of))).encode()).digest()

    blocks = [
        (task.name, item, iteration)
        for task in plan.tasks
        for item in task.items
        for iteration in range(1, plan.iterations + 1)
    ]

    def place(block: tuple[str, str, int]) -> tuple[bytes, bytes]:
        """With a stopping rule items are complete one after another."""
        return (drawn(*block[:2]) if plan.stopping else b"", drawn(*block))

    for task_name, item, iteration in sorted(blocks, key=place):
        runs = [
            RunKey(framework=framework, arm=arm, task=task_name, item=item, iteration=iteration)
            for framework in plan.subjects
            for arm in plan.arms
        ]
        yield sorted(runs, key=lambda key: drawn(key.run_id))


def warmup_runs(plan: Plan) -> list[RunKey]:
    """Each framework and arm on the plan's first item, as iteration 0."""
    task = plan.tasks[0]
    return [
        RunKey(framework=framework, arm=arm, task=task.name, item=task.items[0], iteration=0)
        for framework in plan.frameworks
        for arm in plan.arms
    ]


def framework_of(subject: str) -> str:
    """The framework behind a subject's name: "langgraph-aa" is langgraph."""
    return subject.removesuffix(AA_SUFFIX)


def digest(value: object) -> str:
    """Hex SHA-256 of a JSON-compatible value, whatever the order of its keys."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _without_repeats(names: list[str]) -> list[str]:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"listed more than once: {', '.join(repeated)}")
    return names
