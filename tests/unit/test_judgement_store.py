"""Comparisons, audits, ratings and preferences in an experiment's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import StoreFailed
from shared.judgement_store import Judgements
from shared.judgements import AuditVerdict, Comparison, Preference, Rating

AT = "2026-11-24T12:00:00+00:00"


def comparison(first: str = "a", second: str = "b") -> Comparison:
    return Comparison(
        judge="openai:x",
        rubric="r/1",
        task="t",
        item="i",
        first_attempt_id=first,
        second_attempt_id=second,
        winner="tie",
        attempts=[],
    )


def rating(score: int) -> Rating:
    return Rating(
        rater="Ann", rubric="r/1", run_id="x", attempt_id="a", scores={"accuracy": score}, rated_at=AT
    )


def test_each_kind_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """What was written is what is read."""
    kept = Judgements(tmp_path)
    audit = AuditVerdict(
        judge="openai:x",
        rubric="r/1",
        run_id="x",
        attempt_id="a",
        defect="cut",
        text_sha256="0",
        scored=False,
        attempts=[],
    )
    preference = Preference(
        rater="Ann",
        task="t",
        item="i",
        first_attempt_id="a",
        second_attempt_id="b",
        winner="first",
        rated_at=AT,
    )
    kept.write_comparison(comparison())
    kept.write_audit(audit)
    kept.write_rating(rating(7))
    kept.write_preference(preference)
    assert kept.comparisons() == [comparison()]
    assert kept.audits() == [audit]
    assert kept.ratings() == [rating(7)]
    assert kept.preferences() == [preference]


def test_both_orders_of_a_pair_are_two_comparisons(tmp_path: Path) -> None:
    """The order shown is part of what was asked."""
    kept = Judgements(tmp_path)
    kept.write_comparison(comparison())
    kept.write_comparison(comparison("b", "a"))
    assert len(kept.comparisons()) == 2


def test_a_rater_may_change_his_mind_and_a_judge_may_not(tmp_path: Path) -> None:
    """A rating is replaced by the same rater's later one; what a model answered is written once."""
    kept = Judgements(tmp_path)
    kept.write_rating(rating(3))
    kept.write_rating(rating(8))
    assert [found.overall for found in kept.ratings()] == [8]
    kept.write_comparison(comparison())
    with pytest.raises(StoreFailed, match="written once"):
        kept.write_comparison(comparison())


def test_raters_in_any_script_have_folders_of_their_own(tmp_path: Path) -> None:
    """Names that a folder's name cannot hold do not fall together, so that nobody overwrites another's rating."""
    kept = Judgements(tmp_path)
    for name in ("李", "王", "Zoë", "Zo", "a b", "a-b", "..", "../x"):
        kept.write_rating(rating(5).model_copy(update={"rater": name}))
    assert len(kept.ratings()) == 8
    assert len(list((tmp_path / "ratings").iterdir())) == 8
    assert {path.name for path in tmp_path.iterdir()} == {"ratings"}
