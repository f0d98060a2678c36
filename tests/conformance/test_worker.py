"""The worker in each framework's real environment: what is Levelfield's crosses into it and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from runtime_envs.catalog import FRAMEWORKS
from shared.trace import new_trace
from tests.conformance.scenarios import ANSWERS, request_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conformance.conftest import Process
    from tests.conformance.scripted_server import ScriptedServer

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(600)]
WITH_MODEL = pytest.mark.parametrize("name", [name for name in FRAMEWORKS if name != "scripted"])


@WITH_MODEL
def test_the_trace_context_reaches_the_frameworks_process(
    name: str, server: ScriptedServer, in_environment: Callable[..., Process], tmp_path: Path
) -> None:
    """A tool that the framework calls is sent the run's context, which is gone after the run; times are told."""
    context = new_trace()
    run = f"{name}-worker/one_tool_call"
    asked = request_for(server.address, f"{name}-worker", "one_tool_call") | {
        "traceparent": context.traceparent
    }
    request, result = tmp_path / "request.json", tmp_path / "result.json"
    request.write_text(json.dumps(asked), encoding="utf-8")
    process = in_environment(name, "tests.conformance.run_worker", name, str(request), str(result))
    assert process.returncode == 0, process.output[-3000:]
    told: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    executed = told["result"]
    assert list(executed["outcome"]["agent_outputs"].values()) == ANSWERS
    [tool_call] = server.tool_calls[run]
    assert tool_call.traceparent == context.traceparent
    assert told["variable_left"] is None
    assert 0 < executed["started_at_s"] < executed["ended_at_s"]
    assert all(f"trace_id={context.trace_id} span_id={context.span_id}" in line for line in executed["log"])
