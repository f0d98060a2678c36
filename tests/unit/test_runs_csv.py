"""runs.csv is the records joined: every run a row, every figure exact, every text harmless."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

import pandas as pd
import pytest

from cluster.runs_csv import CRITERIA, write_runs_csv
from shared.latency import LatencyParts
from shared.records import Boot, CheckResult, JudgeAttempt, RunKey, Status
from shared.store import Store
from shared.surroundings import GpuLoad, MachineLoad, Quarantine
from tests.unit.stored_records import JUDGE, begun, run, verdict


def rows(store: Store, judge: str | None = None) -> list[dict[str, str]]:
    write_runs_csv(store, judge)
    with (store.folder / "runs.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_runs_verdicts_and_checks_are_joined(tmp_path: Path) -> None:
    """A row has the run's figures, its verdict's scores and its checks, and none of another run's."""
    store = begun(tmp_path)
    report = 'First, a "quoted" line\nand a second; =1+1'
    boot = Boot(process_s=1.5, import_s=0.75, versions={"x": "1"}, python="3.11")
    first = run(
        "a", text=report, boot=boot, limits_hit=["model call 1: max_tokens", "model call 3: max_tokens"]
    )
    second = run("b", position=1, text="other")
    for record in (first, second):
        store.write_run(record, [])
    store.write_verdict(verdict(first, scores={"completeness": 7, "accuracy": 8, "tone": 3}))
    store.write_check(
        CheckResult(
            run_id=first.key.run_id, attempt_id="a1", checks="t/1", sections_found=["A", "B", "C"],
            sections_missing=["D"], words=512, words_in_range=True, facts_found=["f1"], facts_total=4,
        )
    )  # fmt: skip
    a, b = rows(store)
    expected = {
        "framework": "a", "arm": "idiomatic", "task": "t", "item": "x", "iteration": "1", "attempt": "1",
        "status": "completed", "latency_s": "3.5", "prompt_tokens": "1000", "completion_tokens": "500",
        "total_tokens": "1500", "completeness": "7", "accuracy": "8", "structure": "", "overall": "7.5",
        "judge_overall": "9.0", "judge": JUDGE, "section_share": "0.75", "words": "512",
        "words_in_range": "True", "fact_recall": "0.25", "framework_s": "0.75", "boot_s": "1.5",
        "import_s": "0.75", "limits_hit": "model call 1: max_tokens; model call 3: max_tokens", "error": "",
        "report_digest": hashlib.sha256(report.encode()).hexdigest(), "tone": "3",
    }  # fmt: skip
    assert {name: a[name] for name in expected} == expected
    assert (b["framework"], b["overall"], b["words"], b["tone"]) == ("b", "", "", "")
    assert b["report_digest"] == hashlib.sha256(b"other").hexdigest()


def test_a_folder_without_runs_has_the_same_columns(tmp_path: Path) -> None:
    """Headers do not depend on what has happened yet."""
    empty, full = begun(tmp_path / "empty"), begun(tmp_path / "full")
    full.write_run(run(), [])
    full.write_verdict(verdict(run()))
    headers = []
    for store in (empty, full):
        write_runs_csv(store)
        headers.append((store.folder / "runs.csv").read_text().splitlines()[0])
    assert headers[0] == headers[1]
    assert set(CRITERIA) <= set(headers[0].split(","))


def test_a_failed_run(tmp_path: Path) -> None:
    """It has a row with its status and the first line of its error, and no latency or score is made up."""
    store = begun(tmp_path)
    failed = run(
        status=Status.FRAMEWORK_ERROR, latency_s=None, error="\n ValueError: no, never\nTraceback\n  File x\n"
    )
    store.write_run(failed, [])
    (row,) = rows(store)
    assert (row["status"], row["error"]) == ("framework_error", "ValueError: no, never")
    assert {row[name] for name in ("latency_s", "framework_s", "overall", "report_digest", "words")} == {""}


@pytest.mark.parametrize(
    ("error", "written"),
    [
        ('=HYPERLINK("http://x","y")', '\'=HYPERLINK("http://x","y")'),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+3", "'-2+3"),
        ("a,b;c\td\rnext", "a,b;c\td"),
        ("\x1b[31mred\x00", "?[31mred?"),
        ('he said "no"', 'he said "no"'),
    ],
)
def test_foreign_text_is_only_text(tmp_path: Path, error: str, written: str) -> None:
    """An error that looks like a formula, or has separators and control characters, stays one cell of text."""
    store = begun(tmp_path)
    store.write_run(run("a", status=Status.FRAMEWORK_ERROR, error=error), [])
    store.write_run(run("b", position=1), [])
    a, b = rows(store)
    assert a["error"] == written
    assert (b["framework"], b["error"]) == ("b", "")


def test_floats_are_written_in_full(tmp_path: Path) -> None:
    """What is read back is the very number that was measured, by csv and by pandas."""
    store = begun(tmp_path)
    latency_s, overall = 0.1 + 0.2, 23 / 3
    store.write_run(run(latency_s=latency_s), [])
    store.write_verdict(verdict(run(), overall=overall))
    (row,) = rows(store)
    assert (float(row["latency_s"]), float(row["overall"])) == (latency_s, overall)
    frame = pd.read_csv(io.StringIO((store.folder / "runs.csv").read_text()))
    assert (frame["latency_s"][0], frame["overall"][0]) == (latency_s, overall)


def test_the_verdicts_of_one_judge(tmp_path: Path) -> None:
    """Another judge's scores and those of an attempt that does not count stay out of the row."""
    store = begun(tmp_path)
    lost = run(status=Status.INFRASTRUCTURE_ERROR)
    counted = run(attempt=2)
    store.write_run(lost, [])
    store.write_run(counted, [])
    store.write_verdict(verdict(counted))
    store.write_verdict(verdict(counted, judge="openai:other", overall=2.0))
    (row,) = rows(store)
    assert (row["attempt"], row["overall"], row["judge"]) == ("2", "7.5", JUDGE)
    (row,) = rows(store, "openai:other")
    assert (row["overall"], row["judge"]) == ("2.0", "openai:other")


def test_repeats_are_averaged(tmp_path: Path) -> None:
    """A row has the mean of the judge's scored repeats; one that failed counts for nothing."""
    store = begun(tmp_path)
    store.write_run(run(), [])
    store.write_verdict(verdict(run()))
    again = {"scores": {"completeness": 8, "accuracy": 10}, "overall": 9.0, "judge_overall": 10.0}
    store.write_verdict(verdict(run(), repeat=2, **again))
    store.write_verdict(verdict(run(), repeat=3, scored=False, scores={}, overall=None, judge_overall=None))
    (row,) = rows(store)
    assert [row[name] for name in ("completeness", "accuracy", "overall", "judge_overall")] == [
        *("7.5", "9", "8.25", "9.5")
    ]


def test_scores_of_an_older_rubric(tmp_path: Path) -> None:
    """Once a judge has used a newer version of the rubric, scores by the older one are in no row."""
    store = begun(tmp_path)
    for record in (run("a"), run("b", position=1)):
        store.write_run(record, [])
        store.write_verdict(verdict(record))
    assert [row["overall"] for row in rows(store)] == ["7.5", "7.5"]
    store.write_verdict(verdict(run("a"), rubric="t/10", overall=3.0))
    assert [row["overall"] for row in rows(store)] == ["3.0", ""]


def test_judging_costs_a_run_nothing(tmp_path: Path) -> None:
    """The judge's tokens and seconds stand in its attempts and in no row."""
    store = begun(tmp_path)
    store.write_run(run(), [])
    before = rows(store)[0]
    attempt = JudgeAttempt(text="{}", prompt_tokens=9999, completion_tokens=888, seconds=77.5)
    store.write_verdict(verdict(run(), attempts=[attempt]))
    after = rows(store)[0]
    judged = {"completeness", "accuracy", "overall", "judge_overall", "judge"}
    assert {name for name in after if after[name] != before[name]} == judged


def test_the_first_judge_of_a_panel(tmp_path: Path) -> None:
    """Of a panel the first judge's scores stand in the rows."""
    store = begun(tmp_path)
    manifest = store.manifest()
    settings = manifest.settings | {"judge_model": "openai:first,openai:second"}
    store.manifest_path.unlink()
    store.begin(manifest.model_copy(update={"settings": settings}))
    store.write_run(run(), [])
    store.write_verdict(verdict(run(), judge="openai:second", overall=2.0))
    store.write_verdict(verdict(run(), judge="openai:first", overall=4.0))
    (row,) = rows(store)
    assert (row["judge"], row["overall"]) == ("openai:first", "4.0")


def test_a_verdict_on_an_attempt_that_does_not_count(tmp_path: Path) -> None:
    """Scores belong to the attempt that was judged, not to the run's name."""
    store = begun(tmp_path)
    store.write_run(run(), [])
    store.write_verdict(verdict(run(), attempt_id="another"))
    (row,) = rows(store)
    assert row["overall"] == ""


def test_the_stages_add_up(tmp_path: Path) -> None:
    """Where the latency is taken apart, model, tool, gateway and framework columns add up to it exactly."""
    store = begun(tmp_path)
    parts = LatencyParts(
        queue_s=0.25, prefill_s=0.5, decode_s=1.5, model_s=0.125, tool_s=0.25, gateway_s=0.0625,
        framework_s=0.8125,
    )  # fmt: skip
    store.write_run(run(latency_s=3.5, parts=parts, model_s=2.5), [])
    (row,) = rows(store)
    assert [row[name] for name in ("queue_s", "prefill_s", "decode_s", "model_unsplit_s", "gateway_s")] == [
        "0.25", "0.5", "1.5", "0.125", "0.0625"
    ]  # fmt: skip
    assert float(row["model_s"]) == 2.375
    columns = ("model_s", "tool_s", "gateway_s", "framework_s")
    assert sum(float(row[name]) for name in columns) == float(row["latency_s"])


def test_what_an_old_record_does_not_know_stays_empty(tmp_path: Path) -> None:
    """A record of schema 1 has no retries, stages or load, and no zero is written for them."""
    store = begun(tmp_path)
    store.write_run(run(schema_version=1), [])
    (row,) = rows(store)
    unknown = (
        *("queue_s", "prefill_s", "decode_s", "model_unsplit_s", "gateway_s", "cached_tokens"),
        *("retried_calls", "retried_tokens", "stray_calls", "server_prompt_tokens", "busy_share", "energy_j"),
    )
    assert {row[name] for name in unknown} == {""}
    assert (row["model_s"], row["tool_s"], row["framework_s"]) == ("2.5", "0.25", "0.75")


def test_meters_and_machine(tmp_path: Path) -> None:
    """Retries, the server's counters, the machine's load and the energy of all its GPUs are in the row."""
    store = begun(tmp_path)
    gpu = GpuLoad(
        name="H100", sm_clock_mhz=1900, lowest_sm_clock_mhz=1800, memory_clock_mhz=2600, temperature_c=60,
        power_w=300, energy_j=1200.5, utilisation=0.8, memory_used_mib=9000,
    )  # fmt: skip
    machine = MachineLoad(
        seconds=4, processors=8, busy_share=0.5, own_share=None, other_share=None, steal_share=0.01,
        cpu_pressure=0.2, io_pressure=None, memory_pressure=None, least_available_mib=1000, load_1min=2,
        gpus=[gpu, gpu],
    )  # fmt: skip
    counted = {"server_prompt_tokens": 1001, "server_completion_tokens": 502, "cached_tokens": 10}
    store.write_run(run(machine=machine, retried_calls=1, retried_tokens=20, stray_calls=2, **counted), [])
    (row,) = rows(store)
    expected = {
        "retried_calls": "1", "retried_tokens": "20", "stray_calls": "2", "server_prompt_tokens": "1001",
        "server_completion_tokens": "502", "cached_tokens": "10", "busy_share": "0.5", "other_share": "",
        "steal_share": "0.01", "cpu_pressure": "0.2", "energy_j": "2401.0", "quarantine": "",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected


def test_quarantine_and_warm_ups(tmp_path: Path) -> None:
    """The attempt that is left in quarantine carries its code, and a warm-up has no row."""
    store = begun(tmp_path)
    store.write_run(run(), [])
    store.write_run(run("b", position=1), [])
    warm_up = RunKey(framework="a", arm="idiomatic", task="t", item="x", iteration=0)
    store.write_run(run(key=warm_up, attempt_id="w"), [])
    reasons = ["other programs used 41 % of the processors (bound 25 %)"]
    store.write_quarantine(
        Quarantine(run_id=run().key.run_id, attempt=1, attempt_id="a1", code="disturbed", reasons=reasons)
    )
    assert [(row["framework"], row["quarantine"]) for row in rows(store)] == [("a", "disturbed"), ("b", "")]
