"""The main job, end to end on this machine: two frameworks and the floor on the real embedded model."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

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
    for path in job.out.glob("runs/*/attempt-1.calls.jsonl"):
        calls = [json.loads(line) for line in path.read_text().splitlines()]
        assert [call["kind"] for call in calls] == ["model"] * 3
        for call in calls:
            assert call["request"]["temperature"] == 0
            assert call["request"]["seed"] == SEED
            limit = call["request"].get("max_tokens") or call["request"]["max_completion_tokens"]
            assert limit == MAX_TOKENS
            assert call["status"] == 200
        asked = calls[0]["request"]["messages"]
        first_requests.add(json.dumps([(message["role"], _text(message)) for message in asked]))
    assert len(first_requests) == 1


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
