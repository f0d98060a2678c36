"""Two versions of one framework in one plan, for real: resolved, built, run on the scripted model, and gated."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.functional.command import finish, levelfield, records, research, write_plan

pytestmark = [pytest.mark.functional, pytest.mark.timeout(580)]

OLDER = "langgraph==1.1.*"
FIRST_TIME_S = 540
"""The index is asked and packages are fetched; with them there it takes about half a minute."""


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The plan, and the folder of its results."""
    folder = tmp_path_factory.mktemp("versions")
    plan = write_plan(
        folder / "plan.yaml",
        frameworks=["langgraph", OLDER],
        tasks=research("anthropic", "stripe"),
        settings={"llm_model": "scripted:instant"},
    )
    with levelfield("run", plan, "--out", folder / "out", folder=folder) as command:
        assert command.wait(FIRST_TIME_S) == 0, command.output
        assert "Traceback" not in command.output
    return plan, folder / "out"


def test_each_runs_in_its_own_environment(versions: tuple[Path, Path]) -> None:
    """Both complete with the same calls; every record says which version it was, and titles tell them apart."""
    _, out = versions
    with (out / "runs.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sorted((row["framework"], row["item"], row["status"]) for row in rows) == [
        (name, item, "completed")
        for name in ("langgraph", "langgraph@1.1.x")
        for item in ("anthropic", "stripe")
    ]
    assert {row["model_calls"] for row in rows} == {"3"}
    ran = {
        body["key"]["framework"]: body["boot"]["versions"]["langgraph"]
        for body in (_body(path) for path in out.glob("runs/*/attempt-1.json"))
    }
    assert ran["langgraph@1.1.x"].startswith("1.1.")
    assert not ran["langgraph"].startswith("1.1.")
    manifest = _body(out / "manifest.json")
    titles = {name: entry["title"] for name, entry in manifest["frameworks"].items()}
    assert titles == {name: f"LangGraph {version}" for name, version in ran.items()}
    assert titles["langgraph@1.1.x"] in (out / "report.html").read_text(encoding="utf-8")


def test_a_resume_uses_the_experiments_own_lock(versions: tuple[Path, Path], tmp_path: Path) -> None:
    """With another cache and no index, the same command finds everything complete and measures nothing."""
    plan, out = versions
    before = records(out)
    unreachable = (tmp_path / "none").as_uri()
    code, said, _ = finish(
        "run",
        plan,
        "--out",
        out,
        folder=tmp_path,
        LEVELFIELD_CACHE=str(tmp_path / "cache"),
        UV_DEFAULT_INDEX=unreachable,
    )
    assert code == 0, said
    assert records(out) == before


def test_the_two_are_gated(versions: tuple[Path, Path], tmp_path: Path) -> None:
    """Two items are not enough for a change, but enough to see that the tokens are the same."""
    _, out = versions
    arguments = ["gate", out, "--base", OLDER, "--head", "langgraph", "--json", tmp_path / "gate.json"]
    code, said, _ = finish(*arguments, "--metric", "tokens", "--metric", "framework_s", folder=tmp_path)
    assert code == 0, said
    lines = json.loads((tmp_path / "gate.json").read_text(encoding="utf-8"))["lines"]
    assert {line["metric"]: line["status"] for line in lines} == {
        "tokens": "unchanged", "framework_s": "not_enough_data",
    }  # fmt: skip


def _body(path: Path) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["body"]
    return body
