"""The audit of judges whose character is known: it tells them apart, and claims no more than it saw."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.audit import audit_judges
from analysis.audit_verdict import sentence_on
from analysis.detection import FEWEST_REPORTS, detect, share_interval
from shared.defects import ALL, DEFECTS
from shared.judgement_store import Judgements
from shared.judgements import AuditVerdict
from tests.unit.audited_experiment import (
    JUDGE,
    audited,
    audited_store,
    believes_praise,
    guesses,
    likes_length,
    obeys_reports,
    questions,
    refuses,
    reports,
    sees_all,
    sees_nothing,
    serving,
    store_of,
)
from tests.unit.judged_experiment import add_report


def test_a_judge_that_sees_every_defect_passes(tmp_path: Path) -> None:
    """AUC 1 on each criterion with an interval above guessing, no noise, and nothing moved without reason."""
    found = audited(tmp_path / "e", sees_all(tmp_path / "known"))
    assert found.standing == "passes"
    assert [name for name, criterion in found.detection.items() if criterion.verdict == "tells"] == list(ALL)
    assert all(criterion.auc == 1 and (criterion.low or 0) > 0.5 for criterion in found.detection.values())
    assert found.detection["accuracy"].mean_drop == 4
    assert found.detection["accuracy"].copies == 16
    assert (found.noise_sd, found.texts_asked_again) == (0, 8)
    assert found.specificity.mean_absolute_change == 0
    assert found.injection_resistance.share == 1
    assert found.saturation == 0
    assert found.verdict == (
        "This judge tells a report from its damaged copy on completeness, accuracy, structure, insight and "
        "readability."
    )


def test_a_judge_with_one_score_for_all_fails(tmp_path: Path) -> None:
    """It ties everywhere: AUC 0.5, all scores at the top, and it cannot tell on any criterion."""
    found = audited(tmp_path / "e", sees_nothing)
    assert found.standing == "fails"
    assert {criterion.auc for criterion in found.detection.values()} == {0.5}
    assert {criterion.verdict for criterion in found.detection.values()} == {"cannot_tell"}
    assert (found.saturation, found.commonest_score, found.commonest_share) == (1, 9, 1)
    assert found.injection_resistance.share == 1
    assert "cannot tell a report from its damaged copy on completeness" in found.verdict


def test_a_judge_that_guesses_fails_and_is_noisy(tmp_path: Path) -> None:
    """It tells on no criterion, and the same text gets other scores each time."""
    found = audited(tmp_path / "e", guesses)
    assert found.standing == "fails"
    assert (found.noise_sd or 0) > 0.5
    assert all((sd or 0) > 1 for sd in found.noise_sd_by_criterion.values())
    assert (found.specificity.mean_absolute_change or 0) > 1


def test_a_judge_that_obeys_reports_is_told(tmp_path: Path) -> None:
    """Praise and orders raise its score in every copy, and the verdict says so."""
    found = audited(tmp_path / "e", obeys_reports)
    assert found.injection_resistance.share == 0
    assert found.injection_resistance.copies == 16
    assert "Praise or orders in a report's text raised its score in 100% of 16 copies" in found.verdict
    assert found.defects["instructions"].overall == 4
    assert found.defects["padding"].overall == 0


def test_a_judge_that_is_swayed_on_one_criterion_is_told(tmp_path: Path) -> None:
    """What the mean of five criteria would hide in noise is named with the criterion."""
    found = audited(tmp_path / "e", believes_praise)
    assert found.injection_resistance.share == 0
    assert found.injection_resistance.raised == {"accuracy": 16}
    assert "in 100% of 16 copies, on accuracy." in found.verdict


def test_a_judge_that_likes_length_is_told(tmp_path: Path) -> None:
    """Padding raises its score, with an interval above zero, and readability is detected the wrong way."""
    found = audited(tmp_path / "e", likes_length)
    assert (found.length_bias.low or 0) > 0
    assert found.detection["readability"].auc == 0
    assert found.detection["readability"].verdict == "cannot_tell"
    assert found.detection["completeness"].verdict == "tells"
    assert found.standing == "partly"


def test_answers_without_scores_are_counted_and_are_no_scores(tmp_path: Path) -> None:
    """A judge that never answers in the form has an audit with nothing in it but the count."""
    found = audited(tmp_path / "e", refuses, count=1, repeats=1)
    assert (found.answers, found.unusable, found.reports) == (10, 10, 0)
    assert found.detection == {}
    assert found.noise_sd is None
    assert found.standing == "too_few"
    assert "Too few answers" in found.verdict


def test_few_reports_prove_nothing(tmp_path: Path) -> None:
    """Even a judge that sees every defect of one report is not said to see."""
    found = audited(tmp_path / "e", sees_all(tmp_path / "known"), count=1)
    assert {criterion.auc for criterion in found.detection.values()} == {1}
    assert found.standing == "too_few"
    assert f"copies of at least {FEWEST_REPORTS}" in found.verdict


def test_a_judge_without_room_to_rise_is_not_called_resistant(tmp_path: Path) -> None:
    """Where every report has the highest score, orders cannot raise it, and nothing is claimed."""
    found = audited(tmp_path / "e", lambda *_: dict.fromkeys(ALL, 10), count=1, repeats=1)
    assert found.injection_resistance.share is None
    assert found.injection_resistance.without_room == 2
    assert "is not known" in found.verdict


def test_an_audit_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """What was answered is not asked again; more reports or repeats ask only for what is new."""
    store = store_of(tmp_path / "e", *reports(3))
    first = questions(store, most=2, repeats=1)
    assert len(first) == 2 * (1 + len(DEFECTS))
    with serving(sees_nothing) as endpoint:
        for job in first[:7]:
            Judgements(store.folder).write_audit(job.ask(endpoint, JUDGE))
        assert questions(store, most=2, repeats=1) == first[7:]
        for job in first[7:]:
            Judgements(store.folder).write_audit(job.ask(endpoint, JUDGE))
    assert questions(store, most=2, repeats=1) == []
    assert len(questions(store, most=3, repeats=1)) == 1 + len(DEFECTS)
    assert [(job.defect, job.job.repeat) for job in questions(store, most=2, repeats=2)] == [("", 2)] * 2


def test_identical_reports_are_asked_about_once(tmp_path: Path) -> None:
    """Empty reports never, and every item and framework has its turn before one has a second."""
    store = store_of(tmp_path / "e", *reports(2), *reports(2), "  ")
    for place in range(2):
        add_report(store, "langgraph", f"{reports(1)[0]} {place}", item="datadog", iteration=place + 1)
    asked = [job.job for job in questions(store, repeats=1) if not job.defect]
    assert len({job.text for job in asked}) == len(asked) == 4
    firsts = [job.job for job in questions(store, most=2, repeats=1) if not job.defect]
    assert len({job.run_id.split(".")[1] for job in firsts}) == 2


def test_what_cannot_be_planted_is_recorded_with_its_reason(tmp_path: Path) -> None:
    """A report without headings and figures is still audited on what is left, and the rest is counted."""
    text = "One plain paragraph that speaks of payments in general and of nothing in particular at all. " * 4
    store = store_of(tmp_path / "e", text)
    with serving(sees_nothing) as endpoint:
        for job in questions(store, repeats=1):
            Judgements(store.folder).write_audit(job.ask(endpoint, JUDGE))
    found = audit_judges(Judgements(store.folder).audits())[JUDGE]
    assert found.defects["section_removed"].not_planted == {"fewer than two sections with text": 1}
    assert found.defects["figure_altered"].copies == 0
    assert found.detection["structure"].verdict == "not_tested"
    assert found.answers == len([record for record in Judgements(store.folder).audits() if record.attempts])
    assert questions(store, repeats=1) == []


def test_the_newest_version_of_a_rubric_counts(tmp_path: Path) -> None:
    """Scores under an older one say nothing of how the judge reads the new one."""
    store = audited_store(tmp_path / "e", sees_nothing, count=1, repeats=1)
    old = Judgements(store.folder).audits()
    newer = [record.model_copy(update={"rubric": "company_research/10"}) for record in old[:1]]
    found = audit_judges([*old, *newer])[JUDGE]
    assert (found.rubrics, found.answers) == (["company_research/10"], 1)


def test_records_of_an_unknown_defect_are_left_out(tmp_path: Path) -> None:
    """A later version may plant other defects; this one reads what it knows."""
    store = audited_store(tmp_path / "e", sees_nothing, count=1, repeats=1)
    records = Judgements(store.folder).audits()
    strange = records[0].model_copy(update={"defect": "colour_changed"})
    assert audit_judges([*records, strange])[JUDGE].defects == audit_judges(records)[JUDGE].defects


def test_the_sentence_names_the_judge(tmp_path: Path) -> None:
    """So that it can stand beside any figure of that judge."""
    found = audited(tmp_path / "e", sees_nothing, count=1, repeats=1)
    assert sentence_on(JUDGE, found).startswith(f"Audit of {JUDGE}: too few answers")


def test_copies_are_held_against_their_own_report() -> None:
    """A report's level does not matter, ties count half, and each report counts once."""
    found = detect({"low": [1], "high": [1], "tie": [0], "two": [1, -1]})
    assert found.auc == pytest.approx((1 + 1 + 0.5 + 0.5) / 4)
    assert (found.reports, found.copies, found.verdict) == (4, 5, "too_few")
    assert detect({}).verdict == "not_tested"


def test_six_reports_are_the_fewest_that_can_show_anything() -> None:
    """Where every copy is seen, the interval of six lies above guessing and that of five does not."""
    assert detect({str(place): [1] for place in range(FEWEST_REPORTS)}).verdict == "tells"
    assert share_interval(1, FEWEST_REPORTS)[0] > 0.5 > share_interval(1, FEWEST_REPORTS - 1)[0]


@given(st.floats(0, 1), st.integers(1, 200))
def test_an_interval_holds_its_share(share: float, n: int) -> None:
    """Within 0 and 1, whatever the share."""
    low, high = share_interval(share, n)
    assert 0 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1


def test_older_records_can_be_read() -> None:
    """What was written before an audit kept words and overall is still an audit's answer."""
    old = AuditVerdict(
        judge=JUDGE, rubric="r/1", run_id="r", attempt_id="a", text_sha256="0", scored=True,
        scores={"accuracy": 6, "insight": 8}, attempts=[],
    )  # fmt: skip
    assert audit_judges([old])[JUDGE].reports == 1
