"""What every task must keep, whoever wrote it: `levelfield task check`, and the suite that all tasks pass."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from shared.contract import ToolSpec
from shared.tasks.score import Answer
from shared.tasks.task import Task

CARELESS: tuple[Any, ...] = (None, "", "x" * 5_000, -1, 10**400, True, [], {}, ["a"], "\x00\ud800", "{}")
"""What a model may put where an argument belongs."""


def check_task(task: Task) -> list[str]:
    """What is wrong, a sentence each; empty for a sound task."""
    return [
        *_all_items(task),
        *figure_problems(task),
        *(text for item in task.items for text in _item(task, item)),
    ]


def _all_items(task: Task) -> Iterator[str]:
    names = [known.name for known in task.items.values()]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"more than one item has the name {name!r}"
    scores = {item: task.score(item, Answer(text="")) for item in task.items}
    figures = {item: sorted(score.figures) for item, score in scores.items() if score}
    if len({tuple(found) for found in figures.values()}) > 1:
        yield f"the items' scores have different figures, so they cannot be compared: {figures}"
    if not task.rubric and not task.has_score and not task.definition.report:
        yield "nothing tells a good answer from a bad one: give it a score, a report form or a rubric"
    for spec in task.tools_kind.SPECS:
        if spec.parameters.get("type") != "object" or not spec.description.strip():
            yield f"tool {spec.name}: it needs a description, and a JSON schema of an object"


def figure_problems(task: Task) -> Iterator[str]:
    """A figure that nobody explains, and an explanation of what no score has. Opens no tools."""
    scores = [task.score(item, Answer(text="")) for item in task.items]
    counted = dict.fromkeys(name for score in scores if score for name in score.figures)
    for name in counted:
        if name not in task.figures:
            yield f"the figure {name} has no description: say under `figures` in task.yaml what it means"
    for name in task.figures:
        if name not in counted:
            yield f"`figures` in task.yaml describes {name}, which no item's score has"


def _item(task: Task, item: str) -> Iterator[str]:
    answered = _answered(task, item)
    for text in (*_told(task, item), *answered):
        for secret in task.item(item).secrets():
            if secret and secret in text:
                yield f"{item}: an agent is told what it must not know: {secret[:60]!r}"
    yield from _scored(task, item)
    if _answered(task, item) != answered:
        yield f"{item}: the tools answer the same calls differently in a second run"


def _told(task: Task, item: str) -> Iterator[str]:
    yield task.description(item)
    for agent in (*task.agents(item), *task.agents(item, "agent")):
        yield f"{agent.instructions}\n{agent.request}\n{agent.description}"
    for tool in task.tools_kind.SPECS:
        yield f"{tool.description}\n{tool.parameters}"


def _answered(task: Task, item: str) -> list[str]:
    """What the tools say to careless calls, in a run of their own."""
    tools = task.toolbox(item).open(lambda _: "I see.")
    try:
        return [tools.call(spec.name, arguments) for spec in tools.SPECS for arguments in _careless(spec)]
    finally:
        tools.close()


def _careless(spec: ToolSpec) -> Iterator[dict[str, Any]]:
    yield {}
    for value in CARELESS:
        yield dict.fromkeys(spec.parameters.get("properties", {}), value)


def _scored(task: Task, item: str) -> Iterator[str]:
    for text in ("", "I do not know.", "\x00", "x" * 5_000):
        score = task.score(item, Answer(text=text))
        if score and score.passed:
            yield f"{item}: an answer that says nothing passes: {text[:20]!r}"
        for name, value in score.figures.items() if score else ():
            if not math.isfinite(value):
                yield f"{item}: the figure {name} of an empty answer is {value}: use 0, or leave it out"
