"""A plan that only adds runs goes on with the experiment that is there; any other change is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cluster.experiment import not_added
from cluster.run_plan import kept_in
from cluster.schedule import remaining
from shared.errors import ResultsMismatch
from shared.plan import Plan, ordered_runs
from tests.unit.planned_experiment import SERVER, described, manifest_of, measured, plan

MORE = {
    "items": plan("stripe", "nvidia"),
    "iterations": plan("stripe", iterations=2),
    "frameworks": plan("stripe", frameworks=["scripted", "crewai", "direct"]),
    "arms": plan("stripe", arms=["equalised", "idiomatic"]),
    "aa": plan("stripe", aa="direct"),
    "another name": plan("stripe", "nvidia", name="larger"),
}


@pytest.mark.parametrize("larger", MORE.values(), ids=MORE)
def test_only_what_is_new_is_left(tmp_path: Path, larger: Plan) -> None:
    """What was measured is neither changed nor planned again, and keeps its order among the rest."""
    store = measured(tmp_path / "e", plan("stripe"))
    kept = store.manifest()
    assert not_added(kept, described(larger)) == []
    all_runs = [key for block in ordered_runs(larger) for key in block]
    before = [key for block in ordered_runs(kept.plan) for key in block]
    left = [each.key for block in remaining(ordered_runs(larger), kept_in(store, 1)) for each in block]
    assert [key for key in all_runs if key not in left] == before
    assert len(left) == len(all_runs) - len(before) > 0

    extended = store.begin(manifest_of(described(larger)), extends=True)
    assert store.manifest() == extended
    assert extended.differs_in_identity(described(larger).identity) == []
    assert extended.created_at == kept.created_at
    assert set(extended.frameworks) == {"direct", "scripted", *larger.frameworks}
    assert "Extended on 2026-01-02" in extended.notes[-1]


def test_the_order_of_many_blocks_is_kept() -> None:
    """Items, iterations and frameworks may be added without moving what was there."""
    small = plan("stripe", "nvidia", "datadog", iterations=3)
    large = plan(
        "shopify",
        "stripe",
        "nvidia",
        "anthropic",
        "datadog",
        iterations=5,
        frameworks=["a", "direct", "b", "scripted"],
    )
    known = {key for block in ordered_runs(small) for key in block}
    shared = [[key for key in block if key in known] for block in ordered_runs(large)]
    assert [block for block in shared if block] == list(ordered_runs(small))


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (plan("nvidia"), "plan: tasks"),
        (plan("stripe", "nvidia", seed=8), "plan: seed"),
        (plan("stripe", "nvidia", frameworks=["direct"]), "plan: frameworks"),
        (plan("stripe", "nvidia", temperature=1), "plan: temperature"),
        (plan("stripe", "nvidia", limits={"max_steps": 3}), "plan: limits"),
        (plan("stripe", "nvidia", tools="agent"), "plan: tools"),
    ],
)  # fmt: skip
def test_what_is_no_addition(tmp_path: Path, other: Plan, named: str) -> None:
    """A run less, or runs made otherwise, is another experiment."""
    kept = measured(tmp_path / "e", plan("stripe")).manifest()
    assert not_added(kept, described(other)) == [named]


def test_fewer_iterations(tmp_path: Path) -> None:
    """Leaving iterations out takes runs away."""
    kept = measured(tmp_path / "e", plan("stripe", iterations=2)).manifest()
    assert not_added(kept, described(plan("stripe", "nvidia"))) == ["plan: iterations"]


@pytest.mark.parametrize(
    "changed", ["code", "environment: direct", "task: company_research", "settings: llm_model"]
)
def test_what_changed_since(tmp_path: Path, changed: str) -> None:
    """What the runs were made with has to be the same as for those that are added."""
    before = described(plan("stripe")).identity | {changed: "other"}
    kept = measured(tmp_path / "e", plan("stripe"), identity=before).manifest()
    assert not_added(kept, described(plan("stripe", "nvidia"))) == [changed]


def test_another_server(tmp_path: Path) -> None:
    """Runs on another model are not added, and the manifest stays as it was."""
    store = measured(tmp_path / "e", plan("stripe"))
    kept = store.manifest()
    other: dict[str, Any] = {"server": SERVER | {"digest": "d2"}}
    with pytest.raises(ResultsMismatch, match="server: digest"):
        store.begin(manifest_of(described(plan("stripe", "nvidia")), **other), extends=True)
    assert store.manifest() == kept
