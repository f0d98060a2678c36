"""Which verdicts are still owed: per distinct text, judge, rubric version and repeat, and no more than that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cluster.judge_jobs import JudgeJob, check_reports, share_verdicts, unjudged
from cluster.judge_missing import owed_by_all
from judge.judge_prompt import ASKING
from shared.calls import Asked, Call
from shared.records import JudgeAttempt, Status
from shared.score_figures import FigureMeaning
from shared.tasks.item import TaskItem
from shared.tasks.score import Answer, Score
from tests.unit.judged_experiment import RUBRIC, TASK, add_report, experiment, opinion, store_with
from tests.unit.stored_records import run

PANEL = "openai:a,openai:b"


def asked(jobs: list[JudgeJob]) -> list[tuple[str, int]]:
    return sorted((job.text, job.repeat) for job in jobs)


def test_each_distinct_text_once_per_repeat_and_judge(tmp_path: Path) -> None:
    """Two frameworks with one text owe one verdict per repeat and judge; failed runs owe none."""
    store = store_with(tmp_path, ("direct", "one"), ("langgraph", "one"), ("crewai", "two"))
    add_report(store, "direct", "one", item="datadog")
    failed = run("crewai", key=run("crewai").key.model_copy(update={"task": TASK, "item": "datadog"}))
    store.write_run(failed.model_copy(update={"status": Status.TIMEOUT, "position": 9}), [])
    panel = experiment(judge_model=PANEL, judge_repeats=2)
    expected = sorted((text, repeat) for text in ("one", "one", "two") for repeat in (1, 2))
    assert asked(unjudged(store, panel, "openai:a")) == asked(unjudged(store, panel)) == expected
    assert owed_by_all(store, panel) == 12


def test_only_what_is_missing_is_asked(tmp_path: Path) -> None:
    """What a judge has said, of whichever of the equal texts, is not asked again; a failure counts as said."""
    store = store_with(tmp_path, ("direct", "one"), ("langgraph", "one"), ("crewai", "two"))
    _, same, other = store.runs()
    store.write_verdict(opinion(same.key.run_id, same.attempt_id, "openai:a"))
    store.write_verdict(
        opinion(other.key.run_id, other.attempt_id, "openai:a", scored=False, scores={}, overall=None)
    )
    panel = experiment(judge_model=PANEL, judge_repeats=2)
    assert asked(unjudged(store, panel, "openai:a")) == [("one", 2), ("two", 2)]
    assert len(unjudged(store, panel, "openai:b")) == 4
    once = experiment(judge_model="openai:a")
    assert unjudged(store, once) == []


def test_another_rubric_version_is_another_question(tmp_path: Path) -> None:
    """A verdict by an older rubric does not count as judged, and stays beside the new one."""
    store = store_with(tmp_path, ("direct", "one"))
    (record,) = store.runs()
    store.write_verdict(opinion(record.key.run_id, record.attempt_id, "openai:a"))
    now = experiment(judge_model="openai:a")
    assert unjudged(store, now) == []
    task = now.tasks[TASK]
    newer = task.rubric.model_copy(update={"version": 2})
    later = replace(now, tasks={TASK: replace(task, rubric=newer)})
    assert len(unjudged(store, later)) == 1
    rubric = f"{TASK}/2.{ASKING}"
    store.write_verdict(opinion(record.key.run_id, record.attempt_id, "openai:a", rubric=rubric))
    assert unjudged(store, later) == []
    assert {verdict.rubric for verdict in store.verdicts()} == {RUBRIC, rubric}


def test_copies_are_marked_and_made_once(tmp_path: Path) -> None:
    """Equal texts get each judge's verdict of each repeat as a copy without attempts, and no copy of a copy."""
    store = store_with(tmp_path, ("direct", "one"), ("langgraph", "one"), ("crewai", "two"))
    first, same, _ = store.runs()
    for judge, repeat in (("openai:a", 1), ("openai:a", 2), ("openai:b", 1)):
        store.write_verdict(opinion(first.key.run_id, first.attempt_id, judge, repeat))
    share_verdicts(store)
    share_verdicts(store)
    copies = [verdict for verdict in store.verdicts() if verdict.same_text_as]
    assert [(v.judge, v.repeat, v.attempt_id, v.same_text_as, v.attempts) for v in copies] == [
        ("openai:a", 1, same.attempt_id, first.key.run_id, []),
        ("openai:a", 2, same.attempt_id, first.key.run_id, []),
        ("openai:b", 1, same.attempt_id, first.key.run_id, []),
    ]
    assert len(store.verdicts()) == 6


def test_a_judge_may_come_later(tmp_path: Path) -> None:
    """Old results owe a new judge everything, whatever others have said."""
    store = store_with(tmp_path, ("direct", "one"), ("crewai", "two"))
    for record in store.runs():
        store.write_verdict(opinion(record.key.run_id, record.attempt_id, "llamacpp:smollm2-135m"))
    assert unjudged(store, experiment()) == []
    assert len(unjudged(store, experiment(judge_model="openai:new"))) == 2


def test_the_order_hides_the_framework(tmp_path: Path) -> None:
    """Jobs come by repeat and then by their random ids, and hold no framework's name."""
    store = store_with(tmp_path, ("direct", "one"), ("crewai", "two"))
    jobs = unjudged(store, experiment(judge_repeats=2))
    assert [job.repeat for job in jobs] == [1, 1, 2, 2]
    assert [job.attempt_id for job in jobs] == ["id0", "id1", "id0", "id1"]


def test_a_recording_has_nobody_to_judge(tmp_path: Path) -> None:
    """A replay without a judge of its own owes nothing."""
    store = store_with(tmp_path, ("direct", "one"))
    assert unjudged(store, experiment(llm_model=f"replay:{tmp_path}")) == []


@pytest.mark.parametrize("judge", ["openai:a", "openai:b"])
def test_a_single_verdict_names_what_it_is_for(tmp_path: Path, judge: str) -> None:
    """Two judges with the same repeat and rubric are kept apart on disk."""
    store = store_with(tmp_path, ("direct", "one"))
    (record,) = store.runs()
    for name in PANEL.split(","):
        attempts = [JudgeAttempt(text=name, seconds=1)]
        store.write_verdict(opinion(record.key.run_id, record.attempt_id, name, attempts=attempts))
    (found,) = (verdict for verdict in store.verdicts() if verdict.judge == judge)
    assert found.attempts[0].text == judge


class Told(TaskItem):
    """Says in its score what it was given to score."""

    def score(self, answer: Answer) -> Score:
        return Score(
            passed=True,
            notes=tuple(
                " ".join((use.name, str(use.arguments["n"]), *use.said)) for use in answer.tool_calls
            ),
        )


def test_a_score_gets_the_calls_as_they_were_carried_out(tmp_path: Path) -> None:
    """In the order in which they ended, whichever came first, with what a model said; refused ones are left out."""
    store = store_with(tmp_path)
    key = run("direct").key.model_copy(update={"task": TASK, "item": "stripe"})
    ends = ((1, 0.5, 200), (2, 3.0, 200), (3, 2.0, 200), (4, 2.5, 400))
    calls = [
        Call(
            sequence=n, kind="tool", path="/tools/pay", arrived_s=n / 10, last_byte_s=end_s, status=status, request={"n": n}
        )
        for n, end_s, status in ends
    ]  # fmt: skip
    calls[0].asked.append(Asked(said="Hello.", seconds=1))
    store.write_run(run("direct", key=key, text="Paid."), calls)
    planned = experiment()
    task = replace(planned.tasks[TASK], items={"stripe": Told(name="Stripe")})
    check_reports(store, replace(planned, tasks={TASK: task}))
    (check,) = store.checks()
    assert check.notes == ["pay 1 Hello.", "pay 3", "pay 2"]


def test_what_figures_mean_is_kept_with_the_checks(tmp_path: Path) -> None:
    """A task's newest description takes the place of an older one, also where no report is left to check."""
    store = store_with(tmp_path)
    planned = experiment()
    for version, means in ((1, "Old."), (2, "New.")):
        task = planned.tasks[TASK]
        definition = task.definition.model_copy(update={"version": version})
        described = {"turns": FigureMeaning(means=means, better="neither")}
        task = replace(task, definition=definition, figures=described)
        check_reports(store, replace(planned, tasks={TASK: task}))
    found = store.figure_meanings()[TASK]
    assert (found.version, found.figures["turns"].means) == (2, "New.")
