"""The contract with Ollama, through its real client against a server that speaks the part of its API we use."""

from __future__ import annotations

import json
import os
import socket
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import ollama
import pytest

from cluster.servers import ServerOptions, ollama_server, open_server
from cluster.servers.ollama_server import OllamaServer, ollama_origin
from cluster.servers.probe import answers
from shared.errors import ServerUnavailable, SettingsError, UserError
from tests.unit.answering_server import Answer, AnsweringServer

TAGS, CREATE, SHOW, VERSION = "GET /api/tags", "POST /api/create", "POST /api/show", "GET /api/version"
PULL, LOAD, RUNNING = "POST /api/pull", "POST /api/generate", "GET /api/ps"
DIGEST = "bdbd181c33f2ed1b31c972991882db3cf4d192569092138a7d29e973cd9debe8"
DERIVED = "levelfield-qwen3-14b:ctx8192"


def running(size_vram: int | None, context_length: int = 8192, name: str = DERIVED) -> Answer:
    """As `ollama ps` has it, of a model of 1,000 bytes."""
    model = {
        "name": name,
        "model": name,
        "size": 1000,
        "size_vram": size_vram,
        "context_length": context_length,
    }
    return Answer({"models": [model]})


def lines(*said: dict[str, Any]) -> Answer:
    """A stream of JSON, an object a line."""
    return Answer(b"".join(json.dumps(line).encode() + b"\n" for line in said))


def shown(num_ctx: int | None, trained: int) -> Answer:
    """As Ollama lays a model out: parameters are lines of a name and a padded value."""
    lines = ['stop                           "<|im_end|>"', "temperature                    0.6"]
    if num_ctx:
        lines.insert(0, f"num_ctx                        {num_ctx}")
    return Answer(
        {
            "modelfile": "FROM qwen3:14b",
            "parameters": "\n".join(lines),
            "details": {"family": "qwen3"},
            "model_info": {"general.architecture": "qwen3", "qwen3.context_length": trained},
            "capabilities": ["completion"],
        }
    )


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[AnsweringServer]:
    """An Ollama with qwen3:14b and llama3.2 that works."""
    monkeypatch.delenv("OLLAMA_API_KEY", raising=False)
    with AnsweringServer() as server:
        listed = [
            {"name": name, "model": name, "digest": DIGEST, "size": 9, "modified_at": "2026-01-02T03:04:05Z"}
            for name in ("qwen3:14b", "llama3.2:latest", "levelfield-qwen3-14b:ctx4096")
        ]
        server.answers = {
            TAGS: Answer({"models": listed}),
            CREATE: Answer({"status": "success"}),
            SHOW: shown(8192, trained=40960),
            VERSION: Answer({"version": "0.12.6"}),
            LOAD: Answer({"model": DERIVED, "done": True, "done_reason": "load", "response": ""}),
            RUNNING: running(1000),
        }
        yield server


def server_of(service: AnsweringServer, name: str = "qwen3:14b", **changes: Any) -> OllamaServer:
    given = {"log_dir": Path("unused"), "base_url": service.origin} | changes
    return OllamaServer(name, ServerOptions(**given))


def test_frameworks_are_served_a_model_with_the_plans_context(service: AnsweringServer) -> None:
    """num_ctx is fixed in a derived model, made from the one that was named, and that is what is served."""
    server = server_of(service)
    server.start()
    assert service.lines() == [TAGS, CREATE, SHOW, VERSION, LOAD, RUNNING]
    created = service.asked[1].body
    assert (created["model"], created["from"]) == (DERIVED, "qwen3:14b")
    assert created["parameters"] == {"num_ctx": 8192}
    assert created["stream"] is False
    assert service.asked[2].body["model"] == DERIVED
    assert (server.served_model, server.base_url) == (DERIVED, f"{service.origin}/v1")
    assert server.healthy()


def test_the_identity_of_an_ollama_model(service: AnsweringServer) -> None:
    """Digest, version and context length are Ollama's own answers; no address is among them."""
    server = server_of(service)
    server.start()
    found = server.identity()
    assert (found.digest, found.version, found.context_length) == (DIGEST, "0.12.6", 8192)
    assert (found.setting, found.served_model, found.flags) == (
        "ollama:qwen3:14b",
        DERIVED,
        {"num_ctx": 8192, "keep_alive": -1},
    )
    assert found.caveat is None
    assert "127.0.0.1" not in str(asdict(found))


def test_no_more_context_than_the_model_was_trained_with(service: AnsweringServer) -> None:
    """Ollama cuts num_ctx down to the trained length without a word, so the identity says the lower one."""
    service.answers |= {SHOW: shown(8192, trained=2048), RUNNING: running(1000, context_length=2048)}
    server = server_of(service)
    server.start()
    assert server.identity().context_length == 2048


def test_a_context_length_that_was_not_kept(service: AnsweringServer) -> None:
    """A derived model without num_ctx would cut prompts: it is an error, not a measurement."""
    service.answers[SHOW] = shown(None, trained=40960)
    with pytest.raises(ServerUnavailable, match="did not keep the context length of 8192 tokens"):
        server_of(service).start()


def test_a_missing_model_is_pulled_with_progress(service: AnsweringServer) -> None:
    """A model that is not there is fetched under its full name, and how far that is can be seen."""
    service.answers[PULL] = lines(
        {"status": "pulling manifest"},
        {"status": "pulling 6a0746a1ec1a", "digest": "sha256:6a07", "total": 200, "completed": 50},
        {"status": "success"},
    )
    service.answers[RUNNING] = running(1000, name="levelfield-qwen3-32b:ctx8192")
    seen: list[str] = []
    server_of(service, "qwen3:32b", on_progress=seen.append).start()
    assert service.lines()[:4] == [TAGS, PULL, TAGS, CREATE]
    assert service.asked[1].body == {"model": "qwen3:32b", "insecure": False, "stream": True}
    assert seen == ["pulling manifest", "pulling 6a0746a1ec1a: 25%", "success", "loading the model"]


@pytest.mark.parametrize(
    "refused",
    [
        lines({"status": "pulling manifest"}, {"error": "pull model manifest:\nfile does not exist"}),
        Answer({"error": "pull model manifest: file does not exist"}, 500),
    ],
    ids=["in the stream", "at once"],
)
def test_a_model_that_cannot_be_pulled(service: AnsweringServer, refused: Answer) -> None:
    """The message has Ollama's reason and what is there, without our own derived models; nothing is made."""
    service.answers[PULL] = refused
    with pytest.raises(
        UserError, match=r"manifest: file does not exist\).*There are: llama3.2:latest, qwen3:14b\.$"
    ):
        server_of(service, "qwen3:32b").start()
    assert service.lines() == [TAGS, PULL]


def test_an_empty_ollama_that_cannot_fetch(service: AnsweringServer) -> None:
    """With no model at all the message still says what to pull."""
    service.answers |= {TAGS: Answer({"models": []}), PULL: Answer({"error": "no route to host"}, 500)}
    with pytest.raises(UserError, match=r"`ollama pull qwen3:14b` .*There are: none"):
        server_of(service).start()


def test_a_model_is_loaded_for_good_and_let_go_at_the_end(service: AnsweringServer) -> None:
    """It is asked to stay, so that no run waits for it, and an Ollama of somebody else's gets its memory back."""
    server = server_of(service)
    server.start()
    server.stop()
    loads = [asked.body for asked in service.asked if asked.line == LOAD]
    assert [(body["model"], body["keep_alive"]) for body in loads] == [(DERIVED, -1), (DERIVED, 0)]
    assert all("prompt" not in body for body in loads)
    server.stop()
    assert service.lines().count(LOAD) == 2
    assert not server.ours


@pytest.mark.parametrize(
    ("size_vram", "caveat"),
    [
        (1000, None),
        (630, "only 63% of the model on the GPU and the rest on the processor"),
        (0, "no part of the model on a GPU"),
        (None, "does not say whether the model is on a GPU"),
    ],
)
def test_where_the_model_is(service: AnsweringServer, size_vram: int | None, caveat: str | None) -> None:
    """Unless all of it is on the GPU, by what `ollama ps` says, the report is told so."""
    service.answers[RUNNING] = running(size_vram)
    server = server_of(service)
    server.start()
    found = server.identity().caveat
    assert (caveat is None) == (found is None)
    assert (caveat or "") in (found or "")


def test_the_context_is_the_running_models(service: AnsweringServer) -> None:
    """What `ollama ps` says of the loaded model comes before what was asked for."""
    service.answers[RUNNING] = running(1000, context_length=4096)
    server = server_of(service)
    server.start()
    assert server.identity().context_length == 4096


def test_a_model_that_was_loaded_and_is_not_there(service: AnsweringServer) -> None:
    """An Ollama that drops the model at once, for want of memory, is an error before any run."""
    service.answers[RUNNING] = running(1000, name="other:latest")
    with pytest.raises(ServerUnavailable, match=r"does not run it \(it runs: other:latest\)"):
        server_of(service).start()


def test_a_name_without_a_tag_is_the_latest(service: AnsweringServer) -> None:
    """As in Ollama, "llama3.2" is "llama3.2:latest"; the identity keeps what the user wrote."""
    derived = "levelfield-llama3.2-latest:ctx512"
    service.answers |= {SHOW: shown(512, trained=40960), RUNNING: running(1000, 512, derived)}
    server = server_of(service, "llama3.2", context_length=512)
    server.start()
    assert service.asked[1].body["from"] == "llama3.2:latest"
    assert server.served_model == derived
    assert server.identity().setting == "ollama:llama3.2"


def test_a_registrys_port_is_no_tag(service: AnsweringServer) -> None:
    """In "host:5000/team/model" the colon belongs to the registry, and ":latest" is still meant."""
    service.answers[PULL] = Answer({"error": "no such host"}, 500)
    with pytest.raises(UserError, match="ollama pull host:5000/team/model`"):
        server_of(service, "host:5000/team/model").start()
    assert service.asked[1].body["model"] == "host:5000/team/model:latest"
    assert server_of(service, "host:5000/team/model").served_model.endswith("-model-latest:ctx8192")


@pytest.mark.parametrize(
    ("line", "answer", "message"),
    [
        (TAGS, Answer(b"<html>hello</html>"), "is no Ollama"),
        (TAGS, Answer({"data": []}), "is no Ollama"),
        (TAGS, Answer([1]), "is no Ollama"),
        (TAGS, Answer(["no"], 404), "is no Ollama"),
        (TAGS, Answer(b"<html>no such page</html>", 404), "answered 404.*set OLLAMA_HOST"),
        (TAGS, Answer({"error": "out of memory"}, 500), "answered 500: out of memory"),
        (TAGS, Answer({"error": "unauthorized"}, 401), "answered 401: unauthorized"),
        (CREATE, Answer({"error": "invalid model name"}, 400), "answered 400: invalid model name"),
        (SHOW, Answer({"error": "gone"}, 404), "answered 404"),
        (SHOW, Answer(b"<html>"), "did not keep the context length"),
        (SHOW, Answer({"parameters": "num_ctx 81920"}), "did not keep the context length"),
        (LOAD, Answer({"error": "model requires more system memory"}, 500), "requires more system memory"),
        (RUNNING, Answer(b"<html>"), "is no Ollama"),
    ],
)
def test_what_answers_badly(service: AnsweringServer, line: str, answer: Answer, message: str) -> None:
    """Another program on the port, and an Ollama that fails at any step, are told in one message."""
    service.answers[line] = answer
    with pytest.raises(ServerUnavailable, match=message):
        server_of(service).start()


def test_a_redirect_is_not_followed(service: AnsweringServer) -> None:
    """What is asked is what the gateway will use: the client goes nowhere else, and nor does a key."""
    with AnsweringServer() as elsewhere:
        service.answers[TAGS] = Answer(b"", 307, {"Location": f"{elsewhere.origin}/api/tags"})
        with pytest.raises(ServerUnavailable, match="answered 307"):
            server_of(service, api_key="sk-secret").start()
        assert elsewhere.asked == []


def test_the_key_goes_to_ollama_and_into_no_message(service: AnsweringServer) -> None:
    """An Ollama behind a proxy that wants a key gets it on every request; errors do not show it."""
    server = server_of(service, api_key="sk-secret")
    server.start()
    assert {asked.headers.get("Authorization") for asked in service.asked} == {"Bearer sk-secret"}
    server.stop()
    assert {asked.headers.get("Authorization") for asked in service.asked} == {"Bearer sk-secret"}
    service.answers[TAGS] = Answer({"error": "unauthorized"}, 401)
    with pytest.raises(ServerUnavailable) as caught:
        server.start()
    assert "sk-secret" not in str(caught.value) + repr(server) + str(server.identity())


def test_no_proxy_is_used(service: AnsweringServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that name a proxy do not stand between us and a local Ollama."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server_of(service).start()


def test_an_ollama_that_is_down() -> None:
    """A refused connection says how to start it."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound but not listening: nobody else can take it meanwhile
        origin = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        server = OllamaServer("qwen3:14b", ServerOptions(Path("unused"), base_url=origin))
        with pytest.raises(ServerUnavailable, match="`ollama serve`, or set OLLAMA_HOST"):
            server.start()
        assert not server.healthy()


def test_an_ollama_that_hangs(service: AnsweringServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that says nothing is given up at the timeout."""
    monkeypatch.setattr(ollama_server, "PROBE_TIMEOUT_S", 0.3)
    service.answers[TAGS] = Answer(hangs=True)
    with pytest.raises(ServerUnavailable, match=r"does not answer \(ReadTimeout\)"):
        server_of(service).start()


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1", "http://127.0.0.1:11434"),
        ("gpu-box", "http://gpu-box:11434"),
        ("gpu-box:8080", "http://gpu-box:8080"),
        ("gpu-box/", "http://gpu-box:11434"),
        (":8080", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:11434"),  # noqa: S104 - a text to read, nothing listens
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("http://0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("[::]:8080", "http://[::1]:8080"),
        ("[::1]", "http://[::1]:11434"),
        ("http://gpu-box:8080/v1", "http://gpu-box:8080"),
        ("https://ollama.example.com", "https://ollama.example.com"),
        ("http://gpu-box/ollama/", "http://gpu-box/ollama"),
        ('"gpu-box:8080" ', "http://gpu-box:8080"),
    ],
)
def test_the_forms_of_ollama_host(host: str, origin: str) -> None:
    """Each form that Ollama takes means the same place here; listening everywhere is reached on loopback."""
    assert ollama_origin(host) == origin


@pytest.mark.parametrize(
    "host", ["gpu-box:8080", ":8080", "http://gpu-box", "https://gpu-box:1", "gpu-box/x", "[::1]:8080", "127.0.0.1"]
)  # fmt: skip
def test_ollamas_client_reads_the_same_place(host: str) -> None:
    """Ollama's own client, given OLLAMA_HOST as it is, goes to the same address as through our reading of it."""
    theirs, ours = (ollama.Client(host=given)._client.base_url for given in (host, ollama_origin(host)))
    assert theirs == ours


@pytest.mark.parametrize("host", ["gpu-box:port", "me:password@gpu-box", "http://", "ftp://gpu-box"])
def test_a_host_that_is_none(host: str) -> None:
    """A malformed OLLAMA_HOST is a setting to mend, and a password in it is not repeated."""
    with pytest.raises(SettingsError) as caught:
        ollama_origin(host)
    assert "password@" not in str(caught.value)


def test_ollama_host_is_read_unless_an_address_is_set(
    service: AnsweringServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OLLAMA_HOST says where Ollama is; our own setting comes first."""
    monkeypatch.setenv("OLLAMA_HOST", service.origin.removeprefix("http://"))
    assert server_of(service, base_url=None).base_url == f"{service.origin}/v1"
    assert server_of(service, base_url="http://other:1").base_url == "http://other:1/v1"


@pytest.mark.ollama
def test_a_real_ollama(tmp_path: Path) -> None:
    """The first model of a real Ollama is derived with our context length and answers a chat under that name."""
    host = os.environ.get("OLLAMA_HOST")
    if not host or not answers(f"{ollama_origin(host)}/api/version"):
        pytest.skip("no Ollama answers at OLLAMA_HOST")
    client = ollama.Client(host=ollama_origin(host), timeout=30)
    names = [str(model.model) for model in client.list().models if "levelfield-" not in str(model.model)]
    if not names:
        pytest.skip("this Ollama has no model: ollama pull one")
    server = open_server(f"ollama:{names[0]}", ServerOptions(tmp_path, context_length=1024))
    server.start()
    try:
        found = server.identity()
        assert found.digest
        assert found.version
        assert found.context_length == 1024
        body = f'{{"model": "{server.served_model}", "max_tokens": 4, "messages": [{{"role": "user", "content": "Hi"}}]}}'
        request = urllib.request.Request(f"{server.base_url}/chat/completions", data=body.encode())
        with urllib.request.urlopen(request, timeout=120) as answer:
            assert answer.status == 200
        there = {str(model.model): model for model in client.ps().models}
        assert there[server.served_model].context_length == 1024
        server.stop()
        assert server.served_model not in {str(model.model) for model in client.ps().models}
    finally:
        client.delete(server.served_model)
