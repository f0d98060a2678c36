"""What a framework may do to its node: each run is blamed for its own, and the next finds nothing of it."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from shared.records import RunRecord, Status
from shared.store import Store
from tests.functional.command import FINISH_S, levelfield, research, write_plan
from tests.functional.faulty_checkout import faulty_checkout

pytestmark = [pytest.mark.functional, pytest.mark.timeout(300)]

SLEEP = "31415926"
"""Seconds that a process left behind would sleep: also how it is recognised."""
FAULTS = f"""
    if item == "anthropic":  # leaves a process in a session of its own, whose parent has ended
        subprocess.run(["sh", "-c", "setsid sleep {SLEEP} >/dev/null 2>&1 &"], env={{"PATH": os.environ["PATH"]}})
    if item == "cloudflare":  # takes memory without end
        held = []
        while True:
            held.append(bytearray(os.urandom(1 << 20) * 32))
    if item == "datadog":  # never comes back, and cannot be asked to
        import signal
        os.kill(os.getpid(), signal.SIGSTOP)
    if item == "nvidia" and not os.path.exists(FOLDER + "/died"):  # dies once
        open(FOLDER + "/died", "w").close()
        os.kill(os.getpid(), 9)
    if item == "shopify":  # dies always
        os._exit(1)
"""


def test_each_run_is_blamed_for_its_own(tmp_path: Path) -> None:
    """A fork, a memory hog, a stopped process and one that dies spoil no other run, and each has its status."""
    plan = write_plan(
        tmp_path / "plan.yaml",
        frameworks=["direct", "scripted"],
        tasks=research("anthropic", "cloudflare", "datadog", "nvidia", "shopify", "stripe"),
        limits={"run_timeout_s": 10, "memory_mib": 500},
        settings={"llm_model": "scripted:instant"},
    )
    out = tmp_path / "out"
    variables = faulty_checkout(tmp_path, FAULTS)
    with levelfield("run", plan, "--out", out, folder=tmp_path, **variables) as command:
        code = command.wait(FINISH_S)
        assert command.left_behind(10) == []
        said = command.output
    assert code == 1, said
    assert "1 runs are missing" in said
    assert _sleeping() == []

    found = {record.key.item: record for record in Store(out).runs() if record.key.framework == "direct"}
    assert {item: record.status for item, record in found.items()} == {
        "anthropic": Status.COMPLETED,
        "cloudflare": Status.LIMIT_REACHED,
        "datadog": Status.TIMEOUT,
        "nvidia": Status.COMPLETED,
        "shopify": Status.INFRASTRUCTURE_ERROR,
        "stripe": Status.COMPLETED,
    }
    assert "limits.memory_mib" in (found["cloudflare"].error or "")
    tries = {item: [each.status for each in _attempts(out, item)] for item in found}
    assert tries["nvidia"] == [Status.INFRASTRUCTURE_ERROR, Status.COMPLETED]
    assert tries["shopify"] == [Status.INFRASTRUCTURE_ERROR] * 3
    assert all(len(tries[item]) == 1 for item in ("anthropic", "cloudflare", "datadog", "stripe"))
    beside = [record for record in Store(out).runs() if record.key.framework == "scripted"]
    assert [record.status for record in beside] == [Status.COMPLETED] * 6


def _attempts(out: Path, item: str) -> list[RunRecord]:
    found = [each for each in Store(out).attempts() if each.key.item == item]
    return sorted((each for each in found if each.key.framework == "direct"), key=lambda each: each.attempt)


def _sleeping() -> list[int]:
    return [p.pid for p in psutil.process_iter() if p.pid != os.getpid() and SLEEP in _words(p)]


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
