"""The schedule hands out the plan's runs, keeps blocks together and repeats only what says nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from cluster.schedule import (
    STARTED_AT_ONCE,
    Assignment,
    Kept,
    Measure,
    ProbeModel,
    Schedule,
    StartProcesses,
    Step,
    complete,
    remaining,
    warmups,
)
from shared.plan import Plan, TaskPlan, ordered_runs
from shared.records import RunKey, RunRecord, Status
from shared.surroundings import Quarantine


def plan(**changes: object) -> Plan:
    values: dict[str, object] = {
        "name": "p",
        "frameworks": ["a", "b", "c"],
        "tasks": [TaskPlan(name="t", items=["x", "y"])],
        "iterations": 2,
    }
    return Plan.model_validate(values | changes)


def blocks_of(planned: Plan) -> list[list[RunKey]]:
    return list(ordered_runs(planned))


SMALL = {"frameworks": ["a"], "iterations": 1, "tasks": [TaskPlan(name="t", items=["x"])]}


def record(key: RunKey, status: Status, attempt: int = 1, attempt_id: str = "i") -> RunRecord:
    return RunRecord(
        key=key, attempt=attempt, attempt_id=attempt_id, status=status, position=0, node="n", started_at="now",
        model_s=0, tool_s=0, prompt_tokens=0, completion_tokens=0, model_calls=0, tool_calls=0,
    )  # fmt: skip


def next_run(schedule: Schedule, node: str = "n") -> Assignment | None:
    """Carry out what comes before the next run."""
    while step := schedule.next(node):
        if isinstance(step, Measure):
            return step.assignment
        if isinstance(step, StartProcesses):
            schedule.processes_started(node)
    return None


def drain(schedule: Schedule, node: str = "n") -> list[str]:
    seen = []
    while assignment := next_run(schedule, node):
        seen.append(assignment.key.run_id)
        schedule.finished(node, assignment, Status.COMPLETED)
    return seen


def steps(schedule: Schedule, node: str = "n") -> list[Step]:
    """All of them, every run completed."""
    seen = []
    while step := schedule.next(node):
        seen.append(step)
        if isinstance(step, StartProcesses):
            schedule.processes_started(node)
        elif isinstance(step, Measure):
            schedule.finished(node, step.assignment, Status.COMPLETED)
    return seen


def test_every_run_is_handed_out_once_in_the_plans_order() -> None:
    """Draining the schedule gives exactly the plan's runs in its seeded order."""
    blocks = blocks_of(plan())
    schedule = Schedule(remaining(blocks))
    assert drain(schedule) == [key.run_id for block in blocks for key in block]
    assert schedule.left == 0


def test_order_is_seeded_and_survives_an_extension() -> None:
    """The same seed gives the same order, another seed another, and new items leave old blocks as they were."""
    assert blocks_of(plan()) == blocks_of(plan())
    assert blocks_of(plan()) != blocks_of(plan(seed=8))
    extended = blocks_of(plan(tasks=[TaskPlan(name="t", items=["x", "y", "z"])]))
    assert all(block in extended for block in ordered_runs(plan()))


def test_a_framework_against_itself_is_a_second_subject() -> None:
    """`aa: a` adds one more run to every block, under its own name."""
    blocks = blocks_of(plan(aa="a"))
    assert all(
        Counter(key.framework for key in block) == Counter(["a", "a-aa", "b", "c"]) for block in blocks
    )


def test_a_block_starts_its_processes_then_probes_runs_and_probes_again() -> None:
    """Nothing starts while runs are measured, and a probe stands before the first and after the last run."""
    kinds = [type(step).__name__ for step in steps(Schedule(remaining(ordered_runs(plan())), probes=True))]
    assert kinds == ["StartProcesses", "ProbeModel", "Measure", "Measure", "Measure", "ProbeModel"] * 4
    probes = [
        s for s in steps(Schedule(remaining(ordered_runs(plan())), probes=True)) if isinstance(s, ProbeModel)
    ]
    assert [probe.when for probe in probes] == ["before", "after"] * 4
    assert len({probe.block for probe in probes}) == 4


def test_processes_are_started_a_bounded_number_at_a_time() -> None:
    """A block of many runs starts them in groups, each group's runs before the next group."""
    names = [f"f{number}" for number in range(2 * STARTED_AT_ONCE + 1)]
    small = plan(**(SMALL | {"frameworks": names}))
    groups = [
        len(s.assignments)
        for s in steps(Schedule(remaining(ordered_runs(small))))
        if isinstance(s, StartProcesses)
    ]
    assert groups == [STARTED_AT_ONCE, STARTED_AT_ONCE, 1]


def test_warm_ups_come_first_on_each_node_and_count_nowhere() -> None:
    """Each node runs the warm-ups before its first block, as attempts of their own, without a probe."""
    planned = plan(warmups=2)
    schedule = Schedule(remaining(ordered_runs(planned)), warmups=warmups(planned, Kept()), probes=True)
    assert schedule.left == 12
    seen = [step for node in ("one", "two") for step in (schedule.next(node), schedule.next(node)) if step]
    first = seen[0]
    assert isinstance(first, StartProcesses)
    assert {a.key.iteration for a in first.assignments} == {0}
    assert schedule.left == 12
    warm = [
        a
        for step in seen
        if isinstance(step, StartProcesses)
        for a in step.assignments
        if not a.key.iteration
    ]
    assert len({(a.key, a.attempt) for a in warm}) == len(warm) == 2 * 2 * 3
    assert warmups(plan(), Kept()) == []


def test_a_node_that_comes_back_warms_up_again() -> None:
    """Under its old name, as attempts that neither it nor another node has made."""
    planned = plan(**(SMALL | {"iterations": 2, "warmups": 1}))
    schedule = Schedule(remaining(ordered_runs(planned)), warmups=warmups(planned, Kept()))
    found = [next_run(schedule, "one"), next_run(schedule, "two")]
    schedule.node_lost("one")
    found.append(next_run(schedule, "one"))
    assert [(a.key.iteration, a.attempt) for a in found if a] == [(0, 1), (0, 2), (0, 3)]
    assert schedule.left == 2


def test_blocks_are_taken_as_nodes_become_free() -> None:
    """With their number given, no block is made before a node asks for it."""
    made = []

    def blocks() -> Iterator[list[Assignment]]:
        for block in remaining(ordered_runs(plan())):
            made.append(block)
            yield block

    schedule = Schedule(blocks(), runs=12)
    assert (schedule.left, made) == (12, [])
    assert next_run(schedule)
    assert (schedule.left, len(made)) == (11, 1)


def test_a_resumed_warm_up_is_a_new_attempt() -> None:
    """What is on disk of earlier warm-ups is never written again."""
    planned = plan(**SMALL, warmups=1)
    (again,) = warmups(planned, Kept(last_attempts={"t.x.0.idiomatic.a": 3}))
    assert again.attempt == 4


def test_a_block_stays_on_its_node() -> None:
    """Two nodes never share a block."""
    schedule = Schedule(remaining(ordered_runs(plan())))
    seen: dict[tuple[str, str, int], set[str]] = {}
    while schedule.left:
        for node in ("one", "two"):
            if assignment := next_run(schedule, node):
                seen.setdefault(assignment.key.block, set()).add(node)
                schedule.finished(node, assignment, Status.COMPLETED)
    assert len(seen) == 4
    assert all(len(on) == 1 for on in seen.values())


def test_our_failures_are_repeated_a_bounded_number_of_times_and_frameworks_failures_never() -> None:
    """An infrastructure error is tried three times in all with rising attempt numbers; a framework error once."""
    blocks = blocks_of(plan(**SMALL))
    schedule = Schedule(remaining(blocks), attempts=3)
    attempts = []
    while assignment := next_run(schedule):
        attempts.append(assignment.attempt)
        schedule.finished("n", assignment, Status.INFRASTRUCTURE_ERROR)
    assert attempts == [1, 2, 3]

    schedule = Schedule(remaining(blocks))
    assignment = next_run(schedule)
    assert assignment
    schedule.finished("n", assignment, Status.FRAMEWORK_ERROR)
    assert next_run(schedule) is None


def test_a_disturbed_run_is_repeated_up_to_its_own_bound() -> None:
    """A run in quarantine is tried again in its block; the last attempt is kept, however disturbed."""
    schedule = Schedule(remaining(ordered_runs(plan(**SMALL))), disturbed_attempts=2, probes=True)
    attempts = []
    while assignment := next_run(schedule):
        attempts.append(
            (assignment.attempt, schedule.finished("n", assignment, Status.COMPLETED, disturbed=True))
        )
    assert attempts == [(1, True), (2, False)]


def test_a_run_that_disturbed_another_is_done_again() -> None:
    """An attempt that had counted and spoilt a later one comes again as a block of its own, with a next number."""
    schedule = Schedule(remaining(ordered_runs(plan(**SMALL))))
    assignment = next_run(schedule)
    assert assignment
    schedule.finished("n", assignment, Status.COMPLETED)
    assert schedule.repeat(assignment)
    again = next_run(schedule)
    assert again
    assert (again.key, again.attempt) == (assignment.key, 2)


def test_a_lost_node_gives_its_block_back() -> None:
    """What a lost node had not finished, started or not, is run by another before new blocks."""
    schedule = Schedule(remaining(ordered_runs(plan())))
    first = next_run(schedule, "one")
    assert first
    schedule.finished("one", first, Status.INFRASTRUCTURE_ERROR)
    schedule.node_lost("one")
    seen = drain(schedule, "two")
    assert len(seen) == 12
    assert first.key.run_id in seen[:3]

    schedule = Schedule(remaining(ordered_runs(plan())))
    schedule.next("one")
    schedule.node_lost("one")
    assert len(drain(schedule, "two")) == 12


def test_resume_leaves_out_what_says_something_of_a_framework() -> None:
    """Completed runs and framework errors are done; model and infrastructure errors get a next attempt."""
    blocks = blocks_of(plan())
    keys = [key for block in blocks for key in block]
    done = [
        record(keys[0], Status.COMPLETED),
        record(keys[1], Status.FRAMEWORK_ERROR),
        record(keys[2], Status.MODEL_ERROR, attempt=2),
    ]
    kept = Kept(complete(done, {}, 1), {keys[2].run_id: 2})
    left = [assignment for block in remaining(blocks, kept) for assignment in block]
    assert [a.key for a in left] == keys[2:]
    assert (left[0].attempt, left[0].position) == (3, 2)


def test_resume_repeats_what_is_in_quarantine() -> None:
    """A run that disturbed another is done again; a disturbed one only while it was tried too seldom."""
    blocks = blocks_of(plan(**SMALL))
    key = blocks[0][0]
    done = record(key, Status.COMPLETED, attempt_id="spoilt")

    def left(code: str, bound: int) -> list[list[Assignment]]:
        found = Quarantine(run_id=key.run_id, attempt=1, attempt_id="spoilt", code=code, reasons=["r"])  # type: ignore[arg-type]
        kept = Kept(complete([done], {"spoilt": found}, bound), {key.run_id: 1})
        return list(remaining(blocks, kept))

    assert left("late_calls", 1) == [[Assignment(key, 2, 0)]]
    assert left("disturbed", 2) == [[Assignment(key, 2, 0)]]
    assert left("disturbed", 1) == []


@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_whatever_fails_every_run_ends_and_none_is_lost(random: object, nodes: int) -> None:
    """With failures, disturbances and lost nodes at random, each run ends, in a bounded number of attempts."""
    schedule = Schedule(remaining(ordered_runs(plan(aa="a"))), probes=True, disturbed_attempts=2)
    alive = [f"n{number}" for number in range(nodes)]
    ended: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    idle = 0
    while idle < len(alive):
        node = random.choice(alive)  # type: ignore[attr-defined]
        step = schedule.next(node)
        if step is None:
            idle = sum(schedule.next(name) is None for name in alive) if schedule.left == 0 else 0
            continue
        if isinstance(step, StartProcesses):
            schedule.processes_started(node)
        elif isinstance(step, Measure):
            run_id = step.assignment.key.run_id
            tried[run_id] += 1
            status = random.choice([Status.COMPLETED, Status.INFRASTRUCTURE_ERROR, Status.FRAMEWORK_ERROR])  # type: ignore[attr-defined]
            disturbed = random.random() < 0.3  # type: ignore[attr-defined]
            if not schedule.finished(node, step.assignment, status, disturbed=disturbed):
                ended[run_id] += 1
        if len(alive) > 1 and random.random() < 0.02:  # type: ignore[attr-defined]
            alive.remove(node)
            schedule.node_lost(node)
    assert ended == Counter(key.run_id for block in ordered_runs(plan(aa="a")) for key in block)
    assert max(tried.values()) <= 3
