"""What differs in how two experiments were made, and which of their figures that makes incomparable."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from analysis.change.result import CHANGE_METRICS, ChangeMetric, MadeDifference, Scope
from analysis.change.side import Side
from analysis.manifest import Manifest
from shared.errors import LevelfieldError

TIMES: frozenset[ChangeMetric] = frozenset({"latency_s", "framework_s", "import_s"})
ASKED = ("plan: temperature", "plan: tools", "plan: limits", "settings: ", "code")
"""Beginnings of what decides requests and answers. Other parts of a plan only say how much was run."""
MACHINE = frozenset({"processor", "cores", "threads", "gpus"})
"""Of the hardware, what times follow from."""
TASK = "task: "
ENVIRONMENT = "environment: "


def made_differently(base: Side, head: Side) -> list[MadeDifference]:
    """Everything that both manifests tell and that is not alike, what spoils most first."""
    if base.runs is head.runs:
        return []
    mine, its = base.runs.manifest, head.runs.manifest
    both = mine.frameworks & its.frameworks  # that one has others stands in the plan's line
    found = [
        *_compared(_identity(mine, both), _identity(its, both), _spoilt_by_identity),
        *_compared(_section(mine, "server"), _section(its, "server"), lambda _: "everything", "server: "),
        *_compared(
            _section(mine, "hardware"),
            _section(its, "hardware"),
            lambda key: "times" if key in MACHINE else "nothing",
            "hardware: ",
        ),
        *_compared(_versions(mine, both), _versions(its, both), lambda _: "nothing", "version: "),
        *_compared(
            {"judge": mine.setting("judge_model")}, {"judge": its.setting("judge_model")}, lambda _: "quality"
        ),
        *_compared({"levelfield": mine.levelfield}, {"levelfield": its.levelfield}, lambda _: "nothing"),
        *_asked_differently(base, head),
    ]
    order = ("everything", "times", "quality", "nothing")
    return sorted(found, key=lambda difference: order.index(difference.spoils))


def comparable(base: Side, head: Side, made: list[MadeDifference]) -> dict[ChangeMetric, bool | None]:
    """Per metric; None where a side does not say how it was made."""
    if not (base.runs.manifest.identity and head.runs.manifest.identity):
        return dict.fromkeys(CHANGE_METRICS)
    return {metric: not obstacles(metric, made) for metric in CHANGE_METRICS}


def obstacles(metric: ChangeMetric, made: list[MadeDifference]) -> list[str]:
    """By name, what makes a change of `metric` say nothing of a framework."""
    spoiling: set[Scope] = {"everything"}
    if metric in TIMES:
        spoiling.add("times")
    if metric == "quality":
        spoiling.add("quality")
    return [difference.what for difference in made if difference.spoils in spoiling]


def _spoilt_by_identity(key: str) -> Scope:
    return "everything" if key.startswith(ASKED) else "nothing"


def _compared(
    base: Mapping[str, str], head: Mapping[str, str], spoils: Callable[[str], Scope], prefix: str = ""
) -> list[MadeDifference]:
    """Nothing where a side tells nothing at all: then nobody knows."""
    if not (base and head):
        return []
    return [
        MadeDifference(what=f"{prefix}{key}", base=base.get(key), head=head.get(key), spoils=spoils(key))
        for key in sorted({*base, *head})
        if base.get(key) != head.get(key) and not key.startswith(TASK)
    ]


def _asked_differently(base: Side, head: Side) -> list[MadeDifference]:
    """Task by task: a manifest's digest covers all its items, so other items need a look at the briefs."""
    mine, its = base.runs.manifest.identity, head.runs.manifest.identity
    found = []
    for key in sorted(key for key in mine if key.startswith(TASK) and its.get(key, mine[key]) != mine[key]):
        task = key.removeprefix(TASK)
        same = _same_briefs(base, head, task)
        if same is None:
            same = mine.get("plan: tasks") != its.get("plan: tasks")  # other items, and no way to know more
        spoils: Scope = "nothing" if same else "everything"
        found.append(MadeDifference(what=key, base=mine[key], head=its[key], spoils=spoils))
    return found


def _same_briefs(base: Side, head: Side, task: str) -> bool | None:
    """Whether agents were handed the same on the items that both have; None where that was not kept."""
    stores = [side.runs.stored.store for side in (base, head)]
    if None in stores:
        return None
    try:
        mine, its = (
            {item: brief.agents for (of, item), brief in store.briefs().items() if of == task}
            for store in stores
            if store
        )
    except LevelfieldError:
        return None
    shared = mine.keys() & its.keys()
    return all(mine[item] == its[item] for item in shared) if shared else None


def _section(manifest: Manifest, name: str) -> Mapping[str, str]:
    return manifest.sections.get(name, {})


def _identity(manifest: Manifest, frameworks: frozenset[str]) -> dict[str, str]:
    """Environments only of `frameworks`."""
    return {
        key: value
        for key, value in manifest.identity.items()
        if not key.startswith(ENVIRONMENT) or key.removeprefix(ENVIRONMENT) in frameworks
    }


def _versions(manifest: Manifest, frameworks: frozenset[str]) -> dict[str, str]:
    return {
        f"{framework}: {package}": version
        for framework, packages in manifest.versions.items()
        if framework in frameworks
        for package, version in packages.items()
    }
