"""Which pairs are compared, that each is asked in both orders, and what a judge is told and says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.compare_jobs import CompareJob, uncompared
from judge.chat import JudgeEndpoint
from judge.compare_prompt import MAX_COMPARED_CHARS
from shared.judgement_store import Judgements
from shared.judgements import Comparison
from tests.unit.answering_server import Answer, AnsweringServer
from tests.unit.judged_experiment import TASK, add_report, experiment, store_with

JUDGE = "openai:a"


def shown(jobs: list[CompareJob]) -> set[tuple[str, str]]:
    return {(job.first.text, job.second.text) for job in jobs}


def compared(job: CompareJob, judge: str = JUDGE) -> Comparison:
    return Comparison(
        judge=judge, rubric=job.rubric.label, task=job.task, item=job.item,
        first_attempt_id=job.first.attempt_id, second_attempt_id=job.second.attempt_id, winner="tie",
        attempts=[],
    )  # fmt: skip


def test_off_unless_asked_for(tmp_path: Path) -> None:
    """Nobody compares by default."""
    store = store_with(tmp_path, ("direct", "one"), ("crewai", "two"))
    assert uncompared(store, experiment(judge_model=JUDGE), JUDGE) == []


def test_pairs_of_different_frameworks_on_one_item_and_arm(tmp_path: Path) -> None:
    """Not a text with itself, nor two of one framework, nor across items or arms; the rest in both orders."""
    store = store_with(tmp_path, ("direct", "one"), ("langgraph", "one"), ("crewai", "two"))
    add_report(store, "direct", "three", iteration=2)
    add_report(store, "crewai", "four", iteration=2)
    add_report(store, "crewai", "elsewhere", item="datadog")
    add_report(store, "crewai", "other arm", arm="equalised")
    jobs = uncompared(store, experiment(judge_model=JUDGE, judge_pairs=True), JUDGE)
    pairs = {("one", "two"), ("one", "four"), ("three", "two"), ("three", "four"), ("one", "three")}
    assert shown(jobs) == pairs | {(second, first) for first, second in pairs}
    frameworks = {record.attempt_id: record.key.framework for record in store.runs()}
    assert all(frameworks[j.first.attempt_id] != frameworks[j.second.attempt_id] for j in jobs)


def test_only_what_is_missing_is_compared(tmp_path: Path) -> None:
    """A comparison is for a judge, an order and two texts, whichever of equal reports it names."""
    store = store_with(tmp_path, ("direct", "one"), ("crewai", "two"))
    chosen = experiment(judge_model=JUDGE, judge_pairs=True)
    first, second = uncompared(store, chosen, JUDGE)
    kept = Judgements(store.folder)
    kept.write_comparison(compared(first))
    assert shown(uncompared(store, chosen, JUDGE)) == shown([second])
    assert len(uncompared(store, chosen, "openai:b")) == 2
    add_report(store, "langgraph", first.first.text)
    assert shown(uncompared(store, chosen, JUDGE)) == shown([second])
    kept.write_comparison(compared(second))
    assert uncompared(store, chosen, JUDGE) == []


def test_one_text_in_both_arms_is_asked_once(tmp_path: Path) -> None:
    """The same two texts in the other arm are no new question."""
    store = store_with(tmp_path, ("direct", "one"), ("crewai", "two"))
    add_report(store, "direct", "one", arm="equalised")
    add_report(store, "crewai", "two", arm="equalised")
    assert len(uncompared(store, experiment(judge_model=JUDGE, judge_pairs=True), JUDGE)) == 2


def test_too_many_pairs_are_sampled_the_same_way_each_time(tmp_path: Path) -> None:
    """The limit is for each item and arm, counts pairs and not orders, and draws the same pairs again."""
    store = store_with(tmp_path, *[("direct", f"d{n}") for n in range(1)])
    for n in range(1, 6):
        add_report(store, "direct", f"d{n}", iteration=n + 1)
        add_report(store, "crewai", f"c{n}", iteration=n)
    limited = experiment(judge_model=JUDGE, judge_pairs=True, judge_pairs_limit=4)
    jobs = uncompared(store, limited, JUDGE)
    assert len(jobs) == 8
    assert jobs == uncompared(store, limited, JUDGE)
    assert {(second, first) for first, second in shown(jobs)} == shown(jobs)
    for job in jobs:
        Judgements(store.folder).write_comparison(compared(job))
    assert uncompared(store, limited, JUDGE) == []


@pytest.fixture
def job(tmp_path: Path) -> CompareJob:
    store = store_with(tmp_path, ("direct", "The first report."), ("crewai", "The second report."))
    return uncompared(store, experiment(judge_model=JUDGE, judge_pairs=True), JUDGE)[0]


def said(text: str) -> Answer:
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 700, "completion_tokens": 30}
    return Answer({"choices": [{"message": message}], "usage": usage})


def ask(job: CompareJob, answer: str) -> tuple[Comparison, AnsweringServer]:
    with AnsweringServer() as server:
        server.answers["POST /v1/chat/completions"] = said(answer)
        return job.ask(JudgeEndpoint(f"{server.origin}/v1", "m"), JUDGE), server


@pytest.mark.parametrize(("letter", "winner"), [("A", "first"), ("B", "second"), ("tie", "tie")])
def test_a_comparison(job: CompareJob, letter: str, winner: str) -> None:
    """The judge sees both texts under A and B with the facts, and its word becomes first, second or tie."""
    found, server = ask(job, json.dumps({"reasoning": "Clearer.", "winner": letter}))
    assert (found.winner, found.reasoning, found.rubric) == (winner, "Clearer.", f"{TASK}/1")
    assert (found.first_attempt_id, found.second_attempt_id) == (job.first.attempt_id, job.second.attempt_id)
    (asked,) = server.asked
    turn = asked.body["messages"][-1]["content"]
    assert turn.index("<REPORT A") < turn.index(job.first.text) < turn.index("<REPORT B")
    assert turn.index("<REPORT B") < turn.index(job.second.text)
    assert job.evidence in turn
    assert not any(word in str(asked.body) for word in ("crewai", "direct ", "idiomatic", "id0", "id1"))
    schema = asked.body["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["winner"]["enum"] == ["A", "B", "tie"]
    assert (asked.body["temperature"], asked.body["max_tokens"]) == (0, 400)
    assert [(attempt.prompt_tokens, attempt.error) for attempt in found.attempts] == [(700, None)]


def test_no_winner_is_a_recorded_failure(job: CompareJob) -> None:
    """After three unusable answers there is a comparison without a winner, with all three."""
    found, server = ask(job, "Both are lovely.")
    assert (found.winner, len(found.attempts), len(server.asked)) == (None, 3, 3)
    assert "could not be used" in server.asked[-1].body["messages"][-1]["content"]


def test_a_long_report_is_cut(job: CompareJob) -> None:
    """Of each report a stated beginning is shown."""
    long = replace(job, first=replace(job.first, text="word " * 200_000))
    _, server = ask(long, json.dumps({"reasoning": "", "winner": "B"}))
    turn = server.asked[0].body["messages"][-1]["content"]
    assert f"(cut after {MAX_COMPARED_CHARS} of 1000000 characters)" in turn
    assert len(turn) < 2 * MAX_COMPARED_CHARS + 5_000
