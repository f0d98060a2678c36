"""When a report is accepted: the plan's key, the criteria that are known, and the runs that pass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from analysis.consistency.acceptance import accepted, criteria
from analysis.read_runs import read_runs
from cluster.experiment import describe_experiment, read_plan
from shared.acceptance import Acceptance
from shared.errors import PlanError
from shared.plan import Plan
from shared.settings import load_settings
from tests.unit.analysis_rows import PUBLISHED, clean_rows, write_rows
from tests.unit.measured_experiment import stored_experiment

PASSING = {"section_share": 1.0, "words_in_range": True, "fact_recall": 0.5, "unsupported_sentences": 3}


def passing_rows() -> list[dict[str, Any]]:
    """Reports on the bounds of every default criterion."""
    return [row | PASSING for row in clean_rows(iterations=1)]


def accepted_rows(
    folder: Path, rows: list[dict[str, Any]], acceptance: dict[str, Any] | None = None
) -> list[bool]:
    write_rows(folder, rows)
    if acceptance is not None:
        (folder / "manifest.json").write_text(json.dumps({"plan": {"acceptance": acceptance}}))
    return [bool(value) for value in accepted(read_runs(folder))]


@pytest.mark.parametrize(
    "spoilt",
    [
        {"section_share": 0.99},
        {"words_in_range": False},
        {"fact_recall": 0.49},
        {"unsupported_sentences": 4},
        {"status": "timeout"},
        {"quarantine": "late_calls"},
        {"fact_recall": ""},
    ],
)
def test_each_criterion_decides(tmp_path: Path, spoilt: dict[str, Any]) -> None:
    """On its bounds a report passes; a step beyond one of them, or unknown in one, it does not."""
    rows = passing_rows()
    rows[0] |= spoilt
    assert accepted_rows(tmp_path, rows) == [False] + [True] * (len(rows) - 1)


def test_scores_decide_only_when_the_plan_says_so(tmp_path: Path) -> None:
    """The judge's score is no criterion unless a bound is stated."""
    rows = [row | {"overall": 4.0 + (place > 0)} for place, row in enumerate(passing_rows())]
    assert all(accepted_rows(tmp_path / "default", rows))
    assert accepted_rows(tmp_path / "stated", rows, {"overall": 5}) == [False] + [True] * (len(rows) - 1)


def test_what_nobody_knows_decides_nothing(tmp_path: Path) -> None:
    """A table without a criterion's column is judged on the others, and says which are known."""
    rows = [{k: v for k, v in row.items() if k != "fact_recall"} for row in passing_rows()]
    rows[0]["words_in_range"] = False
    assert accepted_rows(tmp_path, rows) == [False] + [True] * (len(rows) - 1)
    assert {c.column: c.known for c in criteria(read_runs(tmp_path))} == {
        "section_share": True, "words_in_range": True, "fact_recall": False, "unsupported_sentences": True,
    }  # fmt: skip


def test_published_runs_are_known_to_be_complete_and_no_more() -> None:
    """Of the published table no criterion is known, so each completed run counts."""
    runs = read_runs(PUBLISHED)
    assert not any(criterion.known for criterion in criteria(runs))
    assert accepted(runs).sum() == 45
    assert accepted(runs).index.equals(runs.table.index)


def test_runs_without_a_model_are_never_accepted(tmp_path: Path) -> None:
    """What the scripted adapter writes is no report."""
    rows = [row | PASSING for row in clean_rows(frameworks=("scripted",), iterations=1)]
    assert not any(accepted_rows(tmp_path, rows))


def plan_file(folder: Path, **acceptance: Any) -> Path:
    path = folder / "plan.yaml"
    tasks = [{"name": "company_research", "items": ["stripe"]}]
    path.write_text(
        yaml.safe_dump({"name": "x", "frameworks": ["direct"], "tasks": tasks, "acceptance": acceptance})
    )
    return path


def test_the_plan_states_the_criteria(tmp_path: Path) -> None:
    """A bound that is left out has its default; null switches a criterion off."""
    stated = read_plan(plan_file(tmp_path, fact_recall=None, overall=7)).acceptance
    assert stated == Acceptance(fact_recall=None, overall=7)
    assert stated.section_share == 1


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("fact_recal", 0.5, "fact_recall"),
        ("fact_recall", 1.5, "acceptance.fact_recall"),
        ("overall", 11, "acceptance.overall"),
        ("unsupported_sentences", -1, "acceptance.unsupported_sentences"),
    ],
)
def test_a_wrong_criterion_is_named(tmp_path: Path, key: str, value: float, said: str) -> None:
    """An unknown key or an impossible bound is the user's error, named with its key."""
    with pytest.raises(PlanError, match=said):
        read_plan(plan_file(tmp_path, **{key: value}))


def test_criteria_are_no_part_of_the_identity() -> None:
    """Other criteria make no other experiment, so the same folder is resumed."""
    tasks = [{"name": "company_research", "items": ["stripe"]}]
    plans = [
        Plan.model_validate({"name": "x", "frameworks": ["direct"], "tasks": tasks, **more})
        for more in ({}, {"acceptance": {"overall": 9}})
    ]
    names = {describe_experiment(plan, load_settings({})).name for plan in plans}
    assert len(names) == 1


def test_criteria_may_be_restated_after_the_runs(tmp_path: Path) -> None:
    """The manifest takes the newest criteria and keeps everything else."""
    store = stored_experiment(tmp_path / "x", iterations=1)
    before = store.manifest()
    store.restate_acceptance(Acceptance(overall=8))
    after = store.manifest()
    assert after.plan.acceptance == Acceptance(overall=8)
    assert before.differs_from(after) == []
    assert after.model_dump(exclude={"plan"}) == before.model_dump(exclude={"plan"})


def test_odd_criteria_in_a_manifest_cost_a_note(tmp_path: Path) -> None:
    """Criteria that cannot be read give the defaults, and the report says so."""
    write_rows(tmp_path, passing_rows())
    (tmp_path / "manifest.json").write_text(json.dumps({"plan": {"acceptance": {"overall": "high"}}}))
    runs = read_runs(tmp_path)
    assert runs.manifest.acceptance == Acceptance()
    assert any("criteria of acceptance" in note for note in runs.manifest.notes)
