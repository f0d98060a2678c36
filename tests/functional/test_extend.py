"""Experiments that grow: a larger plan runs only what is new, and folders of several machines become one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.records import Status
from shared.store import Store
from tests.functional.command import finish, records, research, write_plan

pytestmark = [pytest.mark.functional, pytest.mark.timeout(480)]

SCRIPTED = {"settings": {"llm_model": "scripted:instant"}}


def test_extended_then_merged(tmp_path: Path) -> None:
    """Only new runs are made, old records stay byte for byte, and two folders give one report on all runs."""
    small = write_plan(tmp_path / "small.yaml", frameworks=["direct"], tasks=research("stripe"), **SCRIPTED)
    large = write_plan(
        tmp_path / "large.yaml",
        frameworks=["scripted", "direct"],
        tasks=research("nvidia", "stripe"),
        iterations=2,
        **SCRIPTED,
    )
    left, right, both = (tmp_path / name for name in ("left", "right", "both"))
    assert finish("run", small, "--out", left, folder=tmp_path)[0] == 0
    before = records(left)
    code, said, _ = finish("run", large, "--out", left, folder=tmp_path)
    assert code == 2, said
    assert "--extend" in said

    code, said, _ = finish("run", large, "--extend", left, folder=tmp_path)
    assert code == 0, said
    assert "Measuring: 7" in said
    assert {name: content for name, content in records(left).items() if name in before} == before
    assert _completed(left) == 8
    code, said, _ = finish("run", large, "--out", left, folder=tmp_path)
    assert code == 0, said
    assert "Every run is complete and judged" in said

    other = write_plan(tmp_path / "other.yaml", frameworks=["direct"], tasks=research("datadog"), **SCRIPTED)
    assert finish("run", other, "--out", right, folder=tmp_path)[0] == 0
    code, said, _ = finish("merge", left, right, "--out", both, folder=tmp_path)
    assert code == 0, said
    assert _completed(both) == 9
    assert records(both) == records(left) | records(right)
    assert json.loads((both / "report.json").read_text())["frameworks"]["direct"]["n"] == 5
    assert "3 runs are missing" in said  # what the plan of all would also have: another iteration, framework


def _completed(out: Path) -> int:
    return sum(record.status is Status.COMPLETED for record in Store(out).runs())
