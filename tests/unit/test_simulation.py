"""Whole plans simulated with the real schedule: nodes that come and go, attempts that fail, and no run lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.simulation import ATTEMPTS, Simulated, Simulation, World, plan_of
from cluster.schedule import STARTED_AT_ONCE, Assignment, Schedule
from shared.records import Status

HARSH = World(node_life_s=900, away_s=60, infrastructure_errors=0.2, disturbed=0.3, spoilt=0.05)


def simulated(world: World, *, runs: int = 240, nodes: int = 7, seed: int = 1) -> Simulated:
    return Simulation(plan_of(runs, iterations=2), nodes, world, seed).run()


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(1, 12),
    st.sampled_from([60.0, 600.0, 1e9]),
    st.tuples(*[st.sampled_from([0.0, 0.1, 0.5])] * 2, st.sampled_from([0.0, 0.05])),
)
def test_no_run_is_lost_whatever_fails(
    seed: int, nodes: int, life_s: float, shares: tuple[float, float, float]
) -> None:
    """However often nodes and attempts fail, each run ends once, and what waits on a node is bounded."""
    errors, disturbed, spoilt = shares
    world = World(
        node_life_s=life_s, away_s=60, infrastructure_errors=errors, disturbed=disturbed, spoilt=spoilt
    )
    found = simulated(world, runs=120, nodes=nodes, seed=seed)
    assert found.runs == 120
    assert found.attempts >= found.runs
    assert found.most_waiting <= STARTED_AT_ONCE


def test_without_faults_there_is_one_attempt_per_run_on_the_nodes_that_there_are() -> None:
    """A quiet world costs no repetition and no node, and its nodes measure most of the time."""
    calm = World(node_life_s=1e12, infrastructure_errors=0, disturbed=0, spoilt=0)
    found = simulated(calm, runs=2400, nodes=4)
    assert (found.attempts, found.nodes, found.lost_nodes, found.gave_up) == (found.runs, 4, 0, 0)
    assert 0.8 < found.utilisation < 1


def test_a_harsh_world_is_survived() -> None:
    """Dozens of lost nodes and many failed attempts: all ends, with a bounded number of attempts."""
    found = simulated(HARSH, runs=1200)
    assert found.lost_nodes > 10
    assert found.runs < found.attempts < ATTEMPTS * found.runs
    assert found.nodes == 7 + found.lost_nodes


def test_the_same_seed_gives_the_same_world() -> None:
    """A failure that is found can be looked at again."""
    assert simulated(HARSH, seed=3) == simulated(HARSH, seed=3)
    assert simulated(HARSH, seed=3) != simulated(HARSH, seed=4)


class Forgets(Schedule):
    """Does not give back what a lost node had."""

    def node_lost(self, node: str) -> None:
        block = self._on_node.pop(node, None)
        if block:
            self._left -= len(block.unfinished)


class Repeats(Schedule):
    """Hands some completed runs out again."""

    def finished(self, node: str, assignment: Assignment, status: Status, *, disturbed: bool = False) -> bool:
        repeated = super().finished(node, assignment, status, disturbed=disturbed)
        if not repeated and not assignment.position:
            self.repeat(assignment)
        return repeated


@pytest.mark.parametrize(("kind", "told"), [(Forgets, "runs were lost"), (Repeats, "ended twice")])
def test_a_fault_of_the_schedule_is_found(kind: type[Schedule], told: str) -> None:
    """The simulation's own checks can fail: a schedule that forgets or repeats is caught."""
    with pytest.raises(AssertionError, match=told):
        Simulation(plan_of(240, iterations=2), 3, HARSH, kind=kind).run()
