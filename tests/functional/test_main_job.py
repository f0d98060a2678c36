"""The main job, end to end on this machine: two frameworks and the floor on the real embedded model."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.store import Store
from tests.functional.command import RUN_PATH, finish, levelfield, records, research, write_plan

pytestmark = [pytest.mark.functional, pytest.mark.timeout(580)]

FRAMEWORKS = ["direct", "langgraph", "openai_agents"]
AGENTS = ["researcher", "analyst", "writer"]
MAX_TOKENS = 16
SEED = 7
PLANTED_KEY = "sk-planted-5d1c0f2e"
FIRST_TIME_S = 540
"""Environments and weights may have to be fetched; with them there it takes one minute."""
SECOND_TIME_S = 30


@dataclass(frozen=True)
class Job:
    """A finished first run of the plan."""

    plan: Path
    out: Path
    code: int
    said: str
    left_behind: list[str]
    written: dict[str, bytes]
    """All that it wrote: results and Ray's own logs."""


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    folder = tmp_path_factory.mktemp("job")
    plan = write_plan(
        folder / "plan.yaml",
        frameworks=FRAMEWORKS,
        tasks=research("stripe"),
        seed=SEED,
        limits={"facts_per_query": 1, "max_tokens": dict.fromkeys(AGENTS, MAX_TOKENS)},
        settings={"llm_model": "llamacpp:smollm2-135m"},
    )
    out = folder / "out"
    with levelfield("run", plan, "--out", out, folder=folder, LEVELFIELD_LLM_API_KEY=PLANTED_KEY) as command:
        code = command.wait(FIRST_TIME_S)
        left = command.left_behind(10)
        written = {
            str(path): path.read_bytes()
            for folder in (out, command.ray_folder)
            for path in folder.rglob("*")
            if path.is_file()
        }
        yield Job(plan, out, code, command.output, left, written)


def test_every_run_is_recorded_and_metered(job: Job) -> None:
    """Each framework completes with three model calls, and counts the tokens that the wire counts."""
    assert job.code == 0, job.said
    assert "Traceback" not in job.said
    rows = _rows(job.out)
    assert sorted(row["framework"] for row in rows) == FRAMEWORKS
    for row in rows:
        assert (row["status"], row["model_calls"], row["tool_calls"]) == ("completed", "3", "0")
        assert int(row["prompt_tokens"]) > 100
        assert 3 <= int(row["completion_tokens"]) <= 3 * MAX_TOKENS
        assert row["native_prompt_tokens"] == row["prompt_tokens"]
        assert row["native_completion_tokens"] == row["completion_tokens"]
        assert float(row["latency_s"]) > float(row["model_s"]) > 0
        assert (row["item"], row["words_in_range"]) == ("stripe", "False")

    manifest = _body(job.out / "manifest.json")
    assert manifest["plan"]["frameworks"] == FRAMEWORKS
    assert manifest["server"]["digest"].startswith("sha256:")
    assert manifest["frameworks"]["langgraph"]["versions"]["langgraph"]


def test_every_call_is_in_the_journal(job: Job) -> None:
    """Each request asks for temperature 0, the plan's seed and token limit, and begins with the same facts."""
    first_requests = set()
    store = Store(job.out)
    for record in store.runs():
        calls = store.calls(record)
        assert [(call.kind, call.agent) for call in calls] == [("model", agent) for agent in AGENTS]
        for call in calls:
            asked = call.request
            assert (asked["temperature"], asked["seed"], asked["max_tokens"]) == (0, SEED, MAX_TOKENS)
            assert (call.status, call.retry_of) == (200, None)
            assert call.server
            assert call.server.decode_s
        asked = calls[0].request["messages"]
        first_requests.add(json.dumps([(message["role"], _text(message)) for message in asked]))
    assert len(first_requests) == 1


def test_the_wire_proves_what_was_measured(job: Job) -> None:
    """Times add up, the server's own counters agree, probes frame the block, and treatment was equal."""
    store = Store(job.out)
    for record in store.runs():
        assert record.parts
        assert record.latency_s == pytest.approx(record.parts.total_s, abs=1e-6)
        assert min(record.parts.prefill_s, record.parts.decode_s, record.parts.framework_s) > 0
        assert record.parts.model_s == 0
        assert list(record.agent_parts) == AGENTS
        counted = (record.server_prompt_tokens, record.server_completion_tokens)
        assert counted == (record.prompt_tokens, record.completion_tokens)
        assert record.machine
        assert record.machine.own_share
        spans = (job.out / f"runs/{record.key.run_id}/attempt-1.spans.jsonl").read_text()
        assert str(record.trace_id) in spans
    probes = store.probes()
    assert [probe.when for probe in probes] == ["before", "after"]
    assert len({probe.text_sha256 for probe in probes}) == 1
    assert all(probe.prefill_s and probe.decode_s for probe in probes)
    code, said, _ = finish("fairness", job.out, "--strict", folder=job.plan.parent)
    assert code == 0, said


def test_the_recording_replays_without_a_model(job: Job) -> None:
    """On the recorded answers each framework writes the same report, asking the same, and no model runs."""
    out = job.out.with_name("replayed")
    arguments = ("run", job.plan, "--model", f"replay:{job.out}", "--out", out)
    code, said, _ = finish(*arguments, folder=job.plan.parent)
    assert code == 0, said
    recorded = {record.key: record for record in Store(job.out).runs()}
    store = Store(out)
    for record in store.runs():
        before = recorded[record.key]
        assert (record.text, record.total_tokens) == (before.text, before.total_tokens)
        assert record.replay_of == before.attempt_id
        assert not any(call.recorded for call in store.calls(record))
        assert record.parts
        assert record.parts.at_model_s < (before.parts.at_model_s if before.parts else 0) / 5
    assert len(recorded) == len(store.runs()) == len(FRAMEWORKS)
    assert not (out / "logs" / "llamacpp.log").exists()


def test_judged_checked_and_reported(job: Job) -> None:
    """Each report has a verdict, kept even if unusable, and checks; report.json says what runs.csv says."""
    verdicts = [_body(path) for path in job.out.glob("verdicts/*/*.json")]
    assert len(verdicts) == len(FRAMEWORKS)
    # Short texts of a small model are often the same, and one verdict then serves all of them.
    assert all(verdict["attempts"] or verdict["same_text_as"] for verdict in verdicts)
    assert any(verdict["attempts"] for verdict in verdicts)
    assert len(list(job.out.glob("checks/*.json"))) == len(FRAMEWORKS)

    report = json.loads((job.out / "report.json").read_text())
    for row in _rows(job.out):
        found = report["frameworks"][row["framework"]]
        assert found["n"] == 1
        assert _only_value(found["tokens"]) == float(row["total_tokens"])
        assert _only_value(found["latency_s"]) == pytest.approx(float(row["latency_s"]))
    page = (job.out / "report.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "LangGraph" in page


def test_no_secret_is_written_and_no_process_stays(job: Job) -> None:
    """Neither a key nor a run's secret path is in any file, Ray's logs included; all processes are gone."""
    assert job.left_behind == []
    assert len(job.written) > 20
    leaking = [
        path
        for path, content in job.written.items()
        if PLANTED_KEY.encode() in content or RUN_PATH.search(content)
    ]
    assert leaking == []
    assert PLANTED_KEY not in job.said


def test_same_command_again_does_nothing_new(job: Job) -> None:
    """A complete experiment starts no model and no Ray, changes no record, and says that all is done."""
    before = records(job.out)
    code, said, command = finish("run", job.plan, "--out", job.out, folder=job.plan.parent)
    assert code == 0, said
    assert "Every run is complete and judged" in said
    assert "Starting Ray" not in said
    assert "Measuring" not in said
    assert records(job.out) == before
    assert command.seconds < SECOND_TIME_S


def _rows(out: Path) -> list[dict[str, str]]:
    with (out / "runs.csv").open(encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def _body(path: Path) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(path.read_text())["body"]
    return body


def _text(message: dict[str, Any]) -> str:
    """Frameworks write a text as a string or as a list of one part."""
    content = message["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def _only_value(found: Any) -> float:
    """A framework's number, given plainly or as the mean beside others."""
    return float(found["mean"] if isinstance(found, dict) else found)
