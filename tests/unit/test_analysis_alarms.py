"""Each alarm fires on its planted fault and is silent on a clean experiment."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.alarm_titles import ALARM_TITLES
from tests.unit.analysis_rows import analyse_rows, clean_rows, other_alarms

Rows = list[dict[str, Any]]


def copy_reports(rows: Rows) -> None:
    for row in rows:
        row["report_digest"] = f"{row['framework']}-{row['item']}"


def score_copies_apart(rows: Rows) -> None:
    copy_reports(rows)
    for row in rows:
        row["overall"] = 4.0 if row["iteration"] == 1 else 7.0


def score_all_alike(rows: Rows) -> None:
    for row in rows:
        row.update(
            dict.fromkeys(("completeness", "accuracy", "structure", "insight", "readability", "overall"), 7)
        )


def score_at_the_ceiling(rows: Rows) -> None:
    for row in rows:
        row.update(completeness=9, accuracy=10, structure=9, insight=10, readability=9, overall=9.4)


def slow_down_half_way(rows: Rows) -> None:
    for row in rows:
        if row["position"] > 20:
            row["decode_s"] *= 3


def repeat_at_other_speed(rows: Rows) -> None:
    copy_reports(rows)
    for row in rows:
        row["latency_s"] = 10.0 if row["iteration"] == 1 else 13.0


def miscount_tokens(rows: Rows) -> None:
    for row in rows:
        if row["framework"] == "crewai":
            row["native_prompt_tokens"] *= 3


def run_one_framework_after_the_other(rows: Rows) -> None:
    for place, row in enumerate(rows):
        row["position"] = place


def fail_one(rows: Rows) -> None:
    rows[0].update(status="timeout", error="still running", overall="", latency_s="")


def drop_one(rows: Rows) -> None:
    rows.pop()


def lose_a_score(rows: Rows) -> None:
    rows[0].update(
        dict.fromkeys(("completeness", "accuracy", "structure", "insight", "readability", "overall"), "")
    )


def score_beyond_the_scale(rows: Rows) -> None:
    rows[0]["accuracy"] = 99


def overrule_the_criteria(rows: Rows) -> None:
    rows[0]["overall"] += 1


def cut_answers(rows: Rows) -> None:
    rows[0]["limits_hit"] = "model call 3: max_tokens"


def repeat_a_row(rows: Rows) -> None:
    rows.append(dict(rows[0]))


def write_infinity(rows: Rows) -> None:
    rows[0]["latency_s"] = "inf"


def count_other_tokens_at_the_server(rows: Rows) -> None:
    for row in rows:
        if row["framework"] == "crewai":
            row["server_completion_tokens"] += 30


def send_again(rows: Rows) -> None:
    rows[0].update(retried_calls=2, retried_tokens=120)


def disturb_one(rows: Rows) -> None:
    rows[0]["quarantine"] = "disturbed"


def call_after_the_end(rows: Rows) -> None:
    rows[0]["quarantine"] = "late_calls"


def contaminate_one(rows: Rows) -> None:
    rows[0].update(status="contaminated", error="Another run's request")


def call_from_nowhere(rows: Rows) -> None:
    rows[0]["stray_calls"] = 3


FAULTS: dict[str, Callable[[Rows], None]] = {
    "pseudo_replication": copy_reports,
    "judge_noise": score_copies_apart,
    "judge_constant": score_all_alike,
    "judge_saturation": score_at_the_ceiling,
    "decode_rate_drift": slow_down_half_way,
    "same_text_latency": repeat_at_other_speed,
    "meter_mismatch": miscount_tokens,
    "order_confounded": run_one_framework_after_the_other,
    "runs_not_completed": fail_one,
    "unbalanced": drop_one,
    "missing_scores": lose_a_score,
    "scores_out_of_range": score_beyond_the_scale,
    "overall_is_not_mean": overrule_the_criteria,
    "limits_hit": cut_answers,
    "duplicate_rows": repeat_a_row,
    "unreadable_values": write_infinity,
    "server_meter_mismatch": count_other_tokens_at_the_server,
    "retried_calls": send_again,
    "disturbed_runs": disturb_one,
    "late_calls": call_after_the_end,
    "contaminated_runs": contaminate_one,
    "stray_calls": call_from_nowhere,
}


def test_silence_on_a_clean_experiment(tmp_path: Path) -> None:
    """Different reports, one speed, shuffled order and honest meters raise nothing."""
    assert other_alarms(analyse_rows(tmp_path, clean_rows())) == []


@pytest.mark.parametrize("code", FAULTS)
def test_planted_fault(tmp_path: Path, code: str) -> None:
    """The alarm names the fault that was planted, with evidence."""
    rows = clean_rows()
    FAULTS[code](rows)
    found = {alarm.code: alarm for alarm in other_alarms(analyse_rows(tmp_path, rows))}
    assert code in found
    assert found[code].text
    assert ALARM_TITLES[code]
    assert found[code].evidence


@pytest.mark.parametrize(
    ("settings", "fires"),
    [
        ({"llm_model": "a", "judge_model": "a"}, True),
        ({"llm_model": "a", "judge_model": None}, True),
        ({"llm_model": "a", "judge_model": "b"}, False),
    ],
)
def test_judge_is_subject(tmp_path: Path, settings: dict[str, str | None], *, fires: bool) -> None:
    """A judge that is the model under test is named, also when it is so by default."""
    (tmp_path / "manifest.json").write_text(json.dumps({"settings": settings}))
    codes = [alarm.code for alarm in other_alarms(analyse_rows(tmp_path, clean_rows()))]
    assert codes == (["judge_is_subject"] if fires else [])


@pytest.mark.parametrize(
    ("tools", "calls", "fires"), [("agent", 0, True), ("agent", 6, False), ("prefetched", 0, False)]
)
def test_tools_left_alone(tmp_path: Path, tools: str, calls: int, *, fires: bool) -> None:
    """Runs whose agents called no tool are named where they were to call some, and nowhere else."""
    (tmp_path / "manifest.json").write_text(json.dumps({"plan": {"tools": tools}}))
    rows = clean_rows()
    rows[0]["tool_calls"] = calls
    found = {alarm.code: alarm for alarm in other_alarms(analyse_rows(tmp_path, rows))}
    assert set(found) == ({"tools_not_called"} if fires else set())
    assert all(alarm.evidence == {"runs": 1} and ALARM_TITLES[code] for code, alarm in found.items())


def test_most_severe_first(tmp_path: Path) -> None:
    """Alarms come in the order of their weight."""
    rows = clean_rows()
    for plant in (overrule_the_criteria, cut_answers, slow_down_half_way):
        plant(rows)
    severities = [alarm.severity for alarm in other_alarms(analyse_rows(tmp_path, rows))]
    assert severities == ["high", "medium", "low"]


def test_one_slow_call_is_seen_although_its_run_is_as_fast_as_the_others(tmp_path: Path) -> None:
    """A call at half the speed raises the alarm of the decode rate, with both rates; a little slower does not."""
    for slowest, raised in ((11.0, False), (9.9, True)):
        rows = clean_rows()
        for row in rows:
            row |= {"slowest_call_tokens_per_s": 19.0, "fastest_call_tokens_per_s": 20.0}
        rows[3] |= {"slowest_call_tokens_per_s": slowest}
        found = [a for a in other_alarms(analyse_rows(tmp_path, rows)) if a.code == "decode_rate_drift"]
        assert bool(found) == raised
        if raised:
            assert found[0].evidence["slowest_tokens_per_s"] == 9.9
            assert found[0].evidence["fastest_tokens_per_s"] == 20.0
