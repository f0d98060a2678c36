"""Counts of an experiment's folder, read while it runs or afterwards."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from cluster.status import read_status, status_table
from shared.errors import ResultsMismatch
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
