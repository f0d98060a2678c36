"""A vLLM that Levelfield starts: a real process of a stand-in. A real vLLM: tests/functional/test_vllm.py."""

from __future__ import annotations

import json
import sys
import urllib.request
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest

from cluster.servers import ServerOptions, TokenCounters, VllmOptions, open_server
from cluster.servers.attached import AttachedServer
from cluster.servers.vllm_server import MODULE, VllmServer, folder_digest
from shared.errors import NodeFailed, SettingsError
from tests.unit import stand_in_vllm
from tests.unit.ended import kill_program_of, wait_until_gone


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("VLLM_BASE_URL", raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("LEVELFIELD_LLM_API_KEY", "sk-not-for-vllm")
    monkeypatch.setenv("PYTHONPATH", "ours")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "no-hub"))


@pytest.fixture
def interpreter(tmp_path: Path) -> Path:
    program = tmp_path / "vllm-environment" / "bin" / "python"
    program.parent.mkdir(parents=True)
    script = Path(stand_in_vllm.__file__).read_text(encoding="utf-8")
    program.write_text(f"#!{sys.executable}\n{script}", encoding="utf-8")
    program.chmod(0o755)
    return program


def opened(folder: Path, interpreter: Path, name: str = "team/model", **wanted: Any) -> VllmServer:
    options = ServerOptions(
        folder / "logs", context_length=2048, api_key="sk-of-another", vllm=VllmOptions(interpreter, **wanted)
    )
    server = open_server(f"vllm:{name}", options)
    assert isinstance(server, VllmServer)
    return server


def started(server: VllmServer) -> tuple[list[str], dict[str, str]]:
    """Arguments and environment."""
    with urllib.request.urlopen(f"{server.base_url.removesuffix('/v1')}/started") as page:
        found = json.load(page)
    return found["arguments"], found["environment"]


def test_a_vllm_is_started_used_and_ended(tmp_path: Path, interpreter: Path) -> None:
    """It is waited for, asked for one token, counted by its own counters, and nothing of it is left."""
    server = opened(tmp_path, interpreter, tool_call_parser="hermes")
    server.start()
    try:
        arguments, environment = started(server)
        assert arguments[:3] == ["-m", MODULE, "--host=127.0.0.1"]
        assert {
            *("--model=team/model", "--served-model-name=team/model", "--max-model-len=2048", "--seed=0"),
            *("--tensor-parallel-size=1", "--no-enable-prefix-caching"),
            *("--tool-call-parser=hermes", "--enable-auto-tool-choice"),
        } <= set(arguments)
        assert environment["VLLM_NO_USAGE_STATS"] == "1"
        assert "PYTHONPATH" not in environment
        assert not [name for name in environment if name.startswith("LEVELFIELD_")]
        assert (server.ours, server.api_key, server.served_model) == (True, None, "team/model")
        assert server.healthy()
        assert server.counters() == TokenCounters(7, 1)
        family = psutil.Process(server.pids()[0]).children(recursive=True)
        assert len(family) == 2  # with its engine
    finally:
        server.stop()
    wait_until_gone(family)
    assert not server.healthy()
    assert server.counters() is None


def test_the_identity_of_a_vllm_of_ours(tmp_path: Path, interpreter: Path) -> None:
    """What was asked for and what vLLM says of itself; no interpreter, folder, address or key."""
    server = opened(tmp_path, interpreter, prefix_caching=True)
    server.start()
    try:
        found = server.identity()
        arguments, _ = started(server)
    finally:
        server.stop()
    assert (found.setting, found.server, found.version, found.context_length) == (
        *("vllm:team/model", "vllm", "0.0.2", 2048),
    )
    assert found.flags["prefix_caching"] is True
    assert "--enable-prefix-caching" in arguments
    assert "--enable-auto-tool-choice" not in arguments
    for hidden in (str(tmp_path), "127.0.0.1", "sk-of-another"):
        assert hidden not in json.dumps(asdict(found))


def test_a_model_in_a_folder(tmp_path: Path, interpreter: Path) -> None:
    """It is served under the folder's name, and its digest changes with its weights and with nothing else."""
    folder = tmp_path / "models" / "tiny"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"1")
    server = opened(tmp_path, interpreter, str(folder))
    server.start()
    try:
        found = server.identity()
        assert f"--model={folder}" in started(server)[0]
    finally:
        server.stop()
    assert (found.setting, found.served_model, found.digest) == ("vllm:tiny", "tiny", folder_digest(folder))
    (folder / "README.md").write_text("hello")
    assert folder_digest(folder) == found.digest
    (folder / "model.safetensors").write_bytes(b"2")
    assert folder_digest(folder) != found.digest


def test_one_that_was_killed_leaves_no_engine_and_can_be_started_again(
    tmp_path: Path, interpreter: Path
) -> None:
    """`kill -9` of vLLM is seen, takes its engine along, and the next start serves again."""
    server = opened(tmp_path, interpreter)
    server.start()
    try:
        wait_until_gone(kill_program_of(server))
        assert not server.healthy()
        assert "Loading weights" in server.log_tail()
        server.start()
        assert server.healthy()
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ("STAND_IN_FAILS", r"(?s)vLLM ended before it was ready.*vllm\.log.*No available memory"),
        ("STAND_IN_CANNOT_ANSWER", r"(?s)was ready and then failed .*answered 500.*Loading weights"),
    ],
)
def test_one_that_fails_is_told_with_its_log(
    tmp_path: Path, interpreter: Path, monkeypatch: pytest.MonkeyPatch, variable: str, message: str
) -> None:
    """Whether it does not come up or does not answer, the end of its log is in the message, and it is ended."""
    monkeypatch.setenv(variable, "1")
    server = opened(tmp_path, interpreter)
    with pytest.raises(NodeFailed, match=message):
        server.start()
    assert server.pids() == []


@pytest.mark.parametrize(
    ("devices", "stated", "used"),
    [(None, None, 1), ("", None, 1), ("0", None, 1), ("2,3", None, 2), ("0,1,2,3", 2, 2)],
)
def test_gpus_are_those_of_the_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, devices: str | None, stated: int | None, used: int
) -> None:
    """All that Ray gave the node unless fewer are asked for; several are vLLM's own processes."""
    if devices is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", devices)
    arguments = opened(tmp_path, Path("python"), tensor_parallel=stated).arguments(1)
    assert f"--tensor-parallel-size={used}" in arguments
    assert ("--distributed-executor-backend=mp" in arguments) == (used > 1)


def test_more_gpus_than_the_node_has(
    tmp_path: Path, interpreter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused at once with both numbers, before minutes of loading."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(SettingsError, match="TENSOR_PARALLEL is 4, but this node sees 1 GPU"):
        opened(tmp_path, interpreter, tensor_parallel=4).start()


@pytest.mark.parametrize("name", ["--trust-remote-code", "-m", "a=b --port=1"])
def test_a_name_is_never_an_option(tmp_path: Path, name: str) -> None:
    """A plan comes from others: what it names as the model stays the value of one option."""
    arguments = opened(tmp_path, Path("python"), name).arguments(1)
    assert f"--model={name}" in arguments
    assert [word for word in arguments if not word.startswith("--")] == []


def test_an_interpreter_that_is_none(tmp_path: Path) -> None:
    """A missing interpreter and a folder are told with the variable and what belongs there."""
    for wrong in (tmp_path / "missing", tmp_path):
        with pytest.raises(SettingsError, match=r"LEVELFIELD_VLLM_PYTHON is .*no program"):
            opened(tmp_path, wrong).start()


def test_a_folder_without_a_model(tmp_path: Path, interpreter: Path) -> None:
    """An empty folder is the user's to mend, before vLLM takes its minute to say so."""
    with pytest.raises(SettingsError, match=r"no model in .*config\.json"):
        opened(tmp_path, interpreter, str(tmp_path)).start()


def test_a_stated_address_is_attached_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that runs elsewhere comes before one of ours; without an interpreter none is started."""
    wanted = VllmOptions(tmp_path)
    assert isinstance(
        open_server("vllm:m", ServerOptions(tmp_path, base_url="http://h:1", vllm=wanted)), AttachedServer
    )
    assert isinstance(open_server("vllm:m", ServerOptions(tmp_path)), AttachedServer)
    monkeypatch.setenv("VLLM_BASE_URL", "http://h:2")
    elsewhere = open_server("vllm:m", ServerOptions(tmp_path, vllm=wanted))
    assert (elsewhere.base_url, elsewhere.ours) == ("http://h:2/v1", False)
