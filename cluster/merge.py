"""Pool experiments of several machines: checked first, then copied, each block from the one that has it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import combinations
from pathlib import Path

from cluster.experiment import Experiment, describe_experiment
from shared.errors import ResultsMismatch
from shared.manifest import FrameworkEntry, Manifest
from shared.plan import GROWS, Plan, TaskPlan
from shared.record_files import write_record
from shared.records import RunRecord
from shared.store import Store

Block = tuple[str, str, int]

BY_ATTEMPT = ("verdicts", "audits", "ratings")
"""Folders of judgements whose files are named by the attempt that they are of."""
EVERYBODYS = ("texts/*/*", "briefs/*.json", "locks/*", "comparisons/*/*.json", "preferences/*/*.json")
"""Files whose names say what is in them."""
SHOWN = 3
"""Blocks that a refusal names."""


@dataclass(frozen=True)
class Source:
    """One machine's experiment."""

    store: Store
    experiment: Experiment
    """As this Levelfield describes its plan."""
    manifest: Manifest
    runs: tuple[RunRecord, ...]
    """That count and are final."""

    @property
    def name(self) -> str:
        return str(self.store.folder)

    @cached_property
    def blocks(self) -> dict[Block, frozenset[str]]:
        """With the ids of the attempts that count."""
        found: dict[Block, set[str]] = {}
        for record in self.runs:
            found.setdefault(record.key.block, set()).add(record.attempt_id)
        return {block: frozenset(attempts) for block, attempts in found.items()}


def source(store: Store, experiment: Experiment) -> Source:
    return Source(
        store,
        experiment,
        store.manifest(),
        tuple(record for record in store.runs() if record.status.is_final),
    )


def merge(sources: Sequence[Source], out: Path) -> Store:
    """Write all runs of `sources` to the new folder `out`, which is there as a whole or not at all.

    Raises:
        ResultsMismatch: They may not be pooled, with what differs; or `out` is there.
    """
    if out.exists():
        raise ResultsMismatch(f"{out} is there already. Give another --out.")
    for one, other in combinations(sources, 2):
        _require_alike(one, other)
    manifest = _pooled(sources, out.name)
    owners = _owners(sources)
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        store = Store(part)
        part.mkdir(parents=True)
        for number, each in enumerate(sources, start=1):
            _copy(each, store, {block for block, owner in owners.items() if owner is each}, number)
        write_record(store.manifest_path, manifest)
        part.rename(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Store.existing(out)


def _require_alike(one: Source, other: Source) -> None:
    """Raises ResultsMismatch when runs of the two may not stand in one figure."""
    differing = [*_differing(one.manifest, other.manifest), *_differing_briefs(one.store, other.store)]
    if differing:
        told = "; ".join(f"{key}: {_short(mine)} and {_short(its)}" for key, mine, its in differing)
        raise ResultsMismatch(f"{one.name} and {other.name} cannot be pooled; they differ in {told}.")


def _differing(one: Manifest, other: Manifest) -> Iterator[tuple[str, object, object]]:
    """Of model, server, settings, environments, code and how runs are made; not which runs there are."""
    for key in sorted({*one.identity, *other.identity}):
        kind, _, name = key.partition(": ")
        of_one = kind == "environment" and not (key in one.identity and key in other.identity)
        if of_one or kind == "task" or (kind == "plan" and name in GROWS):
            continue
        if one.identity.get(key) != other.identity.get(key):
            yield key, one.identity.get(key), other.identity.get(key)
    for key in sorted({*one.server, *other.server}):
        if one.server.get(key) != other.server.get(key):
            yield f"server: {key}", one.server.get(key), other.server.get(key)
    for name in sorted(one.frameworks.keys() & other.frameworks.keys()):
        mine, its = one.frameworks[name].versions, other.frameworks[name].versions
        if mine != its:
            yield f"versions: {name}", mine, its


def _differing_briefs(one: Store, other: Store) -> Iterator[tuple[str, object, object]]:
    mine, its = one.briefs(), other.briefs()
    for task, item in sorted(mine.keys() & its.keys()):
        if mine[task, item] != its[task, item]:
            yield f"what agents are told of {item} ({task})", "one text", "another"


def _pooled(sources: Sequence[Source], name: str) -> Manifest:
    """Of the experiment that would have had all runs.

    Raises:
        ResultsMismatch: A source is not what this Levelfield makes of its plan.
    """
    first = sources[0]
    if any(each.manifest.plan.stopping for each in sources):
        raise ResultsMismatch(
            "Experiments with a stopping rule cannot be pooled: each has looked at its own results alone."
        )
    for each in sources:
        own = each.experiment.identity | {"code": each.manifest.identity["code"]}
        if differing := each.manifest.differs_in_identity(own):
            raise ResultsMismatch(
                f"{each.name} was made with another Levelfield: {', '.join(differing)} differ from what this "
                "one makes of its plan. Merge with the version that it was made with."
            )
    locks = {framework: lock for each in sources for framework, lock in each.experiment.locks.items()}
    plan = _all_runs([each.manifest.plan for each in sources])
    whole = describe_experiment(plan, first.experiment.settings, locks)
    entries: dict[str, FrameworkEntry] = {}
    for each in sources:
        entries = each.manifest.frameworks | entries
    notes = [note for each in sources for note in each.manifest.notes]
    return first.manifest.model_copy(
        update={
            "experiment": name,
            "created_at": datetime.now(UTC).isoformat(),
            "plan": plan,
            "identity": whole.identity | {"code": first.manifest.identity["code"]},
            "frameworks": {name: entries[name] for name in plan.frameworks if name in entries},
            "notes": list(dict.fromkeys([*notes, *_told(sources)])),
        }
    )


def _told(sources: Sequence[Source]) -> Iterator[str]:
    """What the report repeats."""
    nodes = [{record.node for record in each.runs} for each in sources]
    names = "; ".join(
        f"{each.store.folder.name} ({', '.join(sorted(its)) or 'no run'})"
        for each, its in zip(sources, nodes, strict=True)
    )
    yield f"Pooled from experiments of several machines: {names}."
    if shared := sorted(set.union(*(one & other for one, other in combinations(nodes, 2)))):
        yield (
            f"More than one of them calls a node {', '.join(shared)}: the report cannot tell these "
            "machines apart."
        )


def _all_runs(plans: Sequence[Plan]) -> Plan:
    """The first plan with the frameworks, arms, items and iterations of all."""
    items: dict[str, list[str]] = {}
    for plan in plans:
        for task in plan.tasks:
            items[task.name] = _together([items.get(task.name, []), task.items])
    return plans[0].model_copy(
        update={
            "frameworks": _together(plan.frameworks for plan in plans),
            "arms": _together(plan.arms for plan in plans),
            "aa": _together(plan.aa for plan in plans),
            "tasks": [TaskPlan(name=name, items=found) for name, found in items.items()],
            "iterations": max(plan.iterations for plan in plans),
        }
    )


def _together(lists: Iterable[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(name for names in lists for name in names))


def _owners(sources: Sequence[Source]) -> dict[Block, Source]:
    """Whose runs of a block are taken: all of one machine's, so that what is compared ran on the same.

    Raises:
        ResultsMismatch: Two have measured the same block, each in its own way.
    """
    owners: dict[Block, Source] = {}
    twice: list[str] = []
    for each in sources:
        for block, attempts in each.blocks.items():
            earlier = owners.get(block)
            before = earlier.blocks[block] if earlier else frozenset[str]()
            if not before <= attempts and not attempts <= before:
                twice.append(".".join(map(str, block)))
            if len(attempts) > len(before):
                owners[block] = each
    if twice:
        named = ", ".join(twice[:SHOWN]) + (f" and {len(twice) - SHOWN} more" if len(twice) > SHOWN else "")
        raise ResultsMismatch(
            f"More than one machine measured {named}. What is compared has to come from one: give each "
            "machine items of its own."
        )
    return owners


def _copy(each: Source, into: Store, blocks: set[Block], number: int) -> None:
    folder = each.store.folder
    root = folder.resolve()
    taken = [record for record in each.store.attempts() if record.key.block in blocks]
    runs = {record.key.run_id for record in taken}
    attempts = {record.attempt_id for record in taken}

    def copy(pattern: str, wanted: Callable[[Path], bool] = lambda _: True) -> None:
        for path in sorted(folder.glob(pattern)):
            if wanted(path):
                _copy_file(path, into.folder / path.relative_to(folder), root / path.relative_to(folder))

    copy("runs/*/*", lambda path: path.parent.name in runs)
    copy("checks/*.json", lambda path: path.stem in runs)
    for place in BY_ATTEMPT:
        copy(f"{place}/*/*.json", lambda path: not attempts.isdisjoint(path.name.split(".")))
    for pattern in EVERYBODYS:
        copy(pattern)
    for path in sorted(folder.glob("logs/*")):
        _copy_file(path, into.folder / "logs" / str(number) / path.name, root / "logs" / path.name)
    probes = len(into.probes())
    for probe in each.store.probes():
        into.write_probe(probe.model_copy(update={"number": probes + probe.number}))


def _copy_file(path: Path, target: Path, own: Path) -> None:
    """What is there already has the same name because it is the same.

    A link may lead anywhere, also one to a folder on the way: what is behind it is left out. `own` is where
    the file is without any link.
    """
    if path.is_file() and path.resolve() == own and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
