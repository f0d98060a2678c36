"""Experiments of several machines are pooled only where their runs may stand in one figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cluster.merge import Source, merge, source
from shared.errors import ResultsMismatch
from shared.records import CheckResult, Status
from shared.store import Store
from shared.surroundings import Probe
from tests.unit.planned_experiment import SERVER, TASK, described, manifest_of, measured, plan, write
from tests.unit.stored_records import verdict


def from_folder(store: Store) -> Source:
    return source(store, described(store.manifest().plan))


def test_runs_of_two_machines_in_one_folder(tmp_path: Path) -> None:
    """All records are there byte for byte, with verdicts, checks, probes and each machine's node."""
    left = measured(tmp_path / "left", plan("stripe"))
    right = measured(tmp_path / "right", plan("nvidia", "datadog", iterations=2), node="right")
    for store in (left, right):
        record = store.runs()[0]
        store.write_verdict(verdict(record))
        store.write_check(_check(record.key.run_id, record.attempt_id))
        store.write_probe(Probe(number=1, node=record.node, block="b", when="before", at="now", seconds=1))
    both = merge([from_folder(left), from_folder(right)], tmp_path / "both")

    assert _files(both) == _files(left) | _files(right)
    assert len(both.runs()) == 2 + 8
    assert {record.node for record in both.runs()} == {"left", "right"}
    assert len(both.verdicts()) == len(both.checks()) == 2
    assert [(probe.number, probe.node) for probe in both.probes()] == [(1, "left"), (2, "right")]
    kept = both.manifest()
    assert kept.plan.tasks[0].items == ["stripe", "nvidia", "datadog"]
    assert kept.plan.iterations == 2
    assert kept.identity == described(kept.plan).identity
    assert "left (left); right (right)" in kept.notes[-1]


def test_a_resumed_copy_takes_the_place_of_what_it_was_copied_from(tmp_path: Path) -> None:
    """Of a block that one folder has in part and another whole, the whole one is taken, once."""
    planned = plan("stripe")
    whole = measured(tmp_path / "whole", planned)
    part = measured(tmp_path / "part", planned)
    for path in (tmp_path / "part").glob("runs/*scripted/*"):
        path.unlink()
    for first, second in ((whole, part), (part, whole)):
        both = merge([from_folder(first), from_folder(second)], tmp_path / f"{first.folder.name}-first")
        assert _files(both) == _files(whole)


@pytest.mark.parametrize(
    ("fields", "planned", "named"),
    [
        ({"server": SERVER | {"digest": "d2"}}, {}, "server: digest: d1 and d2"),
        ({}, {"seed": 8}, "plan: seed: 7 and 8"),
        ({}, {"temperature": 0.5}, "plan: temperature"),
        ({"identity": {"code": "older"}}, {}, "code: "),
        ({"identity": {"environment: direct": "other"}}, {}, "environment: direct"),
        ({"identity": {"settings: context_length": 99}}, {}, "settings: context_length: 8192 and 99"),
    ],
)  # fmt: skip
def test_what_differs_is_named(
    tmp_path: Path, fields: dict[str, Any], planned: dict[str, Any], named: str
) -> None:
    """Another model, order, setting, lock or code is a refusal that says so, and leaves no folder."""
    left = measured(tmp_path / "left", plan("stripe"))
    of_right = plan("nvidia", **planned)
    if "identity" in fields:
        fields = {"identity": described(of_right).identity | fields["identity"]}
    right = measured(tmp_path / "right", of_right, node="right", **fields)
    with pytest.raises(ResultsMismatch, match="cannot be pooled") as refused:
        merge([from_folder(left), from_folder(right)], tmp_path / "both")
    assert named in str(refused.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["left", "right"]


def test_another_text_of_the_same_item(tmp_path: Path) -> None:
    """What agents were told of an item has to be the same on both machines."""
    left = measured(tmp_path / "left", plan("stripe"))
    right = measured(tmp_path / "right", plan("stripe", "nvidia"), node="right")
    path = next((tmp_path / "right").glob("briefs/*stripe.json"))
    brief = right.briefs()[TASK, "stripe"]
    path.unlink()
    right.write_brief(brief.model_copy(update={"max_steps": 99}))
    with pytest.raises(ResultsMismatch, match="what agents are told of stripe"):
        merge([from_folder(left), from_folder(right)], tmp_path / "both")


def test_both_measured_the_same(tmp_path: Path) -> None:
    """A block with results of two machines is refused by name: one of them would be lost."""
    left = measured(tmp_path / "left", plan("stripe"))
    right = measured(tmp_path / "right", plan("stripe"), node="right")
    with pytest.raises(ResultsMismatch, match=f"More than one machine measured {TASK}.stripe.1"):
        merge([from_folder(left), from_folder(right)], tmp_path / "both")


def test_a_task_of_another_version(tmp_path: Path) -> None:
    """A folder whose items this Levelfield knows otherwise is refused rather than described wrongly."""
    old = described(plan("stripe")).identity | {f"task: {TASK}": "older"}
    left = measured(tmp_path / "left", plan("stripe"), identity=old)
    right = measured(tmp_path / "right", plan("nvidia"), node="right")
    with pytest.raises(ResultsMismatch, match=f"task: {TASK} differ"):
        merge([from_folder(left), from_folder(right)], tmp_path / "both")


def test_a_link_in_somebody_elses_folder_is_not_followed(tmp_path: Path) -> None:
    """Results of others are data: what a link in them points at is not copied."""
    secret = tmp_path / "secret"
    secret.write_text("key")
    left = measured(tmp_path / "left", plan("stripe"))
    right = measured(tmp_path / "right", plan("nvidia"), node="right")
    next((tmp_path / "right").glob("runs/*")).joinpath("planted.json").symlink_to(secret)
    both = merge([from_folder(left), from_folder(right)], tmp_path / "both")
    assert not list(both.folder.rglob("planted.json"))


def test_a_link_to_a_folder_is_not_followed(tmp_path: Path) -> None:
    """What is behind a link on the way to a file is left out, too."""
    private = tmp_path / "private"
    private.mkdir()
    (private / "id").write_text("a key")
    left, right = (
        measured(tmp_path / name, plan(item), name)
        for name, item in (("left", "anthropic"), ("right", "stripe"))
    )
    for place in ("texts/ab", "logs"):
        (right.folder / place).parent.mkdir(exist_ok=True)
        (right.folder / place).symlink_to(private)
    pooled = merge([from_folder(left), from_folder(right)], tmp_path / "all")
    assert not [path for path in pooled.folder.rglob("*") if path.is_file() and path.read_bytes() == b"a key"]


def test_a_stopping_rule(tmp_path: Path) -> None:
    """Each machine would have looked at its own results: such experiments are not pooled."""
    items = ("anthropic", "stripe", "nvidia", "shopify", "datadog", "cloudflare")
    store = measured(tmp_path / "left", plan(*items, stopping={"looks": [5]}))
    with pytest.raises(ResultsMismatch, match="stopping rule"):
        merge([from_folder(store), from_folder(store)], tmp_path / "all")


def test_a_folder_that_is_there(tmp_path: Path) -> None:
    """Nothing is merged into a folder that somebody has."""
    left = measured(tmp_path / "left", plan("stripe"))
    (tmp_path / "both").mkdir()
    with pytest.raises(ResultsMismatch, match="is there already"):
        merge([from_folder(left), from_folder(left)], tmp_path / "both")


def test_nodes_of_the_same_name_are_told(tmp_path: Path) -> None:
    """Machines with one name are pooled, and the report says that it cannot tell them apart."""
    left = measured(tmp_path / "left", plan("stripe"))
    right = measured(tmp_path / "right", plan("nvidia"))
    both = merge([from_folder(left), from_folder(right)], tmp_path / "both")
    assert "cannot tell these machines apart" in both.manifest().notes[-1]


def test_attempts_without_a_result_are_left_behind(tmp_path: Path) -> None:
    """An interrupted run's failed attempt neither counts as measured nor keeps the other's result out."""
    left = Store(tmp_path / "left")
    left.folder.mkdir()
    left.begin(manifest_of(described(plan("stripe"))))
    right = measured(tmp_path / "right", plan("stripe"), node="right")
    for record in right.runs():
        write(left, record.key, "left", status=Status.INFRASTRUCTURE_ERROR)
    both = merge([from_folder(left), from_folder(right)], tmp_path / "both")
    assert _files(both) == _files(right)


def _files(store: Store) -> dict[str, bytes]:
    """Runs and briefs, as they are on disk."""
    found = [*store.folder.glob("runs/*/*"), *store.folder.glob("briefs/*")]
    return {str(path.relative_to(store.folder)): path.read_bytes() for path in found}


def _check(run_id: str, attempt_id: str) -> CheckResult:
    return CheckResult(
        run_id=run_id, attempt_id=attempt_id, checks="c/1", sections_found=[], sections_missing=[], words=5,
        words_in_range=False, facts_found=[], facts_total=2,
    )  # fmt: skip
