"""The gateway's process and its files: written in time, tidied up, gone with its parent."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cluster.gateway.process import GatewayProcess
from shared.errors import NodeFailed
from tests.unit import upstream
from tests.unit.running_gateway import chat, running_gateway


def test_calls_are_on_disk_before_the_answer_arrives() -> None:
    """When a client has its answer, the journal's file has the call, streamed or not."""
    with running_gateway() as fresh, fresh.lease() as lease:
        for number in range(1, 5):
            fresh.server.behave = (
                upstream.stream([upstream.DELTA, upstream.END]) if number > 2 else upstream.plain
            )
            chat(lease, stream=number > 2)
            lines = (fresh.spool / "lease-1.jsonl").read_text().splitlines()
            assert [json.loads(line)["sequence"] for line in lines] == list(range(1, number + 1))


def test_what_a_killed_gateway_had_written_is_not_lost() -> None:
    """The report of a gateway that was killed in a run holds the calls that were answered, and says so."""
    with running_gateway() as fresh, fresh.lease() as lease:
        chat(lease)
        chat(lease, stream=True)
        with lease.journal.open("a") as journal:
            journal.write('{"sequence": 3, "half a line')
        (pid,) = fresh.process.pids()
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while fresh.process.alive and time.monotonic() < deadline:
            time.sleep(0.02)
        report = fresh.close(lease)
        assert [call.sequence for call in report.calls] == [1, 2]
        assert "died during the run" in (report.journal_error or "")
        assert report.opened_at_s == lease.opened_at_s
        assert fresh.process.pids() == []


def test_the_spool_holds_no_more_than_the_last_runs() -> None:
    """A lease's file goes when the next lease is closed, so a long plan does not fill the disk."""
    with running_gateway() as fresh:
        for _ in range(3):
            with fresh.lease() as lease:
                chat(lease)
        with fresh.lease():
            assert [path.name for path in sorted(fresh.spool.glob("lease-*"))] == [
                "lease-3.jsonl",
                "lease-4.jsonl",
            ]


def test_a_port_in_use_is_a_clear_error(tmp_path: Path) -> None:
    """The message names the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(NodeFailed, match=f"cannot listen on 127.0.0.1:{port}"):
            GatewayProcess().start("http://127.0.0.1:9/v1", None, tmp_path, port=port)


def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    """A parent killed with SIGKILL leaves no gateway behind."""
    starter = f"""
import sys, time
sys.path.insert(0, {str(Path.cwd())!r})
from pathlib import Path
from cluster.gateway.process import GatewayProcess
process = GatewayProcess()
process.start("http://127.0.0.1:9/v1", None, Path({str(tmp_path)!r}))
print(process.pids()[0], flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait(10)
    deadline = time.monotonic() + 10
    while _is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_running(child)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"
