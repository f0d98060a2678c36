"""The difference of two frameworks adds up, is paired by item, and stands beside the noise floor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.result import Analysis
from analysis.wire_result import Difference
from tests.unit.analysis_rows import analyse_rows, clean_rows

STAGES = ("model_s", "tool_s", "gateway_s", "framework_s")


def difference(analysis: Analysis, a: str, b: str, metric: str = "latency_s") -> Difference:
    (found,) = [d for d in analysis.differences if (d.a, d.b, d.metric) == (a, b, metric)]
    return found


def two_arms(frameworks: tuple[str, ...] = ("crewai", "langgraph"), **kept: Any) -> list[dict[str, Any]]:
    rows = clean_rows(frameworks, **kept)
    equalised = [dict(row, arm="equalised", report_digest=f"e{row['report_digest']}") for row in rows]
    return [*rows, *equalised]


def timed(row: dict[str, Any], model_s: float, framework_s: float) -> None:
    """Give a row a latency that its stages add up to."""
    row.update(
        model_s=model_s, prefill_s=0.0, decode_s=model_s, framework_s=framework_s, tool_s=0.1, gateway_s=0.01
    )
    row["latency_s"] = model_s + framework_s + 0.11


def test_split_by_hand(tmp_path: Path) -> None:
    """5 s apart in the idiomatic arm and 1 s in the equalised: 1 s is the framework, 4 s the pattern."""
    rows = two_arms()
    for row in rows:
        own = 1.5 if row["framework"] == "crewai" else 0.5
        more = 4.0 if (row["framework"], row["arm"]) == ("crewai", "idiomatic") else 0.0
        timed(row, 10.0 + more, own)
    d = difference(analyse_rows(tmp_path, rows), "crewai", "langgraph")
    assert (d.arm, d.n_items) == ("idiomatic", 6)
    assert (d.total, d.framework, d.pattern) == pytest.approx((5.0, 1.0, 4.0))
    assert (d.model_s, d.tool_s, d.gateway_s, d.framework_s) == pytest.approx((4.0, 0.0, 0.0, 1.0))
    assert d.total_interval is not None
    assert (d.total_interval.low, d.total_interval.high) == pytest.approx((5.0, 5.0))


def test_a_missing_cell_favours_nobody(tmp_path: Path) -> None:
    """A framework that lacks the slowest item is compared on the items that both have."""
    rows = clean_rows(("crewai", "langgraph"), iterations=1)
    for row in rows:
        timed(row, 100.0 if row["item"] == "Alpha" else 10.0, 0.5 if row["framework"] == "crewai" else 0.2)
    kept = [row for row in rows if (row["framework"], row["item"]) != ("crewai", "Alpha")]
    analysis = analyse_rows(tmp_path, kept)
    d = difference(analysis, "crewai", "langgraph")
    assert (d.n_items, d.total) == (5, pytest.approx(0.3))
    assert analysis.frameworks["crewai"].latency_s < analysis.frameworks["langgraph"].latency_s


def test_both_arms_on_the_same_items(tmp_path: Path) -> None:
    """An item without its equalised runs takes no part in the split, so pattern and framework add up."""
    rows = two_arms(iterations=1)
    for number, row in enumerate(rows):
        timed(row, 10.0 + number, 0.5)
    rows = [row for row in rows if (row["arm"], row["item"]) != ("equalised", "Beta")]
    d = difference(analyse_rows(tmp_path, rows), "crewai", "langgraph")
    assert d.n_items == 5
    assert d.pattern + d.framework == pytest.approx(d.total, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(
    times=st.lists(
        st.tuples(st.floats(0.01, 1e4), st.floats(0.0, 1e3), st.booleans()), min_size=24, max_size=24
    )
)
def test_always_adds_up(
    tmp_path_factory: pytest.TempPathFactory, times: list[tuple[float, float, bool]]
) -> None:
    """Whatever the times and whichever runs are missing, both splits add up to the total."""
    rows = two_arms(iterations=1)
    for row, (model_s, framework_s, _) in zip(rows, times, strict=True):
        timed(row, model_s, framework_s)
    kept = [row for row, (_, _, there) in zip(rows, times, strict=True) if there or row["item"] == "Alpha"]
    for d in analyse_rows(tmp_path_factory.mktemp("rows"), kept).differences:
        if d.pattern is not None:
            assert d.pattern + d.framework == pytest.approx(d.total, abs=1e-6)
        if d.metric == "latency_s":
            assert sum(getattr(d, stage) for stage in STAGES) == pytest.approx(d.total, abs=1e-6)


def test_one_arm_has_no_pattern(tmp_path: Path) -> None:
    """With one arm the total is there and nothing is called pattern or framework."""
    analysis = analyse_rows(tmp_path, clean_rows())
    assert len({(d.a, d.b) for d in analysis.differences}) == 6
    assert all(d.pattern is None and d.framework is None for d in analysis.differences)
    assert all(d.noise is None and d.exceeds_noise is None for d in analysis.differences)


def test_stages_unknown_of_one_run(tmp_path: Path) -> None:
    """A run without its stages leaves the total as it is, and the stages unknown rather than inexact."""
    rows = clean_rows(("crewai", "langgraph"))
    rows[0].update(model_s="", framework_s="")
    d = difference(analyse_rows(tmp_path, rows), "crewai", "langgraph")
    assert d.total is not None
    assert d.n_items == 6
    assert [getattr(d, stage) for stage in STAGES] == [None] * 4


def test_no_interval_from_few_items(tmp_path: Path) -> None:
    """Four items give a difference and no interval; five give one that holds the difference."""
    few = difference(analyse_rows(tmp_path / "few", clean_rows(items=tuple("abcd"))), "autogen", "crewai")
    enough = difference(
        analyse_rows(tmp_path / "five", clean_rows(items=tuple("abcde"))), "autogen", "crewai"
    )
    assert (few.n_items, few.total_interval) == (4, None)
    assert enough.total_interval is not None
    assert enough.total_interval.low < enough.total < enough.total_interval.high


def test_seeded(tmp_path: Path) -> None:
    """The same table gives the same intervals."""
    first = analyse_rows(tmp_path / "a", clean_rows()).differences
    assert first == analyse_rows(tmp_path / "b", clean_rows()).differences


def against_itself() -> list[dict[str, Any]]:
    """Two frameworks, and crewai again: on the six items 0.1, -0.2, 0.3, -0.4, 0.5 and 0 s apart."""
    rows = clean_rows(("crewai", "langgraph"), iterations=1)
    for row in rows:
        timed(row, 10.0, 3.0 if row["framework"] == "langgraph" else 0.5)
    twins = [dict(row, framework="crewai-aa", report_digest=f"aa-{row['item']}") for row in rows if row["framework"] == "crewai"]  # fmt: skip
    for row, apart in zip(twins, (0.1, -0.2, 0.3, -0.4, 0.5, 0.0), strict=True):
        timed(row, 10.0 + apart, 0.5)
    return [*rows, *twins]


def test_noise_floor_by_hand(tmp_path: Path) -> None:
    """The floor is the mean of the absolute differences by item, and the largest stands beside it."""
    analysis = analyse_rows(tmp_path, against_itself())
    (pair,) = analysis.noise_floor.pairs
    assert (pair.a, pair.b) == ("crewai", "crewai-aa")
    noise = pair.metrics["latency_s"]
    assert (noise.mean_absolute, noise.largest, noise.n_items) == (pytest.approx(0.25), pytest.approx(0.5), 6)
    assert pair.metrics["framework_s"].mean_absolute == 0
    assert analysis.noise_floor.metrics["latency_s"] == noise


def test_floor_beside_every_difference(tmp_path: Path) -> None:
    """Pairs and differences carry the floor, and the first screen says which side of it they are on."""
    analysis = analyse_rows(tmp_path, against_itself())
    d = difference(analysis, "crewai", "langgraph")
    assert (d.noise, d.exceeds_noise) == (pytest.approx(0.25), True)
    (pair,) = [pair for pair in analysis.pairs if pair.metric == "latency_s"]
    assert (pair.noise, pair.exceeds_noise) == (pytest.approx(0.25), True)
    latency = next(line for line in analysis.summary.learned if line.startswith("Mean latency"))
    assert "larger than the noise floor of 0.25 s" in latency
    assert any(line.startswith("Noise floor, from CrewAI run against itself (6 item pairs)") for line in analysis.summary.certainty)  # fmt: skip


def test_a_difference_within_the_floor(tmp_path: Path) -> None:
    """Frameworks closer than a framework to itself are said to lie within the noise."""
    rows = against_itself()
    for row in rows:
        if row["framework"] == "langgraph":
            timed(row, 10.0, 0.6)
    analysis = analyse_rows(tmp_path, rows)
    assert difference(analysis, "crewai", "langgraph").exceeds_noise is False
    assert any("within the noise floor of 0.25 s" in line for line in analysis.summary.learned)
    assert "But the whole range lies within the noise floor." in analysis.summary.headline


def test_equal_means_do_not_exceed_no_noise(tmp_path: Path) -> None:
    """With no noise at all, means that differ by rounding alone are still equal."""
    rows = against_itself()
    for row in rows:
        timed(row, 0.1 + 0.2 if row["framework"] == "langgraph" else 0.3, 0.5)
    d = difference(analyse_rows(tmp_path, rows), "crewai", "langgraph")
    assert (d.noise, d.exceeds_noise) == (0, False)


def test_a_second_name_competes_with_nobody(tmp_path: Path) -> None:
    """It has its own line, and no place, pair, difference or say in the tests."""
    analysis = analyse_rows(tmp_path, against_itself())
    alone = [row for row in against_itself() if row["framework"] != "crewai-aa"]
    without = analyse_rows(tmp_path / "without", alone)
    twin = analysis.frameworks["crewai-aa"]
    assert (twin.title, twin.role, twin.twin_of) == ("CrewAI (again)", "twin", "crewai")
    assert analysis.ranking == without.ranking
    assert analysis.omnibus == without.omnibus
    assert [(p.a, p.b) for p in analysis.pairs] == [(p.a, p.b) for p in without.pairs]
    assert {(d.a, d.b) for d in analysis.differences} == {("crewai", "langgraph")}
    assert analysis.replication.effective_n == without.replication.effective_n
    assert analysis.summary.compared[0].startswith("2 frameworks (CrewAI and LangGraph) on 6 items")


def test_same_text_from_a_second_name_is_no_copy(tmp_path: Path) -> None:
    """At temperature 0 a framework and its second name write the same, which is no pseudo-replication."""
    rows = against_itself()
    for row in rows:
        row["report_digest"] = f"{row['framework'].removesuffix('-aa')}-{row['item']}"
    codes = {alarm.code for alarm in analyse_rows(tmp_path, rows).alarms}
    assert "pseudo_replication" not in codes


def test_each_arm_has_its_own_second_name(tmp_path: Path) -> None:
    """Two arms make two A/A pairs, and the floor counts the items of both."""
    rows = [dict(row, arm=arm) for row in against_itself() for arm in ("idiomatic", "equalised")]
    analysis = analyse_rows(tmp_path, rows)
    assert [(pair.a, pair.b) for pair in analysis.noise_floor.pairs] == [
        ("crewai [equalised]", "crewai-aa [equalised]"),
        ("crewai [idiomatic]", "crewai-aa [idiomatic]"),
    ]
    assert analysis.noise_floor.metrics["latency_s"].n_items == 12
    assert analysis.frameworks["crewai-aa [idiomatic]"].title == "CrewAI (again) [idiomatic]"


def test_a_name_like_a_second_one_without_its_first(tmp_path: Path) -> None:
    """A foreign framework called "other-aa" is a framework when nothing is called "other"."""
    analysis = analyse_rows(tmp_path, clean_rows(("crewai", "other-aa")))
    assert analysis.frameworks["other-aa"].role == "framework"
    assert analysis.noise_floor.pairs == []
    assert len(analysis.ranking) == 2
