"""The figures of the published table's alarms, worked out from the CSV with pandas and scipy alone."""

from __future__ import annotations

import pandas as pd
import pytest
from scipy import stats

from analysis.analyse import analyse
from analysis.read_runs import read_runs
from analysis.result import CRITERIA
from tests.unit.analysis_rows import PUBLISHED


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(PUBLISHED / "runs.csv")


@pytest.fixture(scope="module")
def evidence() -> dict[str, dict[str, float]]:
    return {alarm.code: alarm.evidence for alarm in analyse(read_runs(PUBLISHED)).alarms}


def test_copies(table: pd.DataFrame, evidence: dict[str, dict[str, float]]) -> None:
    """45 rows hold 17 texts; on company means p is .088, and .074 by Friedman."""
    assert (len(table), table["report_digest"].nunique()) == (45, 17)
    means = table.pivot_table("overall", "company", "framework").round(9)
    by_run = [rows["overall"] for _, rows in table.groupby("framework")]
    expected = {
        "rows": 45,
        "distinct_outputs": 17,
        "effective_n": 3,
        "quality_p_all_runs": stats.kruskal(*by_run).pvalue,
        "quality_p_item_means": stats.kruskal(*(means[name] for name in means)).pvalue,
        "quality_p_friedman": stats.friedmanchisquare(*(means[name] for name in means)).pvalue,
    }
    assert evidence["pseudo_replication"] == pytest.approx(expected)
    assert (round(expected["quality_p_item_means"], 3), round(expected["quality_p_friedman"], 3)) == (
        0.088,
        0.074,
    )


def test_ceiling(table: pd.DataFrame, evidence: dict[str, dict[str, float]]) -> None:
    """219 of 225 criterion scores are 9 or 10."""
    top = int((table[list(CRITERIA)] >= 9).to_numpy().sum())
    assert (top, table[list(CRITERIA)].size) == (219, 225)
    assert evidence["judge_saturation"]["top_share"] == pytest.approx(219 / 225)


def test_judge_noise(table: pd.DataFrame, evidence: dict[str, dict[str, float]]) -> None:
    """One-way random effects by the textbook: MS within over its sum with (MS between - MS within) / n0."""
    groups = table.groupby(["company", "report_digest"])["overall"]
    n, k, sizes = len(table), groups.ngroups, groups.size()
    within = ((table["overall"] - groups.transform("mean")) ** 2).sum()
    total = ((table["overall"] - table["overall"].mean()) ** 2).sum()
    ms_within, ms_between = within / (n - k), (total - within) / (k - 1)
    n0 = (n - (sizes**2).sum() / n) / (k - 1)
    share = ms_within / (ms_within + (ms_between - ms_within) / n0)
    found = evidence["judge_noise"]
    assert found["within_text_share"] == pytest.approx(share)
    assert found["within_text_share_of_squares"] == pytest.approx(within / total)
    assert found["largest_range"] == pytest.approx((groups.max() - groups.min()).max())
    assert (f"{share:.0%}", f"{within / total:.0%}") == ("69%", "44%")


def test_decode_rate(table: pd.DataFrame, evidence: dict[str, dict[str, float]]) -> None:
    """Output tokens over seconds run from 7.6 to 66.5."""
    rate = table["output_tokens"] / table["latency_seconds"]
    found = evidence["decode_rate_drift"]
    assert (found["slowest_tokens_per_s"], found["fastest_tokens_per_s"]) == pytest.approx(
        (rate.min(), rate.max())
    )
    assert (f"{rate.min():.1f}", f"{rate.max():.1f}") == ("7.6", "66.5")


def test_same_text_other_latency(table: pd.DataFrame, evidence: dict[str, dict[str, float]]) -> None:
    """Copies of one framework's text took up to 1.82 times as long as one another."""
    times = table.groupby(["framework", "company", "report_digest"])["latency_seconds"]
    ratio = (times.max() / times.min()).max()
    assert evidence["same_text_latency"]["ratio"] == pytest.approx(ratio)
    assert f"{ratio:.2f}" == "1.82"
