"""Stages, agents, meters, drift, quarantine and probes of a stored experiment."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Literal

import pytest

from analysis.alarm_titles import ALARM_TITLES
from analysis.machine_alarms import PROBE_DRIFT_RATIO
from analysis.read_runs import read_runs
from analysis.report import write_report
from analysis.result import Alarm, Analysis
from cluster.runs_csv import write_runs_csv
from shared.plan import digest
from shared.records import RunRecord, Status
from shared.store import Store
from shared.surroundings import Probe, Quarantine
from tests.unit.analysis_rows import analyse_rows, clean_rows, other_alarms
from tests.unit.measured_experiment import OWN_S, TOKENS_PER_S, analyse_store, at_minute, stored_experiment
from tests.unit.stored_records import begun, run

SMALL: dict[str, Any] = {"frameworks": ["direct", "langgraph", "crewai"], "arms": ["idiomatic"]}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    stored_experiment(folder, **SMALL)
    return folder


@pytest.fixture
def store(written: Path, tmp_path: Path) -> Store:
    """One arm, clean; a copy to be spoilt."""
    return Store(Path(shutil.copytree(written, tmp_path / "store")))


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    return analyse_store(stored_experiment(tmp_path_factory.mktemp("clean")))


def alarms(analysis: Analysis) -> dict[str, Alarm]:
    return {alarm.code: alarm for alarm in other_alarms(analysis)}


def test_silence_on_a_clean_experiment(clean: Analysis) -> None:
    """One speed, honest meters, an A/A pair, equal probes and a quiet machine raise nothing."""
    assert other_alarms(clean) == []


def test_stages_add_up_to_the_latency(clean: Analysis) -> None:
    """Per framework, the mean stages add up to the mean latency, and so do the agents' over all agents."""
    for f in clean.frameworks.values():
        assert f.parts is not None
        assert sum(f.parts.model_dump().values()) == pytest.approx(f.latency_s, abs=1e-9)
        assert list(f.agent_parts) == ["researcher", "analyst", "writer"]
        agents = [sum(parts.model_dump().values()) for parts in f.agent_parts.values()]
        assert sum(agents) == pytest.approx(f.latency_s, abs=1e-9)


def test_stages_are_what_was_put_in(clean: Analysis) -> None:
    """Prefill, gateway and the framework's own time come out as the experiment was made."""
    parts = clean.frameworks["crewai [equalised]"].parts
    assert parts is not None
    assert parts.prefill_s == pytest.approx(3 * 1.0)
    assert parts.queue_s == pytest.approx(3 * 0.01)
    assert parts.gateway_s == pytest.approx(3 * (0.002 + 0.003))
    assert parts.framework_s == pytest.approx(4 * OWN_S["crewai"], rel=0.1)
    assert (
        clean.frameworks["crewai [equalised]"].boot_s,
        clean.frameworks["crewai [equalised]"].import_s,
    ) == (0.9, 1.5)


def test_pattern_and_framework_of_two_arms(clean: Analysis) -> None:
    """LangGraph's longer conversation is pattern; CrewAI's slower steps are framework."""
    found = {(d.a, d.b): d for d in clean.differences if d.metric == "tokens"}
    d = found["direct", "langgraph"]
    assert d.n_items == 6
    assert d.pattern == pytest.approx(-1500, abs=40)
    assert d.framework == pytest.approx(0, abs=40)
    own = next(d for d in clean.differences if (d.a, d.b, d.metric) == ("crewai", "direct", "framework_s"))
    assert own.framework == pytest.approx(4 * (OWN_S["crewai"] - OWN_S["direct"]), rel=0.1)


def test_meters(clean: Analysis) -> None:
    """Own meter and server's counters agree with the wire: every ratio is one, over all runs."""
    meters = clean.meters["langgraph [idiomatic]"]
    assert meters.own is not None
    assert meters.server is not None
    for check in (meters.own, meters.server):
        assert (check.runs, check.prompt_ratio, check.completion_ratio, check.total_ratio) == (6, 1, 1, 1)
    assert meters.wire is not None
    assert meters.wire.prompt == 6 * 3 * 1500
    assert (meters.cached, meters.retried_calls) == (0, 0)


def test_server_that_counts_only_what_it_reads_anew(tmp_path: Path) -> None:
    """A server's counter without the cached tokens is no mismatch; one that lacks others is."""
    rows = clean_rows()
    for row in rows:
        row.update(cached_tokens=500, server_prompt_tokens=1500)
    assert other_alarms(analyse_rows(tmp_path / "cached", rows)) == []
    for row in rows:
        row["server_prompt_tokens"] = 1200
    codes = {alarm.code for alarm in other_alarms(analyse_rows(tmp_path / "lost", rows))}
    assert codes == {"server_meter_mismatch"}


def test_server_is_compared_where_nothing_was_repeated(tmp_path: Path) -> None:
    """What failed requests cost the server is no fault of a meter: those runs are left out of its audit."""
    rows = clean_rows()
    for row in rows:
        if row["iteration"] == 1:
            row.update(retried_calls=1, server_prompt_tokens=4000)
    analysis = analyse_rows(tmp_path, rows)
    assert {alarm.code for alarm in other_alarms(analysis)} == {"retried_calls"}
    server = analysis.meters["crewai"].server
    assert server is not None
    assert (server.runs, server.total_ratio) == (6, 1)


def test_input_and_output_that_cancel(tmp_path: Path) -> None:
    """A meter that moves tokens from output to input is caught although its total is right."""
    rows = clean_rows()
    for row in rows:
        if row["framework"] == "crewai":
            row["native_prompt_tokens"] += 100
            row["native_completion_tokens"] -= 100
    assert [alarm.code for alarm in other_alarms(analyse_rows(tmp_path, rows))] == ["meter_mismatch"]


def test_decode_rate_of_each_run(clean: Analysis) -> None:
    """Where decoding is told apart, each run's rate is the model's, whatever prompts and frameworks add."""
    assert clean.drift.basis == "decode_s"
    assert clean.runs.decode_rate == pytest.approx([TOKENS_PER_S] * 48)
    assert sorted(clean.runs.order) == list(range(1, 49))


@pytest.mark.parametrize(
    ("unknown", "basis"),
    [((), "decode_s"), (("decode_s",), "model_s"), (("decode_s", "model_s"), "latency_s")],
)
def test_one_basis_for_all_rates(tmp_path: Path, unknown: tuple[str, ...], basis: str) -> None:
    """A framework that does not tell its decode time makes all rates be taken over what all tell."""
    rows = clean_rows()
    for row in rows:
        if row["framework"] == "crewai":
            row.update(dict.fromkeys(unknown, ""))
    analysis = analyse_rows(tmp_path, rows)
    assert analysis.drift.basis == basis
    assert all(rate is not None for rate in analysis.runs.decode_rate)


def test_an_instant_server_has_no_speed(tmp_path: Path) -> None:
    """Answers within milliseconds are no rate, so their jitter is no drift."""
    rows = clean_rows()
    for number, row in enumerate(rows):
        row.update(decode_s=0.001 * (1 + number), model_s=0.049, latency_s=0.549)
    analysis = analyse_rows(tmp_path, rows)
    assert analysis.drift.slowest is None
    assert "decode_rate_drift" not in alarms(analysis)


@pytest.mark.parametrize("model", ["scripted:instant", "replay:results/earlier"])
def test_answers_without_a_model_have_no_speed(store: Store, model: str) -> None:
    """Scripted and replayed answers have no decode rate, neither in runs nor in probes, and so no drift."""
    store.write_probe(probe(decode_s=100.0))
    content = json.loads(store.manifest_path.read_text())
    content["body"]["settings"]["llm_model"] = model
    content["sha256"] = digest(content["body"])
    store.manifest_path.write_text(json.dumps(content))
    analysis = analyse_store(store)
    assert other_alarms(analysis) == []
    assert analysis.drift.slowest is None
    assert analysis.drift.probes is not None
    assert (analysis.drift.probes.n, analysis.drift.probes.ratio) == (13, None)


def test_probes_lie_between_the_runs(clean: Analysis) -> None:
    """Each block of eight runs has a probe on either side, at the model's speed."""
    probes = clean.drift.probes
    assert probes is not None
    assert (probes.n, probes.failed, probes.texts, probes.basis) == (12, 0, 1, "decode_s")
    assert [mark.order for mark in probes.marks] == [0.5, 8.5, 8.5, 16.5, 16.5, 24.5, 24.5, 32.5, 32.5, 40.5, 40.5, 48.5]  # fmt: skip
    assert all(mark.tokens_per_s == pytest.approx(20) for mark in probes.marks)


def probe(number: int = 99, **fields: Any) -> Probe:
    values = {
        "number": number, "node": "n1", "block": "t.alpha.1", "when": "after", "at": at_minute(50),
        "seconds": 1.35, "prompt_tokens": 150, "completion_tokens": 24, "prefill_s": 0.15, "decode_s": 1.2,
        "text_sha256": "d" * 64,
    }  # fmt: skip
    return Probe(**values | fields)


def test_probe_drift(store: Store) -> None:
    """A probe beyond the bound raises the alarm with both rates; one within it does not."""
    store.write_probe(probe(98, decode_s=1.2 * (PROBE_DRIFT_RATIO - 0.01)))
    assert other_alarms(analyse_store(store)) == []
    store.write_probe(probe(99, decode_s=2.4))
    (alarm,) = other_alarms(analyse_store(store))
    assert (alarm.code, alarm.evidence["bound"]) == ("probe_drift", PROBE_DRIFT_RATIO)
    assert (alarm.evidence["slowest_tokens_per_s"], alarm.evidence["fastest_tokens_per_s"]) == pytest.approx(
        (10, 20)
    )


def test_probe_text_changed(store: Store) -> None:
    """Another answer to the same request is named."""
    store.write_probe(probe(text_sha256="e" * 64))
    (alarm,) = other_alarms(analyse_store(store))
    assert (alarm.code, alarm.evidence["texts"]) == ("probe_text_changed", 2)


def test_probe_failed(store: Store) -> None:
    """A failed probe has no rate, is counted, and moves no bound."""
    store.write_probe(
        probe(seconds=None, completion_tokens=None, decode_s=None, text_sha256=None, error="HTTP 500")
    )
    analysis = analyse_store(store)
    assert [alarm.code for alarm in other_alarms(analysis)] == ["probe_failed"]
    assert analysis.drift.probes is not None
    assert (analysis.drift.probes.failed, analysis.drift.probes.ratio) == (1, pytest.approx(1))


def test_noise_floor_missing(tmp_path: Path) -> None:
    """An experiment of ours without an A/A pair says so; a table from elsewhere only says that none is known."""
    analysis = analyse_store(stored_experiment(tmp_path / "ours", aa=[], **SMALL))
    assert [alarm.code for alarm in other_alarms(analysis)] == ["noise_floor_missing"]
    foreign = analyse_rows(tmp_path / "foreign", clean_rows())
    assert other_alarms(foreign) == []
    for found in (analysis, foreign):
        assert any(
            "How much of a difference is noise cannot be known" in line for line in found.summary.certainty
        )


def quarantine(record: RunRecord, code: Literal["disturbed", "late_calls"]) -> Quarantine:
    return Quarantine(
        run_id=record.key.run_id, attempt=record.attempt, attempt_id=record.attempt_id, code=code,
        reasons=["other programs used 41 % of the processors (bound 25 %)"],
    )  # fmt: skip


def of(store: Store, framework: str) -> RunRecord:
    return next(record for record in store.runs() if record.key.framework == framework)


def test_a_disturbed_run_that_nothing_replaced(store: Store, tmp_path: Path) -> None:
    """It keeps quality and tokens, its times enter no figure, and it is listed with its reason."""
    before = analyse_store(store).frameworks["crewai"]
    spoilt = stored_experiment(tmp_path / "slowed", change=slowed, **SMALL)
    record = next(r for r in spoilt.runs() if (r.key.framework, r.key.item) == ("crewai", "beta"))
    spoilt.write_quarantine(quarantine(record, "disturbed"))
    analysis = analyse_store(spoilt)
    after = analysis.frameworks["crewai"]
    assert (after.n, after.n_timed, after.quality, after.tokens) == (6, 5, before.quality, before.tokens)
    assert after.latency_spread.max < 100
    assert after.parts is not None
    assert sum(after.parts.model_dump().values()) == pytest.approx(after.latency_s, abs=1e-9)
    agents = [sum(parts.model_dump().values()) for parts in after.agent_parts.values()]
    assert sum(agents) == pytest.approx(after.latency_s, abs=1e-9)
    (listed,) = analysis.quarantined
    assert (listed.framework, listed.item, listed.kept) == ("crewai", "beta", True)
    assert "41 %" in listed.reasons[0]
    assert alarms(analysis)["disturbed_runs"].evidence == {"attempts": 1, "without_times": 1}
    assert all(
        d.n_items == 5 for d in analysis.differences if d.metric == "latency_s" and "crewai" in (d.a, d.b)
    )


def slowed(record: RunRecord) -> RunRecord:
    """CrewAI on one item, as if the machine had been busy for a thousand seconds."""
    if (record.key.framework, record.key.item) != ("crewai", "beta"):
        return record
    assert record.parts is not None
    assert record.latency_s is not None
    parts = record.parts.model_copy(update={"framework_s": record.parts.framework_s + 1000})
    return record.model_copy(update={"latency_s": record.latency_s + 1000, "parts": parts})


def test_a_disturbed_attempt_that_was_repeated(store: Store) -> None:
    """The repeat counts with its times, and the disturbed attempt is told as such."""
    record = of(store, "langgraph")
    store.write_quarantine(quarantine(record, "disturbed"))
    again = record.model_copy(update={"attempt": 2, "attempt_id": "again"})
    store.write_run(again, store.calls(record))
    analysis = analyse_store(store)
    assert analysis.frameworks["langgraph"].n_timed == 6
    assert [run.kept for run in analysis.quarantined] == [False]
    alarm = alarms(analysis)["disturbed_runs"]
    assert (alarm.severity, alarm.evidence["without_times"]) == ("low", 0)


def test_nothing_undisturbed(store: Store) -> None:
    """Where every run was disturbed there is no latency at all, and the first screen says why."""
    for record in store.runs():
        store.write_quarantine(quarantine(record, "disturbed"))
    analysis = analyse_store(store)
    assert analysis.summary.headline.endswith("Every run was disturbed, so latency says nothing.")
    assert {f.latency_s for f in analysis.frameworks.values()} == {None}
    assert all(f.quality is not None for f in analysis.frameworks.values())


def test_late_calls(store: Store) -> None:
    """A run whose process called on after its end counts nowhere, and its framework is named."""
    store.write_quarantine(quarantine(of(store, "crewai"), "late_calls"))
    analysis = analyse_store(store)
    assert (analysis.frameworks["crewai"].n, analysis.frameworks["crewai"].rows) == (5, 6)
    assert alarms(analysis)["late_calls"].evidence["frameworks"] == {"crewai": 1}
    assert "In quarantine" in analysis.failures[0].error


def test_contaminated_attempt_that_was_repeated(store: Store) -> None:
    """An attempt that is in no table is still counted among the contaminated."""
    record = of(store, "langgraph")
    lost = {"attempt": 2, "attempt_id": "lost", "status": Status.CONTAMINATED}
    store.write_run(record.model_copy(update=lost), [])
    alarm = alarms(analyse_store(store))["contaminated_runs"]
    assert (alarm.severity, alarm.evidence) == ("low", {"attempts": 1, "without_clean_attempt": 0})


def test_warm_ups_are_counted_and_in_no_figure(store: Store) -> None:
    """A warm-up changes the setup's count and nothing else."""
    before = analyse_store(store)
    record = of(store, "crewai")
    warm_up = {"key": record.key.model_copy(update={"iteration": 0}), "attempt_id": "w", "latency_s": 999.0}
    store.write_run(record.model_copy(update=warm_up), [])
    after = analyse_store(store)
    store.write_quarantine(quarantine(record.model_copy(update=warm_up), "disturbed"))
    assert analyse_store(store).quarantined == []
    assert (before.setup.warmups, after.setup.warmups) == (0, 1)
    assert after.frameworks == before.frameworks


def test_the_alarms_have_titles() -> None:
    """Every code that can be raised has a heading."""
    codes = {
        *("probe_drift", "probe_text_changed", "probe_failed", "noise_floor_missing", "disturbed_runs"),
        *("late_calls", "contaminated_runs", "retried_calls", "stray_calls", "server_meter_mismatch"),
    }
    assert codes <= set(ALARM_TITLES)


def test_an_experiment_of_schema_1(tmp_path: Path) -> None:
    """Records without stages, load and probes give the old figures, and the page says what is not known."""
    store = begun(tmp_path)
    for framework in ("a", "b"):
        store.write_run(run(framework, schema_version=1, text=framework), [])
    write_runs_csv(store)
    path, analysis = write_report(tmp_path)
    f = analysis.frameworks["a"]
    assert (f.model_s, f.tool_s, f.framework_s, f.parts, f.machine) == (2.5, 0.25, 0.75, None, None)
    (d,) = [d for d in analysis.differences if d.metric == "latency_s"]
    assert (d.total, d.model_s, d.gateway_s) == (0, 0, 0)
    page = path.read_text(encoding="utf-8")
    for words in (
        "Which part of the model&#39;s time was waiting, prefill or decoding is not known",
        "What else the machine was doing during these runs is not known",
        "No other meter&#39;s count is known",
        "No framework was run against itself",
    ):
        assert words.replace("&#39;", "'") in page.replace("&#39;", "'")


def test_damaged_records_cost_no_report(store: Store) -> None:
    """A record that cannot be read is said on the page; the table's figures stay."""
    before = analyse_store(store)
    next(store.folder.glob("probes/*.json")).write_text("{broken")
    assert read_runs(store.folder).stored.problem is not None
    _, analysis = write_report(store.folder)
    assert analysis.frameworks["crewai"].latency_s == before.frameworks["crewai"].latency_s
    assert any("records could not be read" in line for line in analysis.summary.cannot_conclude)
