"""Each alarm fires on its planted fault and is silent on a clean experiment."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from math import factorial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.alarm_titles import ALARM_TITLES
from analysis.order_alarms import ORDER_P, p_of_stages, p_within_blocks
from analysis.result import CRITERIA
from tests.unit.analysis_rows import FRAMEWORKS, ITEMS, analyse_rows, clean_rows, other_alarms
from tests.unit.clean_experiment import analyse_folder, clean_experiment
from tests.unit.fairness_wire import quoted

Rows = list[dict[str, Any]]


def copy_reports(rows: Rows) -> None:
    """The second iteration is the first again, figures and all."""
    first = {(row["framework"], row["item"]): row for row in rows if row["iteration"] == 1}
    for row in rows:
        own = {name: row[name] for name in ("iteration", "position")}
        row.update(first[row["framework"], row["item"]] | own)


def score_one_text_apart(rows: Rows) -> None:
    """Two frameworks wrote the same, which is no copy of a run of their own."""
    for row in rows:
        row["report_digest"] = f"{row['item']}-{row['iteration']}-{row['framework'] in {'crewai', 'direct'}}"
        scores = {"autogen": 4, "crewai": 3, "direct": 6, "langgraph": 7}[row["framework"]]
        row.update(dict.fromkeys((*CRITERIA, "overall"), scores))


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
        row["latency_s"] = 10.0 if row["iteration"] == 1 else 13.0 + (row["item"] == "Zeta")


def miscount_tokens(rows: Rows) -> None:
    for row in rows:
        if row["framework"] == "crewai":
            row["native_prompt_tokens"] *= 3


def run_one_framework_after_the_other(rows: Rows) -> None:
    for place, row in enumerate(rows):
        row["position"] = place


def run_every_block_in_one_order(rows: Rows) -> None:
    for place, row in enumerate(sorted(rows, key=lambda row: (row["item"], row["iteration"]))):
        row["position"] = place


def give_each_framework_its_node(rows: Rows) -> None:
    for row in rows:
        row["node"] = "fast" if row["framework"] in {"autogen", "crewai"} else "slow"


def give_half_of_the_blocks_a_slower_node(rows: Rows) -> None:
    for row in rows:
        row["node"] = "fast" if (ITEMS.index(row["item"]) + row["iteration"]) % 2 else "slow"
        if row["node"] == "slow":
            row["decode_s"] *= 1.5


def fail_one(rows: Rows) -> None:
    rows[0].update(status="timeout", error="still running", overall="", latency_s="")


def drop_one(rows: Rows) -> None:
    rows.pop()


def lose_a_score(rows: Rows) -> None:
    rows[0].update(
        dict.fromkeys(("completeness", "accuracy", "structure", "insight", "readability", "overall"), "")
    )


def score_beyond_the_scale(rows: Rows) -> None:
    rows[0].update(dict.fromkeys(CRITERIA, 9), accuracy=14, overall=10.0)


def overrule_the_criteria(rows: Rows) -> None:
    rows[0]["overall"] += 1


def cut_answers(rows: Rows) -> None:
    rows[0]["limits_hit"] = "model call 3: max_tokens"


def repeat_a_row(rows: Rows) -> None:
    """In place of the second iteration, with a report of its own."""
    rows[1].update({name: rows[0][name] for name in ("framework", "item", "iteration", "attempt")})


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


def ask_a_service_too_often(rows: Rows) -> None:
    rows[0]["rate_limited_s"], rows[1]["rate_limited_s"] = 2.5, 1.5


@dataclass(frozen=True)
class Fault:
    code: str
    plant: Callable[[Rows], None]
    evidence: dict[str, Any]
    """What was planted, as figures; what the alarm tells beyond these is not compared."""
    also: frozenset[str] = frozenset()
    """Other alarms that are right about this fault: a copy with another latency is a copy, too."""


COPIES = frozenset({"pseudo_replication"})
GAP = frozenset({"unbalanced"})
FAULTS = [
    Fault("pseudo_replication", copy_reports, {"rows": 48, "distinct_outputs": 24, "effective_n": 6}),
    # Scores 4 and 7, 3 and 6 of one text each: within 1.5 of their mean, and the means are 0.5 from theirs.
    Fault("judge_noise", score_one_text_apart, {
        "largest_range": 3, "texts_judged_again": 24, "within_text_share_of_squares": 1.5**2 / (1.5**2 + 0.5**2),
    }),
    Fault("judge_constant", score_all_alike, {"score": 7, "share": 1}),
    Fault("judge_saturation", score_at_the_ceiling, {"top_share": 1}),
    Fault("decode_rate_drift", slow_down_half_way, {
        "slowest_tokens_per_s": 25 / 3, "fastest_tokens_per_s": 25, "ratio": 3, "basis": "decode_s",
    }),
    Fault("same_text_latency", repeat_at_other_speed, {"ratio": 1.4, "item": "Zeta"}, COPIES),
    Fault("meter_mismatch", miscount_tokens, {"framework": "crewai", "runs": 12, "prompt_ratio": 3}),
    Fault("order_confounded", run_one_framework_after_the_other, {
        "kind": "stages", "p_stages": factorial(4) * factorial(12) ** 4 / factorial(48),
        "mean_place": {"autogen": 6.5, "crewai": 18.5, "direct": 30.5, "langgraph": 42.5},
    }),
    Fault("order_confounded", run_every_block_in_one_order, {
        "kind": "within_blocks", "p": (1 / 24) ** 11,
        "mean_place": {"autogen": 23, "crewai": 24, "direct": 25, "langgraph": 26},
    }),
    Fault("node_confounded", give_each_framework_its_node, {"runs": {
        "autogen": {"fast": 12, "slow": 0}, "crewai": {"fast": 12, "slow": 0},
        "direct": {"fast": 0, "slow": 12}, "langgraph": {"fast": 0, "slow": 12},
    }}),
    Fault("nodes_differ", give_half_of_the_blocks_a_slower_node, {
        "ratio": 1.5, "tokens_per_s": {"fast": 25, "slow": 25 / 1.5},
    }),
    Fault("runs_not_completed", fail_one, {"statuses": {"timeout": 1}}, GAP),
    Fault("unbalanced", drop_one, {"fewest": 1, "most": 2}),
    Fault("missing_scores", lose_a_score, {"missing": 1, "completed": 48}),
    Fault("scores_out_of_range", score_beyond_the_scale, {"count": 1}),
    Fault("overall_is_not_mean", overrule_the_criteria, {"runs": 1, "largest_gap": 1}),
    Fault("limits_hit", cut_answers, {"runs": 1}),
    Fault("duplicate_rows", repeat_a_row, {"rows": 1}),
    Fault("unreadable_values", write_infinity, {"cells": {"latency_s": 1}}),
    Fault("server_meter_mismatch", count_other_tokens_at_the_server, {"framework": "crewai", "prompt_ratio": 1}),
    Fault("retried_calls", send_again, {"calls": {"autogen": 2}, "tokens": 120}),
    Fault("disturbed_runs", disturb_one, {"attempts": 1, "without_times": 1}),
    Fault("late_calls", call_after_the_end, {"attempts": 1, "frameworks": {"autogen": 1}}, GAP),
    Fault("contaminated_runs", contaminate_one, {"attempts": 1, "without_clean_attempt": 1},
          GAP | {"runs_not_completed"}),
    Fault("stray_calls", call_from_nowhere, {"calls": 3, "runs": 1}),
    Fault("rate_limited", ask_a_service_too_often, {"runs": 2, "seconds": 4.0}),
]  # fmt: skip


def test_silence_on_a_clean_table(tmp_path: Path) -> None:
    """Different reports, one speed, shuffled order and honest meters raise nothing but the missing audit."""
    assert [alarm.code for alarm in analyse_rows(tmp_path, clean_rows()).alarms] == ["judge_not_audited"]


def test_silence_on_a_task_without_a_judge(tmp_path: Path) -> None:
    """Where the task itself says what passed and asks no judge, no score is missing."""
    rows = clean_rows()
    criteria = ("completeness", "accuracy", "structure", "insight", "readability", "overall")
    for row in rows:
        row.update(dict.fromkeys(criteria), passed=True)
    assert "missing_scores" not in [alarm.code for alarm in analyse_rows(tmp_path, rows).alarms]
    for row in rows:
        row["passed"] = None
    assert "missing_scores" in [alarm.code for alarm in analyse_rows(tmp_path, rows).alarms]


def test_silence_on_a_clean_experiment(tmp_path: Path) -> None:
    """Records, an audit, a noise floor, two nodes and equal treatment on the wire: no alarm at all."""
    clean_experiment(tmp_path / "clean")
    analysis = analyse_folder(tmp_path / "clean")
    assert analysis.alarms == []
    assert (analysis.replication.completed, len(analysis.items), analysis.fairness is not None) == (
        96,
        6,
        True,
    )


def test_unequal_prompts_on_the_wire(tmp_path: Path) -> None:
    """The same experiment with one framework that sends other messages: this alarm, and it alone."""
    clean_experiment(tmp_path / "spoilt", styles={"crewai": quoted})
    (found,) = analyse_folder(tmp_path / "spoilt").alarms
    assert (found.code, found.severity) == ("unequal_treatment", "high")
    assert sum(found.evidence["violations"].values()) > 0


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.code}-{fault.plant.__name__}")
def test_planted_fault(tmp_path: Path, fault: Fault) -> None:
    """Of a clean table with one fault, its alarm tells that fault's figures, and no other fires without cause."""
    rows = clean_rows()
    fault.plant(rows)
    found = {alarm.code: alarm for alarm in other_alarms(analyse_rows(tmp_path, rows))}
    assert set(found) == {fault.code} | fault.also
    alarm = found[fault.code]
    for name, value in fault.evidence.items():
        assert alarm.evidence[name] == (pytest.approx(value) if isinstance(value, float | int) else value), (
            name
        )
    assert alarm.text.endswith(".")
    assert ALARM_TITLES[fault.code]


def test_evidence_holds_the_figures_of_the_sentence(tmp_path: Path) -> None:
    """The places and the chance that the sentence names are those of the evidence."""
    rows = clean_rows()
    run_one_framework_after_the_other(rows)
    (found,) = other_alarms(analyse_rows(tmp_path, rows))
    assert "(AutoGen at place 6 on average, LangGraph at 42)" in found.text


@pytest.mark.parametrize(
    ("orders", "fires"),
    [
        (("abc", "abc", "abc", "abc", "abc"), True),
        (("abc", "bca", "cab", "cba", "bac"), False),
        (("abc", "abc"), False),
    ],
)
def test_order_within_blocks(tmp_path: Path, orders: tuple[str, ...], *, fires: bool) -> None:
    """One order in five blocks is no chance (1 in 6^4); in two blocks it may well be (1 in 6)."""
    rows = clean_rows(frameworks=tuple("abc"), items=tuple(map(str, range(len(orders)))), iterations=1)
    for row in rows:
        block = int(row["item"])
        row["position"] = 3 * block + orders[block].index(row["framework"])
    found = {alarm.code: alarm for alarm in other_alarms(analyse_rows(tmp_path, rows))}
    assert ("order_confounded" in found) == fires
    if fires:
        assert found["order_confounded"].evidence["p_within_blocks"] == pytest.approx(1 / 6**4)


def test_three_frameworks_one_after_the_other_are_seen_in_few_runs() -> None:
    """Unbroken stretches have their exact chance, where a test of nine ranks could not say so."""
    table = pd.DataFrame({"subject": list("aaabbbccc"), "order": range(1, 10)})
    # 3! orders of the stretches, 3!^3 within them, of 9! in all.
    assert p_of_stages(table) == pytest.approx(6 * 6**3 / factorial(9))


def test_random_orders_are_rarely_called_confounded() -> None:
    """Over 200 random experiments in blocks, each test is below its bound about as often as it says."""
    draw = np.random.default_rng(5)
    blocks, subjects = 8, 4
    tables = (
        pd.DataFrame({
            "item": np.repeat(range(blocks), subjects),
            "iteration": 1,
            "subject": np.concatenate([draw.permutation(list("abcd")) for _ in range(blocks)]),
            "order": range(blocks * subjects),
        })
        for _ in range(200)
    )  # fmt: skip
    found = [(p_of_stages(table), p_within_blocks(table)) for table in tables]
    assert all(sum((p[which] or 0) < ORDER_P for p in found) <= 2 for which in (0, 1))


def test_planned_runs_that_are_missing(tmp_path: Path) -> None:
    """Of 48 planned runs 24 are there, balanced: just the plan knows that the others are missing."""
    tasks = [{"name": "company_research", "items": list(ITEMS)}]
    plan = {"frameworks": list(FRAMEWORKS), "arms": ["idiomatic"], "iterations": 2, "tasks": tasks}
    (tmp_path / "manifest.json").write_text(json.dumps({"plan": plan}))
    (found,) = other_alarms(analyse_rows(tmp_path, clean_rows(iterations=1)))
    assert (found.code, found.evidence) == ("runs_missing", {"planned": 48, "there": 24})
    assert other_alarms(analyse_rows(tmp_path, clean_rows())) == []


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
