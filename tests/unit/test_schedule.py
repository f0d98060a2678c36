"""The schedule hands out the plan's runs, keeps blocks together and repeats only our own failures."""

from __future__ import annotations

from cluster.schedule import Schedule, remaining
from shared.plan import Plan, TaskPlan, ordered_runs
from shared.records import RunKey, RunRecord, Status


def plan(**changes: object) -> Plan:
    values: dict[str, object] = {
        "name": "p",
        "frameworks": ["a", "b", "c"],
        "tasks": [TaskPlan(name="t", items=["x", "y"])],
        "iterations": 2,
    }
    return Plan.model_validate(values | changes)


def record(key: RunKey, status: Status, attempt: int = 1) -> RunRecord:
    return RunRecord(
        key=key, attempt=attempt, attempt_id="i", status=status, position=0, node="n", started_at="now",
        model_s=0, tool_s=0, prompt_tokens=0, completion_tokens=0, model_calls=0, tool_calls=0,
    )  # fmt: skip


def drain(schedule: Schedule, node: str = "n") -> list[str]:
    seen = []
    while assignment := schedule.take(node):
        seen.append(assignment.key.run_id)
        schedule.finished(node, assignment, Status.COMPLETED)
    return seen


def test_every_run_is_handed_out_once_in_the_plans_order() -> None:
    """Draining the schedule gives exactly the plan's runs in its seeded order."""
    blocks = ordered_runs(plan())
    schedule = Schedule(remaining(blocks, []))
    assert drain(schedule) == [key.run_id for block in blocks for key in block]
    assert schedule.left == 0


def test_order_is_seeded_and_survives_an_extension() -> None:
    """The same seed gives the same order, another seed another, and new items leave old blocks as they were."""
    assert ordered_runs(plan()) == ordered_runs(plan())
    assert ordered_runs(plan()) != ordered_runs(plan(seed=8))
    extended = ordered_runs(plan(tasks=[TaskPlan(name="t", items=["x", "y", "z"])]))
    assert all(block in extended for block in ordered_runs(plan()))


def test_a_block_stays_on_its_node() -> None:
    """Two nodes never share a block."""
    schedule = Schedule(remaining(ordered_runs(plan()), []))
    seen: dict[tuple[str, str, int], set[str]] = {}
    nodes = ["one", "two"]
    while schedule.left:
        for node in nodes:
            if assignment := schedule.take(node):
                seen.setdefault(assignment.key.block, set()).add(node)
                schedule.finished(node, assignment, Status.COMPLETED)
    assert len(seen) == 4
    assert all(len(on) == 1 for on in seen.values())


def test_our_failures_are_repeated_a_bounded_number_of_times_and_frameworks_failures_never() -> None:
    """An infrastructure error is tried three times in all with rising attempt numbers; a framework error once."""
    blocks = ordered_runs(plan(frameworks=["a"], iterations=1, tasks=[TaskPlan(name="t", items=["x"])]))
    schedule = Schedule(remaining(blocks, []), attempts=3)
    attempts = []
    while assignment := schedule.take("n"):
        attempts.append(assignment.attempt)
        schedule.finished("n", assignment, Status.INFRASTRUCTURE_ERROR)
    assert attempts == [1, 2, 3]

    schedule = Schedule(remaining(blocks, []))
    assignment = schedule.take("n")
    assert assignment
    schedule.finished("n", assignment, Status.FRAMEWORK_ERROR)
    assert schedule.take("n") is None


def test_a_lost_node_gives_its_block_back() -> None:
    """What a lost node had not finished is run by another, before new blocks."""
    schedule = Schedule(remaining(ordered_runs(plan()), []))
    first = schedule.take("one")
    assert first
    schedule.finished("one", first, Status.INFRASTRUCTURE_ERROR)
    schedule.node_lost("one")
    again = schedule.take("two")
    assert again
    assert (again.key, again.attempt) == (first.key, 2)
    assert len(drain(schedule, "two")) == 11


def test_resume_leaves_out_what_says_something_of_a_framework() -> None:
    """Completed runs and framework errors are done; model and infrastructure errors get a next attempt."""
    blocks = ordered_runs(plan())
    keys = [key for block in blocks for key in block]
    done = [
        record(keys[0], Status.COMPLETED),
        record(keys[1], Status.FRAMEWORK_ERROR),
        record(keys[2], Status.MODEL_ERROR, attempt=2),
    ]
    left = [assignment for block in remaining(blocks, done) for assignment in block]
    assert [a.key for a in left] == keys[2:]
    assert (left[0].attempt, left[0].position) == (3, 2)
