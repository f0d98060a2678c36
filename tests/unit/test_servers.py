"""Model servers by their setting: what is refused, what a broken server is told apart as, what stays secret."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest

from cluster.servers import ModelServer, ServerOptions, check_setting, open_server
from cluster.servers.probe import ask, checked_url
from shared import own_process
from shared.errors import NodeFailed, ServerUnavailable, SettingsError, UserError
from tests.unit.answering_server import Answer, AnsweringServer
from tests.unit.ended import wait_until_gone

KEY = "sk-very-secret"
MODELS = "GET /v1/models"
CHAT = "POST /v1/chat/completions"
LISTED = Answer({"object": "list", "data": [{"id": "m", "max_model_len": 4096}]})
CHATTED = Answer({"choices": [{"message": {"content": "Hi"}}]})


@pytest.fixture
def service() -> Iterator[AnsweringServer]:
    with AnsweringServer() as server:
        yield server


def options(folder: Path, **changes: Any) -> ServerOptions:
    return ServerOptions(**{"log_dir": folder, "timeout_s": 20.0} | changes)


def attached(setting: str, service: AnsweringServer, folder: Path) -> ModelServer:
    return open_server(setting, options(folder, base_url=f"{service.origin}/v1", api_key=KEY))


@pytest.mark.parametrize(
    ("setting", "nearest"),
    [
        ("olama:qwen3", 'Did you mean "ollama"'),
        ("LLamaCpp:smollm2-135m", 'Did you mean "llamacpp"'),
        ("vlm:x", 'Did you mean "vllm"'),
        ("gpt-4o", "Known: anthropic, llamacpp, ollama, openai, replay, scripted, vllm"),
        ("llamacpp:smollm2-135", 'Did you mean "smollm2-135m"'),
        ("llamacpp:qwen", "Known: .*Or give the path of a .gguf file"),
        ("scripted:instnat", 'Did you mean "instant"'),
    ],
)
def test_an_unknown_setting_names_the_nearest(tmp_path: Path, setting: str, nearest: str) -> None:
    """Unknown prefixes, embedded models and scripts are refused with the nearest right name, before any start."""
    with pytest.raises(SettingsError, match=nearest):
        check_setting(setting)
    with pytest.raises(SettingsError, match=nearest):
        open_server(setting, options(tmp_path))


@pytest.mark.parametrize("setting", ["ollama:", "vllm: ", "llamacpp"])
def test_a_setting_without_a_name(setting: str) -> None:
    """A prefix alone is answered with how to write one."""
    with pytest.raises(SettingsError, match=r"names no model: write .*:NAME"):
        check_setting(setting)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "There is no model file"), (b"PK\x03\x04", "is not a GGUF model"), (b"", "is not a GGUF model")],
    ids=["missing", "other format", "empty"],
)
def test_a_model_file_that_is_none(tmp_path: Path, content: bytes | None, message: str) -> None:
    """A missing file and one that is no GGUF are the user's to mend, before an environment is built."""
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        open_server(f"llamacpp:{path}", options(tmp_path)).start()
    assert str(path) in str(caught.value)


def test_a_folder_is_no_model_file(tmp_path: Path) -> None:
    """A folder's path is refused with the reason the system gives."""
    with pytest.raises(UserError, match="cannot be read: Is a directory"):
        open_server(f"llamacpp:{tmp_path}", options(tmp_path)).start()


def test_openai_needs_an_address(tmp_path: Path) -> None:
    """Without a base URL the message names the variable to set."""
    with pytest.raises(SettingsError, match="LEVELFIELD_LLM_BASE_URL"):
        open_server("openai:gpt", options(tmp_path))


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:8000", "ftp://h/v1", "http://", "http://h:port/v1", "http://h:99999", "http://[::1", "http://h/a b"],
)  # fmt: skip
def test_an_address_that_is_none(tmp_path: Path, url: str) -> None:
    """Each malformed base URL is a SettingsError that quotes it, not a traceback later."""
    with pytest.raises(SettingsError, match="is no base URL") as caught:
        open_server("openai:m", options(tmp_path, base_url=url))
    assert url in str(caught.value)


@pytest.mark.parametrize("url", [f"http://me:{KEY}@h/v1", f"ftp://me:{KEY}@h/v1", f"http://h/v1?key={KEY}"])
def test_a_secret_in_an_address_is_refused_unquoted(url: str) -> None:
    """A password or a key in the base URL is refused, and the message does not repeat it."""
    with pytest.raises(SettingsError) as caught:
        checked_url(url)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("key", [f"{KEY}\n", f"{KEY}\r\nX: y", "clé"])
def test_a_key_that_no_header_carries_is_refused_unquoted(
    service: AnsweringServer, tmp_path: Path, key: str
) -> None:
    """A key with a line break is refused without being shown, and nothing is sent."""
    with pytest.raises(SettingsError, match="LEVELFIELD_LLM_API_KEY") as caught:
        open_server("openai:m", options(tmp_path, base_url=service.origin, api_key=key))
    assert key.strip() not in str(caught.value)
    assert service.asked == []


@pytest.mark.parametrize("setting", ["openai:m", "vllm:m"])
def test_a_listed_model_is_attached_to(service: AnsweringServer, tmp_path: Path, setting: str) -> None:
    """A model on the service's list needs one request, with the key, and is served under its own name."""
    service.answers[MODELS] = LISTED
    server = attached(setting, service, tmp_path)
    server.start()
    assert service.lines()[0] == MODELS
    assert service.asked[0].headers["Authorization"] == f"Bearer {KEY}"
    assert (server.served_model, server.base_url, server.api_key) == ("m", f"{service.origin}/v1", KEY)
    assert server.healthy()
    server.stop()
    assert server.healthy()


def test_a_model_that_openai_does_not_list_is_tried(service: AnsweringServer, tmp_path: Path) -> None:
    """Services list in part or not at all: one token of the named model decides."""
    service.answers[CHAT] = CHATTED
    attached("openai:other", service, tmp_path).start()
    assert service.lines() == [MODELS, CHAT]
    assert service.asked[1].body["model"] == "other"
    assert service.asked[1].body["max_tokens"] == 1


def test_anthropic_is_asked_as_openai_is(service: AnsweringServer, tmp_path: Path) -> None:
    """Its layer for OpenAI's clients takes the same key and answers one token; what it ignores is told."""
    service.answers[CHAT] = CHATTED
    server = attached("anthropic:claude", service, tmp_path)
    server.start()
    assert service.lines() == [CHAT]  # its list of models takes the key in another header
    assert service.asked[0].headers["Authorization"] == f"Bearer {KEY}"
    found = server.identity()
    assert (found.setting, found.server, found.served_model) == ("anthropic:claude", "anthropic", "claude")
    assert "ignores seeds" in str(found.caveat)
    usual = open_server("anthropic:claude", options(tmp_path, api_key=KEY))
    assert usual.base_url == "https://api.anthropic.com/v1"


def test_anthropic_needs_a_key(tmp_path: Path) -> None:
    """Without one the message names both variables that can hold it."""
    with pytest.raises(SettingsError, match=r"set LEVELFIELD_LLM_API_KEY .*_FILE"):
        open_server("anthropic:claude", options(tmp_path))


FAULTS: dict[str, tuple[dict[str, Answer], type[UserError], str]] = {
    "500": ({MODELS: Answer(b"", 500)}, ServerUnavailable, "answered 500"),
    "401": ({MODELS: Answer({}, 401)}, ServerUnavailable, r"refuses the key \(401\).*LEVELFIELD_LLM_API_KEY"),
    "html": ({MODELS: Answer(b"<html></html>")}, ServerUnavailable, "does not list models"),
    "a list": ({MODELS: Answer([1])}, ServerUnavailable, "does not list models"),
    "deep": ({MODELS: Answer(b"[" * 100_000)}, ServerUnavailable, "does not list models"),
    "wrong name": ({MODELS: LISTED, CHAT: Answer({}, 404)}, SettingsError, 'does not serve "other"'),
    "500 to a chat": ({MODELS: LISTED, CHAT: Answer(b"", 500)}, ServerUnavailable, "answered 500"),
    "html to a chat": ({CHAT: Answer(b"<html>")}, ServerUnavailable, "does not answer as OpenAI's API does"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_service_that_misbehaves(service: AnsweringServer, tmp_path: Path, fault: str) -> None:
    """Each fault of an OpenAI-compatible service is the user's error in words, without the key."""
    answers, error, message = FAULTS[fault]
    service.answers |= answers
    with pytest.raises(error, match=message) as caught:
        attached("openai:other", service, tmp_path).start()
    assert KEY not in str(caught.value)


def test_a_redirect_is_not_followed(service: AnsweringServer, tmp_path: Path) -> None:
    """The key goes to no other address than the one that was set."""
    with AnsweringServer() as elsewhere:
        elsewhere.answers["GET /"] = LISTED
        service.answers[MODELS] = Answer(b"", 302, {"Location": f"{elsewhere.origin}/"})
        with pytest.raises(ServerUnavailable, match="answered 302"):
            attached("openai:m", service, tmp_path).start()
        assert elsewhere.asked == []


def test_a_service_that_is_down(service: AnsweringServer, tmp_path: Path) -> None:
    """A refused connection says how to mend it, names no key, and is not healthy."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound but not listening: nobody else can take it meanwhile
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}/v1"
        server = open_server("openai:m", options(tmp_path, base_url=url, api_key=KEY))
        with pytest.raises(
            ServerUnavailable, match=r"cannot be reached.*refused.*LEVELFIELD_LLM_BASE_URL"
        ) as e:
            server.start()
        assert KEY not in str(e.value)
        assert not server.healthy()
        vllm = open_server("vllm:m", options(tmp_path, base_url=url))
        with pytest.raises(ServerUnavailable, match="vllm serve m"):
            vllm.start()


def test_a_service_that_hangs(service: AnsweringServer) -> None:
    """A server that takes the request and says nothing is given up at the timeout."""
    service.answers[MODELS] = Answer(hangs=True)
    began = time.monotonic()
    with pytest.raises(ServerUnavailable, match=r"did not answer within 0\.3 s"):
        ask(f"{service.origin}/v1/models", api_key=KEY, timeout_s=0.3)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.2\r\n", b""], ids=["another protocol", "hangs up"])
def test_what_is_no_web_server(said: bytes) -> None:
    """Another protocol on the port and a connection that is closed are a server that cannot be reached."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        code = (
            f"import socket; s = socket.socket(fileno={listening.fileno()}); c, _ = s.accept(); "
            f"c.recv(65536); c.sendall({said!r}); c.close()"
        )
        other = subprocess.Popen([sys.executable, "-c", code], pass_fds=[listening.fileno()])
        try:
            with pytest.raises(ServerUnavailable, match="cannot be reached"):
                ask(f"http://127.0.0.1:{listening.getsockname()[1]}/v1/models")
        finally:
            other.kill()
            other.wait(10)


def test_vllm_tells_its_version_and_context(service: AnsweringServer, tmp_path: Path) -> None:
    """The identity of a vLLM has the version and the context length that it reports itself."""
    service.answers |= {MODELS: LISTED, "GET /version": Answer({"version": "0.11.0"})}
    server = open_server("vllm:m", options(tmp_path, base_url=service.origin, api_key=KEY))  # without the /v1
    server.start()
    found = server.identity()
    assert (found.server, found.version, found.context_length) == ("vllm", "0.11.0", 4096)
    assert (found.setting, found.served_model) == ("vllm:m", "m")


def test_vllm_of_another_model(service: AnsweringServer, tmp_path: Path) -> None:
    """A vLLM that serves something else is named with what it serves and the command to start it."""
    service.answers[MODELS] = LISTED
    with pytest.raises(SettingsError, match=r'"other".*Known: m\. .*`vllm serve other`'):
        attached("vllm:other", service, tmp_path).start()


@pytest.mark.parametrize("setting", ["openai:m", "vllm:m"])
def test_nothing_secret_in_identity_or_repr(service: AnsweringServer, tmp_path: Path, setting: str) -> None:
    """What goes into the manifest has neither the address nor the key, and no repr shows the key."""
    service.answers[MODELS] = LISTED
    server = attached(setting, service, tmp_path)
    server.start()
    written = json.dumps(asdict(server.identity()))
    assert KEY not in written
    assert "127.0.0.1" not in written
    assert KEY not in repr(options(tmp_path, api_key=KEY)) + repr(server) + repr(server.identity())


def chat(server: ModelServer, **extra: Any) -> str:
    body = {
        "model": server.served_model,
        "messages": [{"role": "user", "content": "Facts on Stripe"}],
        **extra,
    }
    request = urllib.request.Request(f"{server.base_url}/chat/completions", data=json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=10) as answer:
        text: str = json.load(answer)["choices"][0]["message"]["content"]
    return text


def test_the_scripted_server_answers_and_stops(tmp_path: Path) -> None:
    """It starts, answers a chat alike each time and a schema with what fits, and leaves no process; twice."""
    server = open_server("scripted:instant", options(tmp_path))
    schema = {
        "type": "object",
        "properties": {"score": {"type": "integer", "minimum": 1, "maximum": 10}, "why": {"type": "string"}},
    }
    before = set(psutil.Process().children())
    for _ in range(2):
        server.start()
        (child,) = set(psutil.Process().children()) - before
        assert server.healthy()
        text = chat(server)
        assert chat(server) == text
        assert 500 <= len(text.split()) <= 800
        assert "## Executive Summary" in text
        asked = {"type": "json_schema", "json_schema": {"name": "v", "schema": schema}}
        assert json.loads(chat(server, response_format=asked)) == {"score": 1, "why": "scripted"}
        server.stop()
        assert not child.is_running()
        assert not server.healthy()


def test_a_server_of_ours_that_cannot_start_quotes_its_log(tmp_path: Path) -> None:
    """A child that ends at once is NodeFailed with the end of what it wrote."""
    process = own_process.OwnProcess(
        [sys.executable, "-c", "import sys; sys.exit('no such weights')"], tmp_path / "log"
    )
    with pytest.raises(NodeFailed, match="no such weights"):
        process.start({}, 20)
    assert not process.alive


def test_a_server_of_ours_that_is_never_ready_is_ended(tmp_path: Path) -> None:
    """One that ignores the end of its input and the request to stop is killed at the timeout."""
    before = set(psutil.Process().children())
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    process = own_process.OwnProcess([sys.executable, "-c", deaf], tmp_path / "log")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own_process, "STOP_TIMEOUT_S", 0.3)
        with pytest.raises(NodeFailed, match="not ready within 1 s"):
            process.start({}, 1)
    assert set(psutil.Process().children()) == before


PARENT = """
import sys, time
from pathlib import Path
from cluster.servers import ServerOptions, open_server
server = open_server("scripted:instant", ServerOptions(Path(sys.argv[1])))
server.start()
print("started", flush=True)
time.sleep(60)
"""


def test_the_server_dies_with_its_parent(tmp_path: Path) -> None:
    """`kill -9` of the process that started it leaves no server behind."""
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        try:
            assert parent.stdout
            assert parent.stdout.readline() == b"started\n"
            (child,) = psutil.Process(parent.pid).children()
        finally:
            parent.kill()
        wait_until_gone([child])
