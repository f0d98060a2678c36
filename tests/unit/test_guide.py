"""The decision guide: it names a framework where one is truly better, and nobody where none is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from analysis.guide.examine import guide_from, make_guide
from analysis.guide.maturity import read_maturity
from analysis.guide.priorities import PRIORITIES
from analysis.guide.result import Guide, MaturityFacts
from analysis.guide.weigh import critical_t, item_draws, weigh
from analysis.read_runs import read_runs
from analysis.report import write_report
from cluster.runs_csv import write_runs_csv
from shared.maturity import MATURITY_FILE
from tests.unit.analysis_rows import PUBLISHED, clean_rows, write_rows
from tests.unit.guide_experiment import facts_of, guide_of, made_rows, maturity_of, priority
from tests.unit.measured_experiment import stored_experiment

MEASURED = ("raw_speed", "token_cost", "quality", "consistent_output", "stability", "own_weights")


def test_published_runs_have_too_few_items() -> None:
    """Three companies carry no choice: whatever was measured says so, and nothing has a probability."""
    guide = make_guide(read_runs(PUBLISHED))
    assert guide.arm is None
    for name in MEASURED:
        each = priority(guide, name)
        assert (each.certainty, each.choice, each.n_items) == ("too_few_items", None, 3)
        assert each.probability_best == {}
        assert "3 items" in each.says
    assert priority(guide, "fast_prototype").certainty == "not_measured"
    assert guide.weighing is None


def test_published_means_are_the_evidence() -> None:
    """The figures beside the priorities are the published means of the nine runs, three on each item."""
    guide = make_guide(read_runs(PUBLISHED))
    values = priority(guide, "token_cost").evidence[0].values
    assert values["msagent"] == pytest.approx(7005.67, abs=0.01)
    assert values["crewai"] == pytest.approx(27684.0, abs=0.01)


def test_one_that_is_truly_best_is_named(tmp_path: Path) -> None:
    """A framework that takes a third less on every item is the choice for speed and tokens, and only there."""
    guide = guide_of(tmp_path, made_rows(1, n_items=8, factor={"autogen": 1.5, "langgraph": 1.4}))
    for name in ("raw_speed", "token_cost"):
        each = priority(guide, name)
        assert (each.choice, each.candidates, each.certainty) == ("crewai", ["crewai"], "shown")
        assert each.probability_best["crewai"] >= 0.9
        assert each.margin is not None
        assert (each.margin.leader, each.margin.rival) == ("crewai", "langgraph")
        assert each.margin.low < 1.4 < each.margin.high
    assert priority(guide, "quality").choice is None


def test_equals_are_not_ranked(tmp_path: Path) -> None:
    """Two that are alike and better than a third: no choice, and just the two are left."""
    guide = guide_of(tmp_path, made_rows(3, n_items=10, factor={"autogen": 2.0}))
    each = priority(guide, "raw_speed")
    assert each.certainty == "no_difference_shown"
    assert each.choice is None
    assert sorted(each.candidates) == ["crewai", "langgraph"]
    assert each.says.startswith("No difference shown between ")


@pytest.mark.parametrize(("n_items", "n_frameworks"), [(5, 2), (5, 5), (12, 2), (12, 5)])
def test_equals_are_seldom_named(n_items: int, n_frameworks: int) -> None:
    """Of 1,000 experiments in which all are equal, at most 5 % (and the chance of counting) name somebody."""
    noise = np.random.default_rng(n_items * n_frameworks)
    draws = item_draws(n_items)
    scores = noise.normal(size=(1_000, n_items, n_frameworks)) + noise.normal(size=(1_000, n_items, 1)) * 5
    named = sum(weigh(each, draws, None).chosen for each in scores)
    assert named / 1_000 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1_000)


def test_the_best_is_seldom_lost() -> None:
    """Where one is truly best, it is among the candidates in at least 95 % of 1,000 experiments, less chance."""
    noise = np.random.default_rng(5)
    draws = item_draws(6)
    scores = noise.normal(size=(1_000, 6, 4)) + np.array([0.0, 0.3, 0.3, 0.3])
    kept = sum(0 in weigh(each, draws, None).candidates for each in scores)
    assert kept / 1_000 >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / 1_000)


def test_critical_t_is_the_textbook_value() -> None:
    """On five items: Student's t with 4 degrees of freedom is 2.776 at 97.5 %, and 3.495 at 98.75 %."""
    assert critical_t(5, 2) == pytest.approx([2.776], abs=0.001)
    assert critical_t(5, 3) == pytest.approx([3.495, 2.776], abs=0.001)


def test_nothing_within_the_noise_floor_is_named() -> None:
    """A difference that is the same on every item still names nobody when a framework differs as much itself."""
    scores = np.array([[0.0, 10.0]] * 6) + np.arange(6)[:, np.newaxis]
    assert weigh(scores, item_draws(6), 9.0).chosen
    assert not weigh(scores, item_draws(6), 11.0).chosen


def test_ties_share_the_probability(tmp_path: Path) -> None:
    """All runs completed and all texts new: every framework is best alike, and none is chosen."""
    guide = guide_of(tmp_path, clean_rows())
    for name in ("stability", "consistent_output"):
        each = priority(guide, name)
        assert each.choice is None
        assert each.probability_best == pytest.approx(dict.fromkeys(each.candidates, 1 / 3))


def test_floor_twins_and_dry_never_compete(tmp_path: Path) -> None:
    """The floor is shown for comparison alone; a second name and the scripted framework appear nowhere."""
    names = ("crewai", "direct", "langgraph", "langgraph-aa", "scripted")
    guide = guide_of(tmp_path, made_rows(2, frameworks=names, factor={"direct": 0.2, "scripted": 0.01}))
    assert guide.compared == ["crewai", "langgraph"]
    each = priority(guide, "raw_speed")
    assert set(each.probability_best) == {"crewai", "langgraph"}
    assert each.margin is not None
    assert each.margin.noise is not None
    assert each.margin.noise > 1
    assert each.evidence[0].floor is not None
    assert each.evidence[0].floor < min(filter(None, each.evidence[0].values.values()))


def test_frameworks_compete_in_the_idiomatic_arm(tmp_path: Path) -> None:
    """Runs of the equalised arm change nothing."""
    rows = made_rows(1, factor={"autogen": 1.5, "langgraph": 1.5})
    equal = [row | {"arm": "equalised", "latency_s": 1.0} for row in rows if row["framework"] == "autogen"]
    guide = guide_of(tmp_path, rows + equal)
    assert guide.arm == "idiomatic"
    assert priority(guide, "raw_speed").choice == "crewai"


def test_failures_count_against_stability(tmp_path: Path) -> None:
    """Two that fail every other run on each item leave the third as the stable one."""
    rows = made_rows(4, n_items=8)
    for row in rows:
        if row["framework"] != "langgraph" and row["iteration"] == 1:
            row["status"] = "failed"
    each = priority(guide_of(tmp_path, rows), "stability")
    assert (each.choice, each.certainty) == ("langgraph", "shown")
    assert each.evidence[0].values["crewai"] == pytest.approx(3 / 2)


def test_releases_part_those_whom_no_run_parts(tmp_path: Path) -> None:
    """All complete everything; below 1.0 and a declared beta drop out, and what is left is named by facts."""
    facts = {"autogen": facts_of("0.7.5"), "crewai": facts_of(status="Beta"), "langgraph": facts_of()}
    each = priority(guide_of(tmp_path, clean_rows(), facts), "stability")
    assert (each.choice, each.certainty, each.candidates) == ("langgraph", "by_facts", ["langgraph"])
    assert "thing 0.7.5 is below 1.0" in each.says
    assert "thing 1.2.0 is declared Beta" in each.says


def test_releases_of_all_must_be_known(tmp_path: Path) -> None:
    """Where one candidate has no facts, the others' releases exclude nobody."""
    facts = {"autogen": facts_of("0.7.5"), "langgraph": facts_of()}
    each = priority(guide_of(tmp_path, clean_rows(), facts), "stability")
    assert each.choice is None
    assert len(each.candidates) == 3


def test_prototype_rests_on_facts_and_start(tmp_path: Path) -> None:
    """The one that is small, brings little and starts as quickly as the others is named."""
    facts = {
        "autogen": facts_of(megabytes=50, dependencies=25),
        "crewai": facts_of(megabytes=800, dependencies=130),
        "langgraph": facts_of(megabytes=30, dependencies=10),
    }
    each = priority(guide_of(tmp_path, clean_rows(), facts), "fast_prototype")
    assert each.choice == "langgraph"
    # Start alike, 50/30 of the size, 26/11 of the packages: the mean of three ratios.
    assert each.margin is not None
    assert each.margin.ratio == pytest.approx((50 / 30 * 26 / 11) ** (1 / 3), rel=1e-3)


def test_ecosystem_is_said_to_be_unmeasured(tmp_path: Path) -> None:
    """No figure stands for an ecosystem, so no score is invented for it."""
    each = priority(guide_of(tmp_path, clean_rows()), "ecosystem")
    assert (each.certainty, each.choice, each.evidence) == ("not_measured", None, [])


def test_one_who_hardly_ever_completes_is_left_out(tmp_path: Path) -> None:
    """A framework with one completed item neither competes nor takes the others' items away."""
    rows = made_rows(5, n_items=8, factor={"crewai": 2.0})
    for row in rows:
        if row["framework"] == "autogen" and row["item"] != "item-0":
            row["status"] = "failed"
    each = priority(guide_of(tmp_path, rows), "raw_speed")
    assert each.n_items == 8
    assert each.choice == "langgraph"
    assert "autogen" in each.left_out


@pytest.mark.parametrize("spoilt", ["", "nan", "inf", "-3"])
def test_useless_figures_are_no_figures(tmp_path: Path, spoilt: str) -> None:
    """Latencies that are missing, not finite or negative leave speed unmeasured and the rest as it is."""
    rows = [row | {"latency_s": spoilt} for row in made_rows(1, factor={"autogen": 1.5, "langgraph": 1.5})]
    guide = guide_of(tmp_path, rows)
    assert priority(guide, "raw_speed").certainty == "not_measured"
    assert priority(guide, "token_cost").choice == "crewai"
    assert json.loads(guide.model_dump_json())


@pytest.mark.parametrize("frameworks", [("langgraph",), ("direct",), ("direct", "langgraph")])
def test_nothing_to_choose_between(tmp_path: Path, frameworks: tuple[str, ...]) -> None:
    """With one framework or none there is no choice, and that is said."""
    guide = guide_of(tmp_path, made_rows(1, frameworks=frameworks))
    assert {each.choice for each in guide.priorities} == {None}
    assert guide.weighing is None
    assert len(guide.priorities) == len(PRIORITIES) + 1


def test_all_failed(tmp_path: Path) -> None:
    """Without a completed run nothing competes."""
    guide = guide_of(tmp_path, [row | {"status": "failed"} for row in clean_rows()])
    assert guide.compared == []
    assert {each.certainty for each in guide.priorities} == {"not_measured"}


def test_names_with_markup_are_escaped(tmp_path: Path) -> None:
    """A framework's name is text in the page, in the tables as in the data of the script."""
    nasty = "</script><script>alert(1)</script>"
    rows = made_rows(1, frameworks=(nasty, "crewai"), factor={nasty: 0.3})
    report, analysis = write_report(write_rows(tmp_path, rows))
    assert priority(analysis.guide, "raw_speed").choice == nasty
    assert nasty not in report.read_text(encoding="utf-8")


def test_two_hundred_frameworks(tmp_path: Path) -> None:
    """Many frameworks give a choice where there is one, and a small page."""
    names = tuple(f"f{number:03}" for number in range(200))
    runs = read_runs(write_rows(tmp_path, made_rows(1, frameworks=names, factor={"f007": 0.2})))
    guide = guide_from(runs, MaturityFacts())
    assert priority(guide, "raw_speed").choice == "f007"
    assert guide.weighing is not None
    assert len(guide.weighing.model_dump_json()) < 300_000


def test_facts_of_another_version_are_left_out(tmp_path: Path) -> None:
    """Only facts on what was measured count: another version is named in a note and has no figures."""
    facts = {"langgraph": facts_of("1.0", name="langgraph"), "crewai": facts_of("9.9", name="crewai")}
    (tmp_path / MATURITY_FILE).write_text(maturity_of(facts).model_dump_json(), encoding="utf-8")
    found = read_maturity(tmp_path, {"langgraph": {"langgraph": "1.0"}, "crewai": {"crewai": "1.0"}})
    assert list(found.frameworks) == ["langgraph"]
    assert found.notes == ["The facts on crewai are left out: they are of crewai 9.9, and 1.0 was measured."]


@pytest.mark.parametrize("content", ["", "[]", '{"gathered_at": 3}', "\x00"])
def test_spoilt_facts_cost_a_note(tmp_path: Path, content: str) -> None:
    """A file that is not what it should be never costs the report."""
    (tmp_path / MATURITY_FILE).write_text(content, encoding="utf-8")
    found = read_maturity(tmp_path, {})
    assert found.frameworks == {}
    assert len(found.notes) == 1


def test_report_shows_the_facts_with_their_date(tmp_path: Path) -> None:
    """What a folder's maturity.json holds is in the page and in the JSON, with the day it was gathered."""
    store = stored_experiment(tmp_path / "x")
    write_runs_csv(store)
    facts = {name: facts_of("1.0", name=name, licence="BSD-3") for name in ("langgraph", "crewai")}
    (store.folder / MATURITY_FILE).write_text(maturity_of(facts).model_dump_json(), encoding="utf-8")
    report, analysis = write_report(store.folder)
    page = report.read_text(encoding="utf-8")
    assert "package metadata of 2026-03-04" in page
    assert "BSD-3" in page
    assert page.index('id="headline"') < page.index('id="guide"') < page.index('id="quality"')
    content = json.loads(analysis.model_dump_json())["guide"]
    assert content["maturity"]["frameworks"]["crewai"]["distributions"][0]["licence"] == "BSD-3"
    assert {"name", "choice", "candidates", "certainty", "evidence"} <= set(content["priorities"][0])


def test_own_weights_are_what_the_sliders_say(tmp_path: Path) -> None:
    """The static row is what the page's data give with the sliders as they stand, and other weights change it."""
    guide = guide_of(tmp_path, made_rows(1, n_items=8, factor={"autogen": 1.5, "langgraph": 1.4}))
    own, weighing = priority(guide, "own_weights"), guide.weighing
    assert weighing is not None
    at_first = probabilities(guide, [each.weight for each in weighing.metrics])
    assert at_first == pytest.approx(own.probability_best)
    names = [each.metric for each in weighing.metrics]
    other = probabilities(guide, [10 if name == "quality" else 0 for name in names])
    assert other == pytest.approx(priority(guide, "quality").probability_best)
    assert other != pytest.approx(at_first)


def probabilities(guide: Guide, weights: list[int]) -> dict[str, float]:
    weighing = guide.weighing
    assert weighing is not None
    scores = np.tensordot(np.array(weighing.logs), np.array(weights), axes=(1, 0))
    found = weigh(scores, np.array(weighing.draws), None)
    return dict(zip(weighing.frameworks, map(float, found.probability), strict=True))
