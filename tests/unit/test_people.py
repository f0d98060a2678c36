"""What people's ratings tell of an experiment, from its folder to the report."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import fmean

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.alarm_titles import ALARM_TITLES
from analysis.people import tell
from analysis.people_records import NO_SCORES, NOT_USED, OTHER_RUBRIC, UNKNOWN, Opinions
from analysis.render import render_html
from analysis.report import write_report
from analysis.result import Analysis
from shared.surroundings import Quarantine
from tests.unit.analysis_rows import PUBLISHED
from tests.unit.people_experiment import CRITERIA, Rated, rated, unrated
from tests.unit.stored_records import JUDGE, run

RATERS = {"Ann": 0.5, "Ben": -0.5}


@pytest.fixture(scope="module")
def crossed(tmp_path_factory: pytest.TempPathFactory) -> Rated:
    """Two frameworks a point apart, 12 items twice, two raters who rated half, a judge two points too kind."""
    folder = tmp_path_factory.mktemp("crossed")
    return rated(folder, frameworks={"a": 6.0, "b": 5.0}, raters=RATERS, share=0.6)


@pytest.fixture(scope="module")
def analysis(crossed: Rated) -> Analysis:
    return crossed.analyse()


def codes(analysis: Analysis) -> set[str]:
    return {alarm.code for alarm in analysis.alarms}


def test_nobody_rated(tmp_path: Path) -> None:
    """Without ratings there is no field, no section and no word of people in the report."""
    found = unrated(tmp_path).analyse()
    assert found.people is None
    html = render_html(found)
    assert 'id="people"' not in html
    assert "<dt>People</dt>" not in html


def test_a_plain_table_of_runs(tmp_path: Path) -> None:
    """A CSV from elsewhere has no ratings and gives its report as before."""
    _, found = write_report(PUBLISHED, tmp_path / "r.html")
    assert found.people is None


def test_people_and_judge(analysis: Analysis) -> None:
    """Bias, ranks, leniency and noise come out as the experiment was made."""
    people = analysis.people
    assert people is not None
    assert people.criteria == list(CRITERIA)
    assert list(people.raters) == ["rater 1", "rater 2"]
    assert people.raters["rater 1"].leniency == pytest.approx(1.0, abs=0.2)
    overall = people.judges[JUDGE].criteria["overall"]
    assert overall.bias.value == pytest.approx(2.0, abs=0.3)
    assert overall.rank_correlation.low is not None
    assert overall.rank_correlation.low > 0.3
    assert set(people.agreement) == {*CRITERIA, "overall"}
    # Overall is the mean of two criteria, each with noise of sd 0.7 and rounding.
    assert people.agreement["overall"].noise_sd == pytest.approx(0.54, abs=0.12)


def test_corrected_quality(crossed: Rated, analysis: Analysis) -> None:
    """The judge alone is two points too high; corrected, the intervals hold what the reports are worth."""
    people = analysis.people
    assert people is not None
    frameworks = people.judges[JUDGE].frameworks
    worth = {name: fmean(values) for name, values in crossed.quality.items()}
    for name, truth in worth.items():
        found = frameworks[name]
        assert found.reports == 24
        assert found.judge.value == pytest.approx(truth + 2, abs=0.4)
        for estimate in (found.people, found.corrected, found.tuned):
            assert estimate.low is not None
            assert estimate.high is not None
            assert estimate.low < truth < estimate.high
        assert found.weight is not None
        assert 0 < found.weight <= 1
    (difference,) = people.judges[JUDGE].differences
    assert (difference.a, difference.b) == ("a", "b")
    assert difference.tuned.low is not None
    assert difference.tuned.low < worth["a"] - worth["b"] < (difference.tuned.high or 0)


def test_no_people_alarm_on_a_good_judge(analysis: Analysis) -> None:
    """A judge that ranks as people do, and raters who agree, raise nothing of this kind."""
    ours = {"judge_against_people", "rated_not_random", "rater_inconsistent", "raters_disagree"}
    assert not ours & codes(analysis)
    assert ours <= set(ALARM_TITLES)


def test_numbers_are_finite_or_null(analysis: Analysis) -> None:
    """The JSON of the section is strict JSON and comes back as it went."""
    assert analysis.people is not None
    text = analysis.people.model_dump_json()
    json.loads(text, parse_constant=pytest.fail)
    assert type(analysis.people).model_validate_json(text) == analysis.people


def test_raters_have_no_names_in_the_report(tmp_path: Path) -> None:
    """Neither page nor JSON says who rated; who rated first is rater 1."""
    found = unrated(tmp_path)
    found.rate("Zoe Zander", found.records[0], 7, at="2026-01-03T00:00:00+00:00")
    found.rate("Ann Adler", found.records[1], 3, at="2026-01-04T00:00:00+00:00")
    analysis = found.analyse()
    assert analysis.people is not None
    assert analysis.people.raters["rater 1"].mean == 7
    for text in (render_html(analysis), analysis.model_dump_json()):
        assert "Zander" not in text
        assert "Adler" not in text


def test_section_of_the_report(analysis: Analysis) -> None:
    """The section has every table, each with rows, and the sentence on further ratings."""
    html = render_html(analysis)
    section = html[html.index('id="people"') : html.index('<section id="runs"')]
    tables = set(re.findall(r'<table id="table-([a-z0-9-]+)"', section))
    assert tables == {
        "judge-people", "calibration-1", "corrected-quality-1", "corrected-differences", "rating-plan",
        "rater-agreement", "raters",
    }  # fmt: skip
    assert "Nothing to show" not in section
    assert "nan" not in section.lower().replace("finance", "")
    assert "interval of a difference between two frameworks" in section


def test_ratings_that_do_not_count(tmp_path: Path) -> None:
    """Unknown, superseded and quarantined attempts, other rubrics and scores off the scale: left out, counted."""
    found = unrated(tmp_path, items=["x", "y"])
    used, late, *_ = found.records
    found.store.write_quarantine(
        Quarantine(
            run_id=late.key.run_id, attempt=1, attempt_id=late.attempt_id, code="late_calls", reasons=["r"]
        )
    )
    found.rate("Ann", used, 7)
    found.rate("Ben", used, 5)
    found.rate("Ann", late, 1)
    found.rate("Ann", run(attempt_id="nowhere"), 1)
    found.rate("Cid", used, 2, rubric="t/0")
    found.rate("Dora", used, {"accuracy": 11})
    found.rate("Eve", used, {})
    people = found.people()
    assert people.ratings == 2
    assert people.ignored == {NOT_USED: 1, UNKNOWN: 1, OTHER_RUBRIC: 1, NO_SCORES: 2}
    assert people.reports_rated == 1


def test_a_disturbed_runs_text_counts(tmp_path: Path) -> None:
    """A busy machine falsifies times, not texts: such a report's ratings count."""
    found = unrated(tmp_path)
    record = found.records[0]
    found.store.write_quarantine(
        Quarantine(
            run_id=record.key.run_id, attempt=1, attempt_id=record.attempt_id, code="disturbed", reasons=["r"]
        )
    )
    found.rate("Ann", record, 7)
    assert (found.people().ratings, found.people().ignored) == (1, {})


def test_one_rater_one_report(tmp_path: Path) -> None:
    """The least there can be: figures where they exist, reasons where they do not, and a page."""
    found = unrated(tmp_path)
    found.judge(found.records[0], 9)
    found.rate("Ann", found.records[0], 7)
    analysis = found.analyse()
    people = analysis.people
    assert people is not None
    against = people.judges[JUDGE]
    assert against.criteria["overall"].bias.value == 2
    assert against.criteria["overall"].rank_correlation.reason == "fewer than 3 reports"
    assert against.frameworks["a"].tuned.reason == "1 rated, 10 needed"
    assert against.frameworks["a"].people.value == 7
    assert against.plan_reason == "1 rated report, 10 needed"
    assert people.agreement["overall"].alpha.reason == "no report has two raters"
    assert people.raters["rater 1"].leniency is None
    assert 'id="people"' in render_html(analysis)


def test_all_scores_equal(tmp_path: Path) -> None:
    """Raters and judge who give one score to everything: no alpha, no ranks, no NaN."""
    found = unrated(tmp_path, items=[f"i{n}" for n in range(12)])
    for record in found.records:
        found.judge(record, 8)
        for rater in ("Ann", "Ben"):
            found.rate(rater, record, 8)
    people = found.people()
    assert people.agreement["overall"].alpha.reason == "all scores are equal"
    assert people.judges[JUDGE].criteria["overall"].rank_correlation.value is None
    tuned = people.judges[JUDGE].frameworks["a"].tuned
    assert (tuned.value, tuned.low, tuned.high) == (8, 8, 8)
    json.loads(people.model_dump_json(), parse_constant=pytest.fail)


def test_preferences_alone(tmp_path: Path) -> None:
    """People who only compared: shares and agreement with the judge's comparisons, and no score tables."""
    found = unrated(tmp_path)
    a, b = found.records
    found.prefer(a, b, "first")
    found.prefer(b, a, "second", rater="Ben")
    found.compare(a, b, "first")
    analysis = found.analyse()
    people = analysis.people
    assert people is not None
    assert (people.ratings, people.raters) == (0, {})
    assert (people.preferences["a"].wins, people.preferences["b"].wins) == (2, 0)
    assert (people.comparisons[JUDGE].pairs, people.comparisons[JUDGE].agree) == (1, 1)
    html = render_html(analysis)
    assert 'id="table-preferences"' in html
    assert 'id="table-comparisons-people"' in html
    assert 'id="table-raters"' not in html


def test_same_text_is_one_report(tmp_path: Path) -> None:
    """Copies are rated once for all; a copy shown later is the rater's second showing."""
    found = unrated(tmp_path, iterations=3, copies=True)
    first, second, *_ = found.records
    for record in found.records:
        found.judge(record, 8)
    found.rate("Ann", first, 6)
    found.rate("Ann", second, 4, at="2026-01-04T00:00:00+00:00")
    people = found.people()
    assert people.reports_rated == 1
    assert (people.raters["rater 1"].repeats, people.raters["rater 1"].repeat_difference) == (1, 2.0)
    a = people.judges[JUDGE].frameworks["a"]
    assert (a.reports, a.rated, a.people.value) == (1, 1, 6)


def test_a_rater_who_does_not_agree_with_himself(tmp_path: Path) -> None:
    """Three points apart on repeated showings is flagged; half a point is not."""
    found = unrated(tmp_path, items=["x", "y", "z"])
    for record in found.records:
        found.rate("Ann", record, 5)
        found.rate("Ann", record, 8, showing=2)
        found.rate("Ben", record, {"completeness": 5, "accuracy": 6})
        found.rate("Ben", record, {"completeness": 5, "accuracy": 5}, showing=2)
    analysis = found.analyse()
    assert analysis.people is not None
    raters = analysis.people.raters
    assert [(r.repeats, r.repeat_difference, r.inconsistent) for r in raters.values()] == [
        (6, 3.0, True),
        (6, 0.5, False),
    ]
    (alarm,) = (alarm for alarm in analysis.alarms if alarm.code == "rater_inconsistent")
    assert alarm.evidence["raters"] == {"rater 1": 3.0}


def test_a_judge_that_people_contradict(tmp_path: Path) -> None:
    """A judge whose ranks are noise to people is an alarm, given enough ratings."""
    found = rated(tmp_path, frameworks={"a": 6.0, "b": 6.0}, raters={"Ann": 0.0}, judge_sd=30)
    (alarm,) = (alarm for alarm in found.analyse().alarms if alarm.code == "judge_against_people")
    assert alarm.severity == "high"
    assert alarm.evidence["reports"] == 48


def test_one_frameworks_reports_alone_were_rated(tmp_path: Path) -> None:
    """All ratings on one framework: said aloud, and the other one is refused with a reason."""
    found = rated(tmp_path, frameworks={"a": 6.0, "b": 5.0}, raters={"Ann": 0.0}, share=0.0)
    for record in found.records[:20]:
        found.rate("Ann", record, 6 if record.key.iteration == 1 else 5)
    analysis = found.analyse()
    (alarm,) = (alarm for alarm in analysis.alarms if alarm.code == "rated_not_random")
    assert "between frameworks" in alarm.text
    assert analysis.people is not None
    assert analysis.people.judges[JUDGE].frameworks["b"].tuned.reason == "0 rated, 10 needed"


def test_few_items(tmp_path: Path) -> None:
    """Reports are the unit where fewer than five items have ratings, and the report says what that means."""
    found = rated(tmp_path, frameworks={"a": 6.0, "b": 5.0}, raters={"Ann": 0.0}, items=3, iterations=5)
    analysis = found.analyse()
    assert analysis.people is not None
    against = analysis.people.judges[JUDGE]
    assert against.scope == "these_items"
    assert against.frameworks["a"].tuned.low is not None
    assert "the intervals hold for these items only" in render_html(analysis)


def test_leniency_is_taken_off_where_the_design_allows(tmp_path: Path) -> None:
    """Raters who each rated a part, with enough in common: a report's score does not depend on who rated it."""
    found = unrated(tmp_path, frameworks=["a"], items=[f"i{n:02}" for n in range(15)])
    for place, record in enumerate(found.records):
        quality = 3 + place % 4
        if place < 10:
            found.rate("Ann", record, quality + 2)
        if place >= 5:
            found.rate("Ben", record, quality)
        found.judge(record, quality)
    people = found.people()
    assert people.treatment == "leniency_removed"
    assert people.raters["rater 1"].leniency == pytest.approx(2)
    assert people.agreement["overall"].noise_sd == pytest.approx(0, abs=1e-6)
    bias = people.judges[JUDGE].criteria["overall"].bias
    assert (bias.value, bias.low, bias.high) == pytest.approx((-1, -1, -1))


def test_raters_without_enough_in_common(tmp_path: Path) -> None:
    """With fewer than five shared reports the plain mean is kept, and the reason is said."""
    found = unrated(tmp_path, frameworks=["a"], items=[f"i{n:02}" for n in range(15)])
    for place, record in enumerate(found.records):
        found.rate("Ann" if place < 8 else "Ben", record, 5)
    found.rate("Ben", found.records[0], 7)
    people = found.people()
    assert people.treatment == "mean"
    assert people.treatment_reason.startswith("a rater shares 1 report")


def test_records_that_cannot_be_read(tmp_path: Path) -> None:
    """A spoilt rating costs the section, not the report, and the reader is told which file."""
    found = unrated(tmp_path)
    found.rate("Ann", found.records[0], 7)
    (path,) = tmp_path.glob("ratings/*/*.json")
    path.write_text(path.read_text().replace("7", "8"))
    analysis = found.analyse()
    assert analysis.people is not None
    assert path.name in (analysis.people.problem or "")
    assert "could not be read" in render_html(analysis)


def test_names_are_text(tmp_path: Path) -> None:
    """Markup in a judge's name is shown, not carried out."""
    found = unrated(tmp_path)
    found.judge(found.records[0], 8, judge="<script>alert(1)</script>")
    found.rate("Ann", found.records[0], 7)
    html = render_html(found.analyse())
    assert "<script>alert(1)" not in html
    assert "&lt;script&gt;alert(1)" in html


SCORES = st.integers(1, 10).map(float)
FEW_REPORTS = st.integers(0, 7)


@settings(max_examples=25, deadline=None)
@given(
    ratings=st.dictionaries(
        st.tuples(st.integers(1, 3), FEW_REPORTS, st.integers(1, 2)), st.tuples(SCORES, SCORES), max_size=30
    ),
    verdicts=st.dictionaries(FEW_REPORTS, SCORES, max_size=8),
    items=st.lists(st.sampled_from("stuvwxyz"), min_size=8, max_size=8),
)
def test_whatever_was_rated(
    ratings: dict[tuple[int, int, int], tuple[float, float]], verdicts: dict[int, float], items: list[str]
) -> None:
    """Any set of ratings and verdicts gives figures that are finite or null, and never an error."""
    reports = pd.DataFrame(
        {
            "subject": ["a", "b"] * 4, "report": [f"t/{n}" for n in range(8)], "item": items,
            "twin": False, "copies": [1, 2] * 4,
        }
    )  # fmt: skip
    shown: dict[tuple[int, int], int] = {}
    rows = []
    for (rater, report, _), (first, second) in sorted(ratings.items()):
        shown[rater, report] = shown.get((rater, report), 0) + 1
        rows.append(
            (f"rater {rater}", f"t/{report}", shown[rater, report], 1.0, first, second, (first + second) / 2)
        )
    judged = [("j", f"t/{report}", score, score) for report, score in verdicts.items()]
    found = tell(
        Opinions(
            reports=reports,
            ratings=pd.DataFrame(
                rows, columns=["rater", "report", "showing", "seconds", *CRITERIA, "overall"]
            ),
            verdicts=pd.DataFrame(judged, columns=["judge", "report", CRITERIA[0], "overall"]),
            preferences=[],
            comparisons={},
            subjects={},
            ignored={},
        )
    )
    text = found.model_dump_json()
    json.loads(text, parse_constant=pytest.fail)
    assert type(found).model_validate_json(text) == found
