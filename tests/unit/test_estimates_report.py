"""What the report and the first screen make of the paired tests, and how they stand bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.analyse import analyse
from analysis.estimates.family import compare_family
from analysis.estimates.figure import draw_forest
from analysis.estimates.pair_tables import reference_table
from analysis.estimates.tables import groups_table, standings_table
from analysis.read_runs import read_runs
from analysis.render import render_html
from analysis.result import Analysis
from tests.unit.analysis_rows import PUBLISHED, analyse_rows, clean_rows, write_rows

FOUR = ("autogen", "crewai", "direct", "langgraph")


@pytest.fixture(scope="module")
def published() -> Analysis:
    return analyse(read_runs(PUBLISHED))


def with_means(quality: dict[str, float], arm: str = "idiomatic", items: int = 6) -> list[dict[str, Any]]:
    """Rows whose quality differs by framework and, a little and not alike, by item."""
    rows = clean_rows(tuple(quality), items=tuple(f"item{number}" for number in range(items)))
    for row in rows:
        row["arm"] = arm
        wobble = 0.01 * ((row["position"] * 7) % 11)
        row["overall"] = quality[row["framework"]] + wobble
        row["report_digest"] += arm
    return rows


def test_published_pairs_cannot_be_told_apart(published: Analysis) -> None:
    """Three items: no p below a quarter, no groups, nobody beaten, no chance of being best, and all of that said."""
    found = published.estimates["quality"]
    (family,) = found.families
    assert (family.decided_by, family.smallest_p, family.pairs, family.n_items) == ("none", 0.25, 10, 3)
    assert found.groups == []
    assert all(
        pair.shown is None and pair.p_wilcoxon is not None and pair.p_wilcoxon >= 0.25 for pair in found.pairs
    )
    assert all(s.unbeaten and s.probability is None for s in found.best.values())
    assert any(
        "with 3 items no signed-rank p below 0.25 is possible" in line for line in published.summary.certainty
    )


def test_published_friedman_by_counting(published: Analysis) -> None:
    """The chi-squared p of .074 is coarse: of the 14,400 orders 4.5 % part the ranks as far, and that is said."""
    counted = published.omnibus["quality"].friedman_permutation
    assert counted.p == pytest.approx(655 / 14_400)
    assert "14,400" in (counted.reason or "")
    assert any("Friedman's p is 0.045" in line for line in published.summary.cannot_conclude)


def test_published_headline_ranks_nobody(published: Analysis) -> None:
    """No framework is called best, fastest or slowest, and the classic pair is marked as deciding nothing."""
    headline = published.summary.headline
    assert "highest" not in headline
    assert "fastest" not in headline
    assert "3 items are too few to tell any two frameworks apart" in headline
    assert any(
        line.endswith("It decides nothing here.") and "r = 0.855" in line
        for line in published.summary.learned
    )


def test_tokens_have_the_classic_tests_too(published: Analysis) -> None:
    """Tokens are tested like quality and latency."""
    assert published.omnibus["tokens"].kruskal_wallis.p == pytest.approx(3e-8, rel=0.2)
    assert len([pair for pair in published.pairs if pair.metric == "tokens"]) == 10


def test_noise_ranks_nobody(tmp_path: Path) -> None:
    """Where nothing differs, no sentence of the first screen calls anybody better, and all share one group."""
    analysis = analyse_rows(tmp_path, clean_rows(items=tuple("abcdefghij")))
    assert [g.letter for g in analysis.estimates["quality"].groups] == ["a"]
    text = " ".join([analysis.summary.headline, *analysis.summary.learned])
    for word in ("scores highest", "is fastest", "uses fewest", " above "):
        assert word not in text
    assert "None of the 6 pairs of frameworks is told apart in quality" in text


def test_a_real_difference_is_said_with_its_interval(tmp_path: Path) -> None:
    """One framework two points better is first on the first screen, with the difference and its interval."""
    analysis = analyse_rows(tmp_path, with_means({"autogen": 5, "crewai": 7, "langgraph": 5}))
    assert "Quality differs: CrewAI scores highest" in analysis.summary.headline
    assert "lowest" not in analysis.summary.headline
    told = next(line for line in analysis.summary.learned if "told apart in quality" in line)
    assert told.startswith("2 of 3 pairs are told apart in quality item by item (paired t, Holm)")
    assert "95 % interval" in told
    (equal,) = [line for line in analysis.summary.learned if line.startswith("Shown equal in quality")]
    assert equal == "Shown equal in quality to within 0.50 points (TOST, Holm): LangGraph and AutoGen."


def test_arms_are_never_compared_with_each_other(tmp_path: Path) -> None:
    """With two arms every pair, group and test stays in one, and the first screen speaks of the idiomatic one."""
    rows = [
        *with_means({"autogen": 5, "crewai": 7, "langgraph": 5.2}),
        *with_means({"autogen": 9, "crewai": 9, "langgraph": 9}, arm="equalised"),
    ]
    analysis = analyse_rows(tmp_path, rows)
    alone = analyse_rows(tmp_path / "alone", rows[: len(rows) // 2])
    for pair in [*analysis.pairs, *analysis.estimates["quality"].pairs]:
        assert pair.a.partition("[")[2] == pair.b.partition("[")[2]
    assert [f.arm for f in analysis.estimates["quality"].families] == ["idiomatic", "equalised"]
    assert [p.p_t for p in analysis.estimates["quality"].pairs[:3]] == [
        p.p_t for p in alone.estimates["quality"].pairs
    ]
    assert analysis.omnibus["quality"] == alone.omnibus["quality"]
    assert analysis.summary.headline == alone.summary.headline
    assert "CrewAI scores highest (7." in analysis.summary.headline
    assert [place.quality for place in analysis.ranking] == [1, 2, 3, 1, 2, 3]
    assert "Where no arm is named, what follows is of the idiomatic arm." in analysis.summary.compared


def test_a_second_name_is_in_no_pair(tmp_path: Path) -> None:
    """The noise floor's second name stands beside the differences and is compared with nobody."""
    rows = with_means({"crewai": 5, "langgraph": 6})
    rows += [dict(row, framework="crewai-aa") for row in rows if row["framework"] == "crewai"]
    found = analyse_rows(tmp_path, rows).estimates["quality"]
    assert [(p.a, p.b) for p in found.pairs] == [("crewai", "langgraph")]
    assert found.families[0].noise == 0


def test_tables_and_figure_show_the_same(tmp_path: Path) -> None:
    """Letters, differences to the floor, interval and margin of the tables are those of the figure."""
    analysis = analyse_rows(tmp_path, with_means({"autogen": 5, "crewai": 7, "direct": 5}))
    standings = {row[0].text: row[1].text for row in standings_table(analysis).rows}
    assert standings["CrewAI"].endswith(" a")
    assert standings["AutoGen"].endswith(" b")
    groups = groups_table(analysis)
    assert groups is not None
    assert [row[3].text for row in groups.rows if row[0].text == "Quality"] == ["alone", "shown equal"]
    figure, table = draw_forest(analysis, "quality"), reference_table(analysis, "quality")
    assert figure is not None
    assert table is not None
    drawn = {trace["y"][0]: trace["x"][0] for trace in figure.content["data"]}
    assert {row[0].text: row[2].text for row in table.rows} == {n: f"{x:.2f}" for n, x in drawn.items()}
    assert {row[1].text for row in table.rows} == {"No framework (direct)"}
    band = next(shape for shape in figure.content["layout"]["shapes"] if shape["type"] == "rect")
    assert (band["x0"], band["x1"]) == (-0.5, 0.5)


@pytest.mark.parametrize(
    ("rows", "families"),
    [
        (clean_rows(("crewai",)), 0),
        (clean_rows(FOUR, items=("only",), iterations=1), 1),
        ([dict(row, overall="", latency_s="inf") for row in clean_rows()], 0),
        ([dict(row, status="failed") for row in clean_rows()], 0),
        ([dict(row, overall=8.0, report_digest=row["item"]) for row in clean_rows()], 1),
    ],
    ids=["one framework", "one item, one run", "no scores", "all failed", "all identical"],
)
def test_bad_input(tmp_path: Path, rows: list[dict[str, Any]], families: int) -> None:
    """Whatever is missing, the report is made and claims no difference in quality."""
    analysis = analyse(read_runs(write_rows(tmp_path, rows)))
    found = analysis.estimates["quality"]
    assert len(found.families) == families
    assert not any(pair.shown for pair in found.pairs)
    assert "scores highest" not in analysis.summary.headline
    page = render_html(analysis)
    assert "nan" not in page.split('<section id="differences"')[-1].split("</section>")[0].lower().replace(
        "finance", ""
    )
    analysis.model_dump_json()


def test_all_identical_are_shown_equal(tmp_path: Path) -> None:
    """The same score everywhere is equality within the margin, and one group says so."""
    rows = [dict(row, overall=8.0) for row in clean_rows()]
    (group,) = analyse_rows(tmp_path, rows).estimates["quality"].groups
    assert group.equal_shown


def test_names_with_markup_stay_text(tmp_path: Path) -> None:
    """A framework called like a tag is text in tables, captions and figures."""
    rows = with_means({"<img src=x onerror=alert(1)>": 5, "crewai": 7})
    page = render_html(analyse_rows(tmp_path, rows))
    assert "<img src=x" not in page


def test_two_hundred_frameworks() -> None:
    """19,900 pairs are all there, Holm counts them all, and the sign flips are left out and said to be."""
    names = [f"f{number:03}" for number in range(200)]
    means = pd.DataFrame(np.random.default_rng(1).normal(size=(6, 200)), columns=names)
    found = compare_family("tokens", None, means, margin=1.0, noise=None, floor=None)
    assert found is not None
    assert len(found.pairs) == found.family.pairs == 19_900
    assert found.family.sign_flips == "left_out"
    surest = min(found.pairs, key=lambda p: p.p_t or 1)
    assert surest.p_t_holm == pytest.approx(min(1.0, (surest.p_t or 1) * 19_900))
    assert sum(standing.probability or 0 for standing in found.best.values()) == pytest.approx(1)
