"""Counts of an experiment's folder, read while it runs or afterwards."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from cluster.status import read_status, status_table
from shared.errors import ResultsMismatch
from shared.judgement_store import Judgements
from shared.judgements import Comparison
from shared.plan import TaskPlan
from shared.records import RunKey, Status
from tests.unit.stored_records import begun, run, verdict


def key(framework: str, item: str, iteration: int = 1) -> RunKey:
    return RunKey(framework=framework, arm="idiomatic", task="t", item=item, iteration=iteration)


def test_counts(tmp_path: Path) -> None:
    """What a resume repeats counts as left; a failed verdict is no verdict; attempts are not counted twice."""
    store = begun(tmp_path, tasks=[TaskPlan(name="t", items=["x", "y"])], iterations=2)
    first = run(key=key("a", "x"))
    for record in (
        first,
        run(key=key("a", "y"), status=Status.TIMEOUT, position=1),
        run(key=key("a", "x", 2), status=Status.INFRASTRUCTURE_ERROR, position=2),
        run(key=key("a", "x", 2), attempt=2, status=Status.MODEL_ERROR, position=2),
        run("b", key=key("b", "x"), position=3),
    ):
        store.write_run(record, [])
    store.write_verdict(verdict(first))
    store.write_verdict(verdict(run("b", key=key("b", "x")), scored=False, scores={}, overall=None))
    found = read_status(tmp_path)
    assert (found["planned"], found["done"], found["completed"]) == (8, 3, 2)
    assert (found["verdicts"], found["verdicts_failed"]) == (1, 1)
    assert found["frameworks"]["a"] == {
        "planned": 4,
        "done": 2,
        "statuses": {"completed": 1, "timeout": 1, "model_error": 1},
    }
    assert found["frameworks"]["b"] == {"planned": 4, "done": 1, "statuses": {"completed": 1}}


def test_each_judge_is_counted(tmp_path: Path) -> None:
    """By judge: verdicts that somebody was asked for, comparisons, and those of both that failed."""
    store = begun(tmp_path)
    store.write_run(run(), [])
    store.write_verdict(verdict(run(), judge="openai:a"))
    store.write_verdict(verdict(run(), judge="openai:a", repeat=2, scored=False, scores={}, overall=None))
    store.write_verdict(verdict(run("b"), judge="openai:a", same_text_as="a-run", attempts=[]))
    for judge, winner in (("openai:a", "tie"), ("openai:b", None)):
        Judgements(tmp_path).write_comparison(
            Comparison(
                judge=judge, rubric="t/1", task="t", item="x", first_attempt_id="a1", second_attempt_id="b1",
                winner=winner, attempts=[],
            )
        )  # fmt: skip
    none = {"verdicts": 0, "verdicts_failed": 0, "comparisons": 0, "comparisons_failed": 0}
    assert read_status(tmp_path)["judges"] == {
        "openai:a": none | {"verdicts": 1, "verdicts_failed": 1, "comparisons": 1},
        "openai:b": none | {"comparisons_failed": 1},
    }


def test_the_table_has_the_same_counts(tmp_path: Path) -> None:
    """A line per framework with done, planned and statuses; the title sums up."""
    begun(tmp_path).write_run(run("b"), [])
    out = io.StringIO()
    Console(file=out, width=100).print(status_table(read_status(tmp_path)))
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert lines[0][:5] == ["e:", "1", "of", "2", "runs,"]
    assert ["a", "0", "1"] in lines
    assert ["b", "1", "1", "1", "completed"] in lines


def test_a_folder_that_is_no_experiment(tmp_path: Path) -> None:
    """The message names the folder."""
    with pytest.raises(ResultsMismatch, match=r"No experiment in .*none.*manifest\.json"):
        read_status(tmp_path / "none")
