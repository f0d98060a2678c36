"""`levelfield export --to inspect` before Inspect itself, in the locked environment `bench-inspect`."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cluster.export.command import export_command
from runtime_envs.build import build
from tests.functional.command import clean_environment
from tests.unit.exported_experiment import exported_experiment
from tests.unit.measured_experiment import stored_experiment

pytestmark = [pytest.mark.functional, pytest.mark.timeout(900)]
READER = Path(__file__).with_name("read_inspect_log.py")


@pytest.fixture(scope="module")
def python() -> Path:
    return build("bench-inspect").python


def exported(folder: Path, out: Path) -> list[Path]:
    export_command(folder, "inspect", out, Console(quiet=True), bodies=False, overwrite=False)
    return sorted(out.iterdir())


def test_inspect_reads_all_that_was_written(python: Path, tmp_path: Path) -> None:
    """Every value of every log is there after Inspect's own reader, and again after its own writer."""
    logs = exported(exported_experiment(tmp_path / "odd").folder, tmp_path / "odd-logs")
    logs += exported(stored_experiment(tmp_path / "clean").folder, tmp_path / "clean-logs")[:1]
    for path in logs:
        said = subprocess.run(
            [python, READER, path, tmp_path],
            capture_output=True,
            text=True,
            check=False,
            env=clean_environment(),
        )
        assert not said.returncode, said.stderr
        found, written = json.loads(said.stdout), resolved(json.loads(path.read_text(encoding="utf-8")))
        found["log"]["samples"].sort(key=lambda sample: (sample["epoch"], sample["id"]))
        assert list(lost(written, found["log"])) == []
        assert list(lost(written, found["again"])) == []
        assert list(lost({**written, "samples": None}, found["head"])) == []


def test_the_command_line_lists_and_dumps(python: Path, tmp_path: Path) -> None:
    """`inspect log list` finds both logs with their names, `inspect log dump` prints the samples."""
    logs = exported(exported_experiment(tmp_path / "odd").folder, tmp_path / "logs")
    listed = json.loads(inspect(python, "log", "list", "--json", "--log-dir", str(tmp_path / "logs")))
    assert {entry["task"] for entry in listed} == {"t-a-idiomatic", "t-b-idiomatic"}
    dumped = json.loads(inspect(python, "log", "dump", str(logs[0])))
    assert dumped["samples"][0]["output"]["completion"].startswith("= A report")


def test_inspect_view_shows_them(python: Path, tmp_path: Path) -> None:
    """The viewer's server gives its page and lists the logs."""
    exported(exported_experiment(tmp_path / "odd").folder, tmp_path / "logs")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(python.with_name("inspect")), "view", "start", "--log-dir", str(tmp_path / "logs")]
    with (tmp_path / "view.log").open("wb") as log:
        viewer = subprocess.Popen(
            [*command, "--port", str(port)], stdout=log, stderr=log, env=clean_environment()
        )
    try:
        page = next(answers(f"http://127.0.0.1:{port}/", viewer))
        listed = next(answers(f"http://127.0.0.1:{port}/api/logs", viewer))
    finally:
        viewer.terminate()
        viewer.wait(30)
    assert b"<title>Inspect View</title>" in page
    assert {file["task"] for file in json.loads(listed)["files"]} == {"t-a-idiomatic", "t-b-idiomatic"}


def answers(url: str, server: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """What it says once it is up; the test's own timeout ends a server that never is."""
    while server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                yield answer.read()
        except OSError:
            continue
    raise AssertionError("the viewer has ended")


def inspect(python: Path, *arguments: str) -> str:
    said = subprocess.run(
        [python.with_name("inspect"), *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=clean_environment(),
    )
    return re.sub(r"\x1b\[[0-9;]*m", "", said.stdout)


def resolved(log: dict[str, Any]) -> dict[str, Any]:
    """With the long texts back in the events, and in the order in which Inspect writes."""
    log["samples"].sort(key=lambda sample: (sample["epoch"], sample["id"]))
    for sample in log["samples"]:
        sample["events"] = filled(sample["events"], sample.pop("attachments"))
    return log


def filled(value: Any, attachments: dict[str, str]) -> Any:
    if isinstance(value, str):
        return attachments.get(value.removeprefix("attachment://"), value)
    if isinstance(value, list):
        return [filled(part, attachments) for part in value]
    if isinstance(value, dict):
        return {name: filled(part, attachments) for name, part in value.items()}
    return value


def lost(written: Any, found: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where `found` does not say what was written; it may say more, and null says nothing."""
    if isinstance(written, dict) and isinstance(found, dict):
        for name, value in written.items():
            if value is not None:
                yield from lost(value, found.get(name), f"{place}.{name}")
    elif isinstance(written, list) and isinstance(found, list) and len(written) == len(found):
        for number, (one, other) in enumerate(zip(written, found, strict=True)):
            yield from lost(one, other, f"{place}[{number}]")
    elif written != found:
        yield place, written, found
