"""An Ollama that Levelfield starts: a real process of a stand-in program, through the real client."""

from __future__ import annotations

import json
import shutil
import socket
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest

from cluster.servers import ServerOptions, ollama_server, open_server
from cluster.servers.ollama_server import OllamaServer
from shared.errors import NodeFailed, ServerUnavailable
from tests.unit import stand_in_ollama
from tests.unit.ended import kill_program_of, wait_until_gone


@pytest.fixture(autouse=True)
def _nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the usual place; whoever runs the tests may have an Ollama there."""
    for name in ("OLLAMA_HOST", "OLLAMA_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LEVELFIELD_LLM_API_KEY", "sk-not-for-ollama")
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        monkeypatch.setattr(ollama_server, "PORT", reserved.getsockname()[1])


@pytest.fixture
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ollama` is on the PATH."""
    program = tmp_path / "bin" / "ollama"
    program.parent.mkdir()
    script = Path(stand_in_ollama.__file__).read_text(encoding="utf-8")
    program.write_text(f"#!{sys.executable}\n{script}", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")


def opened(folder: Path) -> OllamaServer:
    server = open_server("ollama:qwen3:14b", ServerOptions(folder / "logs", context_length=2048))
    assert isinstance(server, OllamaServer)
    return server


@pytest.mark.usefixtures("_installed")
def test_an_ollama_is_started_used_and_ended(tmp_path: Path) -> None:
    """Where nothing answers, `ollama serve` gets a port and settings of its own, and nothing of it is left."""
    server = opened(tmp_path)
    server.start()
    try:
        assert server.ours
        assert server.healthy()
        found = server.identity()
        assert (found.digest, found.version, found.context_length) == ("digest of qwen3:14b", "0.0.1", 2048)
        assert "no part of the model on a GPU" in str(found.caveat)
        with urllib.request.urlopen(f"{server.base_url.removesuffix('/v1')}/environment") as page:
            environment = json.load(page)
        assert environment["OLLAMA_CONTEXT_LENGTH"] == "2048"
        assert environment["OLLAMA_KEEP_ALIVE"] == "-1"
        assert environment["OLLAMA_NUM_PARALLEL"] == "1"
        assert environment["OLLAMA_HOST"].startswith("127.0.0.1:")
        assert not [name for name in environment if name.startswith("LEVELFIELD_")]
        (supervisor,) = server.pids()
        family = psutil.Process(supervisor).children(recursive=True)
        assert len(family) == 2  # with its runner
    finally:
        server.stop()
    wait_until_gone(family)
    assert not server.healthy()
    assert not server.ours


@pytest.mark.usefixtures("_installed")
def test_one_that_was_killed_leaves_no_runner_and_can_be_started_again(tmp_path: Path) -> None:
    """`kill -9` of Ollama is seen at once, takes its runner along, and the next start serves again."""
    server = opened(tmp_path)
    server.start()
    try:
        wait_until_gone(kill_program_of(server))
        assert not server.healthy()
        server.start()
        assert server.healthy()
    finally:
        server.stop()


@pytest.mark.usefixtures("_installed")
def test_one_that_does_not_come_up_is_told_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message quotes what Ollama said last."""
    monkeypatch.setenv("STAND_IN_FAILS", "1")
    with pytest.raises(NodeFailed, match=r"(?s)Ollama ended before it was ready.*no usable memory"):
        opened(tmp_path).start()


@pytest.mark.usefixtures("_installed")
def test_a_stated_place_is_never_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With OLLAMA_HOST set, a server that is down is an error: another one would hide it."""
    monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{ollama_server.PORT}")
    with pytest.raises(ServerUnavailable, match="or set OLLAMA_HOST"):
        opened(tmp_path).start()
    assert not (tmp_path / "logs").exists()


def test_without_a_program_there_is_nothing_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install or to set."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ServerUnavailable, match=r"no `ollama` here to start.*OLLAMA_HOST"):
        opened(tmp_path).start()


@pytest.mark.usefixtures("_installed")
def test_one_that_is_slow_to_end_is_ended_all_the_same(tmp_path: Path) -> None:
    """The process in between does not go before what it has started, however it is told to."""
    server = opened(tmp_path)
    server.start()
    supervisor = psutil.Process(server.pids()[0])
    family = supervisor.children(recursive=True)
    supervisor.terminate()
    try:
        with pytest.raises(psutil.TimeoutExpired):
            supervisor.wait(0.5)
        assert server.healthy()
    finally:
        server.stop()
    wait_until_gone([supervisor, *family])
