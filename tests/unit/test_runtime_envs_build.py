"""Building environments with the real uv, from a tiny package made here and no network."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from runtime_envs import tied
from runtime_envs.build import BuiltEnvironment, build_environment
from runtime_envs.catalog import ROOT, Environment
from runtime_envs.installer import explain_failure
from runtime_envs.models import Weights, put_together
from runtime_envs.preflight import preflight
from shared.errors import EnvironmentFailed

WHEEL = "tiny_thing-1.0-py3-none-any.whl"


def _make_wheel(folder: Path, name: str = WHEEL) -> str:
    """A package of one file; returns the wheel's sha256."""
    info = "tiny_thing-1.0.dist-info"
    tag = name.removesuffix(".whl").split("-", 2)[2]
    files = {
        "tiny_thing.py": b"ANSWER = 42\n",
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.0\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
    }
    record = ""
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(content)}\n"
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    with zipfile.ZipFile(folder / name, "w") as wheel:
        for path, content in files.items():
            wheel.writestr(path, content)
    return hashlib.sha256((folder / name).read_bytes()).hexdigest()


def _environment(folder: Path, sha256: str) -> Environment:
    (folder / "tiny.txt").write_text(f"tiny-thing==1.0 --hash=sha256:{sha256}\n", encoding="utf-8")
    return Environment("tiny", "framework", "tiny", locks=folder)


@pytest.fixture(autouse=True)
def own_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))


@pytest.fixture
def tiny(tmp_path: Path) -> Environment:
    return _environment(tmp_path, _make_wheel(tmp_path))


def _answers(built: BuiltEnvironment) -> str:
    command = [str(built.python), "-c", "import tiny_thing; print(tiny_thing.ANSWER, tiny_thing.__cached__)"]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout


def test_environment_is_built_once_and_then_reused(tiny: Environment, tmp_path: Path) -> None:
    """The first build installs the lock, compiled, in a folder that imports it; the second finds it."""
    first = build_environment(tiny, tmp_path / "cache")
    again = build_environment(tiny, tmp_path / "cache")
    answer, compiled = _answers(first).split()
    assert answer == "42"
    assert Path(compiled).is_file()
    assert (first.reused, again.reused) == (False, True)
    assert first.path == again.path
    assert first.path.name.startswith("tiny-")
    assert first.size_bytes > 0


def test_another_lock_is_another_environment(tiny: Environment, tmp_path: Path) -> None:
    """When the lock changes, the environment is built beside the old one and not over it."""
    first = build_environment(tiny, tmp_path / "cache")
    tiny.lock.write_text("# newer\n" + tiny.lock.read_text(encoding="utf-8"), encoding="utf-8")
    second = build_environment(tiny, tmp_path / "cache")
    assert first.path != second.path
    assert first.path.exists()
    assert not second.reused


def test_two_builders_at_once_build_once(tiny: Environment, tmp_path: Path) -> None:
    """Of two builders that start together one builds, the other waits and finds it built."""
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: build_environment(tiny, tmp_path / "cache"), range(2)))
    assert sorted(built.reused for built in both) == [False, True]
    assert both[0].path == both[1].path


def test_killed_builder_leaves_nothing_that_counts(tiny: Environment, tmp_path: Path) -> None:
    """After a builder is killed half-way, the next one builds anew and clears what was left."""
    cache = tmp_path / "cache"
    # It stops for good at uv's first words, when the folder exists and nothing is installed yet.
    script = (
        "import sys, time; from pathlib import Path\n"
        "from runtime_envs.build import build_environment; from runtime_envs.catalog import Environment\n"
        "wanted = Environment('tiny', 'framework', 'tiny', locks=Path(sys.argv[1]))\n"
        "build_environment(wanted, Path(sys.argv[2]), lambda _: time.sleep(60))\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path), str(cache)]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    try:
        deadline = time.monotonic() + 30
        while not list((cache / "envs").glob("*.part/bin/python")):
            assert time.monotonic() < deadline, "no build began"
            time.sleep(0.05)
    finally:
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait(10)
    _, alive = psutil.wait_procs(children, timeout=5)
    assert not alive, "uv outlived the builder that was killed"
    assert list((cache / "envs").glob("*.part"))
    built = build_environment(tiny, cache)
    assert not built.reused
    assert _answers(built).startswith("42")
    assert not list((cache / "envs").glob("*.part"))


def test_wrong_hash_names_package_and_cure(tmp_path: Path) -> None:
    """A package that is not what the lock names is refused, and nothing is left behind."""
    _make_wheel(tmp_path)
    wanted = _environment(tmp_path, "0" * 64)
    with pytest.raises(EnvironmentFailed) as failure:
        build_environment(wanted, tmp_path / "cache")
    assert "tiny-thing" in str(failure.value)
    assert "not what the lock names" in str(failure.value)
    assert not [path for path in (tmp_path / "cache" / "envs").iterdir() if path.is_dir()]


def test_unreachable_index_names_the_network(
    tiny: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no index in reach the message says so, and how to name another."""
    monkeypatch.delenv("UV_NO_INDEX")
    monkeypatch.delenv("UV_FIND_LINKS")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(EnvironmentFailed, match="cannot be reached") as failure:
        build_environment(tiny, tmp_path / "cache")
    assert "UV_DEFAULT_INDEX" in str(failure.value)
    assert "tiny-thing" in str(failure.value)


def test_missing_wheel_names_the_python(tmp_path: Path) -> None:
    """A package with wheels for other platforms only says which Pythons would do."""
    sha256 = _make_wheel(tmp_path, "tiny_thing-1.0-cp27-cp27m-win32.whl")
    with pytest.raises(EnvironmentFailed, match="no wheel for this Python") as failure:
        build_environment(_environment(tmp_path, sha256), tmp_path / "cache")
    assert "tiny-thing" in str(failure.value)


def test_full_disk_is_told_from_uvs_words(tiny: Environment) -> None:
    """Uv's report of a full disk becomes advice on where to make room, with uv's words quoted."""
    said = "error: Failed to install: ray-2.60.0.whl (ray==2.60.0)\n  Caused by: No space left on device (os error 28)"
    message = explain_failure(tiny, said)
    assert "'ray'" in message
    assert "disk is full" in message
    assert "uv:   Caused by: No space left" in message


def test_cache_that_cannot_be_written_is_told(tiny: Environment, tmp_path: Path) -> None:
    """A cache folder that cannot be made is an error that names the setting, not a traceback of ours."""
    (tmp_path / "cache").write_text("a file where a folder should be", encoding="utf-8")
    with pytest.raises(EnvironmentFailed, match="LEVELFIELD_CACHE"):
        build_environment(tiny, tmp_path / "cache")


def test_preflight_names_what_does_not_import(tiny: Environment, tmp_path: Path) -> None:
    """An environment without Ray is an error that quotes the import error and names the remedy."""
    built = build_environment(tiny, tmp_path / "cache")
    with pytest.raises(EnvironmentFailed, match="No module named 'ray'") as failure:
        preflight("direct", built, timeout_s=30)
    assert "levelfield envs build" in str(failure.value)


def test_preflight_does_not_wait_for_ever(tmp_path: Path) -> None:
    """An interpreter that hangs is given up after the timeout, together with its children."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nsleep 60 & sleep 60\n", encoding="utf-8")
    python.chmod(0o755)
    built = BuiltEnvironment("tiny", python, "", tmp_path, 0, 0.0, reused=True)
    began = time.monotonic()
    with pytest.raises(EnvironmentFailed, match="not done after 1 s"):
        preflight("direct", built, timeout_s=1)
    assert time.monotonic() - began < 30


def test_preflight_names_a_missing_interpreter(tmp_path: Path) -> None:
    """An environment whose interpreter is gone is told at once."""
    built = BuiltEnvironment("tiny", tmp_path / "gone", "", tmp_path, 0, 0.0, reused=True)
    with pytest.raises(EnvironmentFailed, match="interpreter does not start"):
        preflight("direct", built, timeout_s=30)


def _weights(folder: Path, sha256: str) -> Weights:
    for number, content in enumerate((b"GGUF one ", b"two ", b"three"), start=1):
        (folder / f"part{number}").write_bytes(content)
    return Weights("tiny", ("part1", "part2", "part3"), sha256, "whole.gguf")


def test_model_parts_are_put_together_in_order(tmp_path: Path) -> None:
    """The parts become one file with the pinned digest, with progress for each, and no leftovers."""
    weights = _weights(tmp_path, hashlib.sha256(b"GGUF one two three").hexdigest())
    told: list[str] = []
    target = tmp_path / "models" / "whole.gguf"
    target.parent.mkdir()
    put_together("tiny", weights, tmp_path, target, told.append)
    assert target.read_bytes() == b"GGUF one two three"
    assert len(told) == 3
    assert list(target.parent.iterdir()) == [target]


def test_model_of_another_digest_is_refused(tmp_path: Path) -> None:
    """Parts that do not add up to the pinned digest leave no file behind."""
    target = tmp_path / "models" / "whole.gguf"
    target.parent.mkdir()
    with pytest.raises(EnvironmentFailed, match="not the one expected"):
        put_together("tiny", _weights(tmp_path, "0" * 64), tmp_path, target, lambda _: None)
    assert not list(target.parent.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a process to its parent")
def test_tied_command_dies_with_its_parent() -> None:
    """A command run through tied.py ends when the process that started it is killed."""
    script = (
        "import os, subprocess, sys\n"
        "command = [sys.executable, '-I', sys.argv[1], str(os.getpid()), '/bin/sleep', '60']\n"
        "child = subprocess.Popen(command, stdout=subprocess.DEVNULL)\n"
        "print(child.pid, flush=True); child.wait()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, tied.__file__], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout:
        child = psutil.Process(int(parent.stdout.readline()))
        deadline = time.monotonic() + 10
        while child.name() != "sleep":
            assert time.monotonic() < deadline, "the command never began"
            time.sleep(0.02)
        parent.kill()
        parent.wait(10)
        _, alive = psutil.wait_procs([child], timeout=5)
    assert not alive
