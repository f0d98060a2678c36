"""Each adapter goes through all scenarios once, in one process of its own real environment."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runtime_envs.build import build
from runtime_envs.catalog import ROOT, framework, process_variables
from tests.conformance.scenarios import SCRIPTS, TOOL_ANSWER, request_for
from tests.conformance.scripted_server import Asked, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GUARD = Path(__file__).parent / "network_guard"
PROCESS_TIMEOUT_S = 150
CLOSED_PROXY = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Ran:
    """What one adapter did in one scenario."""

    outcome: dict[str, Any] | None
    error: str | None
    message: str
    seconds: float
    model_calls: list[Asked]
    tool_calls: list[Asked]


@dataclass(frozen=True)
class Process:
    returncode: int
    output: str
    contacted: str
    """Every address outside this machine that it tried."""


@pytest.fixture(scope="session")
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(SCRIPTS, TOOL_ANSWER) as running:
        yield running


@pytest.fixture(scope="session")
def in_environment(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Process]:
    """Run a module in a framework's environment, with nothing but this machine in reach."""

    def run(name: str, *arguments: str) -> Process:
        built = build(framework(name).environment)
        scratch = tmp_path_factory.mktemp(name)
        contacted = scratch / "contacted.txt"
        variables = os.environ | {"HTTP_PROXY": CLOSED_PROXY, "HTTPS_PROXY": CLOSED_PROXY}
        variables |= process_variables(framework(name), scratch)
        variables |= {"PYTHONPATH": os.pathsep.join([str(ROOT), str(GUARD)]), "CONTACTED": str(contacted)}
        done = subprocess.run(
            [str(built.python), "-m", *arguments],
            cwd=ROOT,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=PROCESS_TIMEOUT_S,
            check=False,
        )
        tried = contacted.read_text(encoding="utf-8") if contacted.exists() else ""
        return Process(done.returncode, done.stdout, tried)

    return run


@pytest.fixture(scope="session")
def all_scenarios(
    server: ScriptedServer, in_environment: Callable[..., Process], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], tuple[Process, dict[str, Any]]]:
    done: dict[str, tuple[Process, dict[str, Any]]] = {}

    def run(name: str) -> tuple[Process, dict[str, Any]]:
        if name not in done:
            folder = tmp_path_factory.mktemp(f"{name}-scenarios")
            requests, results = folder / "requests.json", folder / "results.json"
            asked = {scenario: request_for(server.address, name, scenario) for scenario in SCRIPTS}
            requests.write_text(json.dumps(asked), encoding="utf-8")
            process = in_environment(
                name, "tests.conformance.run_scenarios", name, str(requests), str(results)
            )
            assert process.returncode == 0, process.output[-3000:]
            done[name] = (process, json.loads(results.read_text(encoding="utf-8")))
        return done[name]

    return run


@pytest.fixture(scope="session")
def ran(
    server: ScriptedServer, all_scenarios: Callable[[str], tuple[Process, dict[str, Any]]]
) -> Callable[[str, str], Ran]:
    def look(name: str, scenario: str) -> Ran:
        _, results = all_scenarios(name)
        run = f"{name}/{scenario}"
        return Ran(
            **results[scenario],
            model_calls=server.model_calls[run],
            tool_calls=server.tool_calls[run],
        )

    return look
