"""The doctor says what is here, what is missing, and what mends it, however broken the machine is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.doctor import Examined, examine
from tests.unit.answering_server import Answer, AnsweringServer

CLOSED = "127.0.0.1:9"


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No .env, no settings, no environments, no Ollama."""
    for name in list(os.environ):
        if name.startswith("LEVELFIELD_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LEVELFIELD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OLLAMA_HOST", CLOSED)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def ollama(monkeypatch: pytest.MonkeyPatch) -> Iterator[AnsweringServer]:
    with AnsweringServer() as server:
        server.answers["GET /api/version"] = Answer({"version": "0.12.6"})
        monkeypatch.setenv("OLLAMA_HOST", server.origin.removeprefix("http://"))
        yield server


def found() -> dict[str, Examined]:
    return {line.what: line for line in examine()}


def test_what_is_here_and_what_is_missing() -> None:
    """Python, Ray and Levelfield are found; environments that are not built, but peers, name the command that builds them."""
    lines = found()
    assert all(lines[name].ok for name in ("Python", "Ray", "Levelfield", "cores", "model"))
    (crewai,) = [line for line in lines.values() if "crewai" in line.what]
    assert (crewai.ok, crewai.optional, crewai.cure) == (False, True, "levelfield envs build crewai")
    assert not any("bench-litellm" in line.what for line in lines.values())
    assert not lines["Ollama"].ok
    assert CLOSED in lines["Ollama"].found
    assert "ollama serve" in lines["Ollama"].cure
    assert "llamacpp:smollm2-135m" in lines["model"].found


def test_every_finding_that_is_missing_can_be_mended() -> None:
    """Whatever is not there and is needed, or is a server or an environment, has a cure."""
    for line in examine():
        assert line.ok or line.cure or line.what == "GPU"


def test_an_ollama_that_is_there(ollama: AnsweringServer) -> None:
    """It is asked at OLLAMA_HOST, in the short form that Ollama takes."""
    line = found()["Ollama"]
    assert line.ok
    assert ollama.origin in line.found


@pytest.mark.parametrize(
    ("variable", "value", "what", "cure"),
    [
        ("LEVELFIELD_LLM_MODL", "x", "settings", ".env"),
        ("LEVELFIELD_CONTEXT_LENGTH", "many", "settings", ".env"),
        ("OLLAMA_HOST", "h:port", "Ollama", "OLLAMA_HOST"),
    ],
)
def test_a_bad_setting_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, what: str, cure: str
) -> None:
    """The doctor is for broken machines: a setting that is wrong is a line of the report, not its end."""
    monkeypatch.setenv(variable, value)
    line = found()[what]
    assert not line.ok
    assert cure in line.cure
