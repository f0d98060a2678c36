"""Bad servers, folders and environments: one clear message, the right exit code, nothing lost, then it heals."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime_envs.build import build, environment_folder
from runtime_envs.catalog import environment
from shared.plan import digest
from tests.functional.command import attempts, finish, records, research, write_plan
from tests.functional.model_service import ModelService, model_service
from tests.unit.upstream import hang, plain, raw, status

pytestmark = [pytest.mark.functional, pytest.mark.timeout(480)]

FRAMEWORKS = ["direct", "openai_agents"]
REQUEST_TIMEOUT_S = 2
CLOSED = "http://127.0.0.1:9"
"""Nobody listens there (the discard port)."""


@pytest.fixture
def service() -> Iterator[ModelService]:
    with model_service() as found:
        yield found


def test_server_that_is_down_at_the_start(tmp_path: Path) -> None:
    """A server that nobody started is the user's to start: exit code 2, its address, no record."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
    plan = write_plan(tmp_path / "plan.yaml", frameworks=["direct"], tasks=research("stripe"))
    code, said, _ = finish(
        *("run", plan, "--out", tmp_path / "out", "--model", "openai:m"),
        folder=tmp_path,
        LEVELFIELD_LLM_BASE_URL=address,
    )
    assert code == 2, said
    assert address in said
    assert "Start it" in said
    assert attempts(tmp_path / "out") == 0


def test_server_that_fails_every_call_then_heals(tmp_path: Path, service: ModelService) -> None:
    """After three model errors in a row it gives up and keeps them; once the server works, all is done."""
    service.behave = status(500)
    plan = write_plan(tmp_path / "plan.yaml", frameworks=FRAMEWORKS, tasks=research("anthropic", "stripe"))
    out = tmp_path / "out"
    arguments = ("run", plan, "--out", out)
    code, said, _ = finish(*arguments, folder=tmp_path, **service.variables)
    assert code == 2, said
    assert "failed 3 runs in a row" in said
    assert "HTTP 500" in said
    assert _statuses(out) == ["model_error"] * 3
    before = records(out)

    service.behave = plain
    code, said, _ = finish(*arguments, folder=tmp_path, **service.variables)
    assert code == 0, said
    assert _statuses(out).count("completed") == 4
    assert {name: content for name, content in records(out).items() if name in before} == before


def test_nonsense_and_silence_are_the_servers_fault(tmp_path: Path, service: ModelService) -> None:
    """HTML with status 200, and no answer within the request's time, are model errors of either framework."""
    plan = write_plan(
        tmp_path / "plan.yaml",
        frameworks=FRAMEWORKS,
        tasks=research("stripe"),
        limits={"request_timeout_s": REQUEST_TIMEOUT_S},
    )
    out = tmp_path / "out"
    arguments = ("run", plan, "--out", out)
    service.behave = raw(b"<html>Welcome</html>", "text/html")
    code, said, _ = finish(*arguments, folder=tmp_path, **service.variables)
    assert code == 1, said
    assert "2 runs are missing" in said
    assert _statuses(out) == ["model_error"] * 2

    service.behave = hang
    code, said, _ = finish(*arguments, folder=tmp_path, **service.variables)
    assert code == 1, said
    assert _statuses(out) == ["model_error"] * 4
    for path in out.glob("runs/*/attempt-2.json"):
        latency_s = json.loads(path.read_text())["body"]["latency_s"]
        assert REQUEST_TIMEOUT_S - 0.5 < latency_s < REQUEST_TIMEOUT_S + 5


def test_folders_that_are_not_this_experiments(tmp_path: Path) -> None:
    """Another plan's folder or a newer schema is refused with 2, a corrupted record with 1 and its name."""
    content = {"frameworks": ["scripted"], "settings": {"llm_model": "scripted:instant"}}
    plan = write_plan(tmp_path / "plan.yaml", tasks=research("stripe"), **content)
    out = tmp_path / "out"
    code, said, _ = finish("run", plan, "--out", out, folder=tmp_path)
    assert code == 0, said
    before = records(out)

    other = write_plan(tmp_path / "other.yaml", tasks=research("stripe"), **content, seed=8)
    code, said, command = finish("run", other, "--out", out, folder=tmp_path)
    assert code == 2, said
    assert "seed" in said
    assert "--out" in said
    assert records(out) == before
    assert command.seconds < 30

    record = next(out.glob("runs/*/attempt-1.json"))
    good = record.read_text()
    record.write_text(good.replace('"attempt": 1', '"attempt": 2'))
    code, said, _ = finish("run", plan, "--out", out, folder=tmp_path)
    assert code == 1, said
    assert record.name in said.replace("\n", "")
    record.write_text(good)

    manifest = out / "manifest.json"
    body = json.loads(manifest.read_text())["body"] | {"schema_version": 99}
    manifest.write_text(json.dumps({"sha256": digest(body), "body": body}))
    for arguments in (("run", plan, "--out", out), ("status", out)):
        code, said, _ = finish(*arguments, folder=tmp_path)
        assert code == 2, said
        assert "newer Levelfield" in said


def test_environment_that_cannot_be_built(tmp_path: Path) -> None:
    """Without a package index, framework, package and cure are named, the others run, and the code is 1."""
    plan = write_plan(
        tmp_path / "plan.yaml",
        frameworks=["scripted", "openai_agents"],
        tasks=research("stripe"),
        settings={"llm_model": "scripted:instant"},
    )
    cache = tmp_path / "cache"
    (cache / "envs").mkdir(parents=True)
    here = environment_folder(environment("plain"), cache)
    here.symlink_to(build("plain").path)
    code, said, _ = finish(
        *("run", plan, "--out", tmp_path / "out"),
        folder=tmp_path,
        LEVELFIELD_CACHE=str(cache),
        UV_CACHE_DIR=str(tmp_path / "uv"),
        UV_DEFAULT_INDEX=f"{CLOSED}/simple",
        UV_HTTP_RETRIES="0",
    )
    assert code == 1, said
    assert "openai_agents is left out" in said
    assert "at the package '" in said
    assert "index cannot be reached" in said
    assert _statuses(tmp_path / "out") == ["completed"]
    assert not list((cache / "envs").glob("*.part"))


def test_disk_that_is_full(tmp_path: Path) -> None:
    """A disk that fills up ends the command with what to do; with room, the same command goes on."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "levelfield-test", str(disk)]
    if subprocess.run(mount, capture_output=True, timeout=10, check=False).returncode:
        pytest.skip("mounting a small disk takes root")
    try:
        plan = write_plan(
            tmp_path / "plan.yaml",
            frameworks=["direct", "scripted"],
            tasks=research("anthropic", "stripe"),
            settings={"llm_model": "scripted:instant"},
        )
        out = disk / "out"
        code, said, _ = finish("run", plan, "--out", out, folder=tmp_path)
        assert code == 1, said
        assert "No space left" in said
        assert "make room" in said
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True, timeout=10)
        # Calls whose record found no room are no run, and are written again with the next attempt.
        before = {name: text for name, text in records(out).items() if _has_record(out, name)}
        code, said, _ = finish("run", plan, "--out", out, folder=tmp_path)
        assert code == 0, said
        assert records(out).items() >= before.items()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True, timeout=10)


def _has_record(out: Path, name: str) -> bool:
    return (out / f"{name.partition('.calls')[0].partition('.spans')[0].removesuffix('.json')}.json").exists()


def _statuses(out: Path) -> list[str]:
    """Of every attempt."""
    paths = sorted(out.glob("runs/*/attempt-*.json"))
    return [json.loads(path.read_text())["body"]["status"] for path in paths]
