"""The published 45 runs: their tables come out again, and so does why they do not carry the conclusion."""

from __future__ import annotations

import pytest

from analysis.analyse import analyse
from analysis.read_runs import read_runs
from analysis.result import Analysis
from tests.unit.analysis_rows import PUBLISHED

# The tables of the articles, as printed there: quality, latency in s, tokens, standard deviation.
ARTICLE = {
    "msagent": ("9.87", "93", "7,006", "0.10"),
    "crewai": ("9.66", "246", "27,684", "0.30"),
    "autogen": ("9.63", "572", "10,793", "0.45"),
    "langgraph": ("9.42", "506", "8,823", "0.32"),
    "agents_sdk": ("9.31", "448", "8,676", "0.36"),
}


@pytest.fixture(scope="module")
def published() -> Analysis:
    return analyse(read_runs(PUBLISHED))


@pytest.mark.parametrize("name", ARTICLE)
def test_main_table(published: Analysis, name: str) -> None:
    """Every figure of the published main table is reproduced to its last printed digit."""
    f = published.frameworks[name]
    assert f.n == 9
    assert (f"{f.quality:.2f}", f"{f.latency_s:.0f}", f"{f.tokens:,.0f}", f"{f.std:.2f}") == ARTICLE[name]


def test_omnibus(published: Analysis) -> None:
    """Kruskal-Wallis gives the published p on both metrics, and the p that item means allow beside it."""
    quality, latency = published.omnibus["quality"], published.omnibus["latency_s"]
    assert f"{quality.kruskal_wallis.p:.3f}" == "0.005"
    assert f"{latency.kruskal_wallis.p:.6f}" == "0.000001"
    assert f"{quality.kruskal_wallis_item_means.p:.3f}" == "0.088"
    assert f"{quality.friedman.p:.3f}" == "0.074"
    assert quality.verdict == "only_if_repeats_count"


def test_the_one_significant_pair(published: Analysis) -> None:
    """On quality just Agents SDK and MS Agent differ: p 0.0003, and r 0.855, printed in the article as 0.86."""
    pairs = [pair for pair in published.pairs if pair.metric == "quality"]
    assert len(pairs) == 10
    (found,) = [pair for pair in pairs if pair.significant]
    assert (found.a, found.b) == ("agents_sdk", "msagent")
    tested = found.mann_whitney
    assert tested.u == 0
    assert f"{tested.p:.4f}" == "0.0003"
    assert f"{tested.p_bonferroni:.4f}" == "0.0029"
    assert f"{tested.r:.3f}" == "0.855"


def test_replication(published: Analysis) -> None:
    """45 rows hold 17 distinct reports, so about three observations per framework."""
    r = published.replication
    assert (r.rows, r.completed, r.distinct_outputs, r.effective_n) == (45, 45, 17, 3)
    copies = {(cell.framework, cell.item): cell.copies for cell in published.cells}
    assert copies["autogen", "Stripe"] == [[1, 2, 3]]
    assert copies["langgraph", "Datadog"] == [[2, 3]]


def test_alarms(published: Analysis) -> None:
    """The alarms that these columns allow fire with the figures worked out for this table, and no others do."""
    found = {alarm.code: alarm.evidence for alarm in published.alarms}
    assert set(found) == {
        "pseudo_replication",
        "judge_saturation",
        "judge_noise",
        "judge_not_audited",
        "decode_rate_drift",
        "same_text_latency",
        "overall_is_not_mean",
    }
    assert f"{found['judge_saturation']['top_share']:.0%}" == "97%"
    assert f"{found['judge_noise']['within_text_share']:.0%}" == "69%"
    assert f"{found['judge_noise']['within_text_share_of_squares']:.0%}" == "44%"
    assert found["judge_noise"]["largest_range"] == pytest.approx(1.0)
    drift = found["decode_rate_drift"]
    assert f"{drift['slowest_tokens_per_s']:.1f} {drift['fastest_tokens_per_s']:.1f}" == "7.6 66.5"
    assert f"{found['same_text_latency']['ratio']:.2f}" == "1.82"


def test_summary(published: Analysis) -> None:
    """The first screen says n, the effective n, both kinds of p, and that quality is not decided."""
    s = published.summary
    assert "No difference in quality holds up" in s.headline
    assert "45 runs" in s.compared[0]
    certainty = " ".join(s.certainty)
    for fact in (
        "n = 9",
        "17 distinct reports",
        "effective n is about 3",
        "p = 0.005",
        "p = 0.088",
        "p = 0.074",
    ):
        assert fact in certainty
    limits = " ".join(s.cannot_conclude)
    assert "That any framework writes better reports" in limits
    assert "can never go below p = 0.10" in limits


def test_source_forms_agree(published: Analysis) -> None:
    """A folder and the CSV inside it give the same numbers."""
    other = analyse(read_runs(PUBLISHED / "runs.csv"))
    assert other.frameworks == published.frameworks
    assert other.pairs == published.pairs
