"""The coding task from plan to score in every framework: a service that answers like a model calls the real tool."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from aiohttp import web

from shared.errors import SandboxUnavailable
from shared.records import Status
from shared.sandbox.choose_isolation import choose_isolation
from shared.store import Store
from shared.tasks.coding.item import Item
from shared.tasks.load_task import load_task
from tests.functional.command import levelfield, write_plan
from tests.functional.model_service import calls, model_service, says

pytestmark = [pytest.mark.functional, pytest.mark.timeout(900)]

PLAN_TIMEOUT_S = 600
COMPARED = ["direct", "langgraph", "crewai", "autogen", "agent_framework", "openai_agents"]
FIRST_TRY = "def parking_fee(minutes):\n    return 0\n"

KNOWN = load_task("coding").item("parking-fee")
assert isinstance(KNOWN, Item)
ITEM = KNOWN


async def programmer(request: web.Request) -> web.StreamResponse:
    """Plans in words, tries a bad program, mends it until the examples hold; its reviewer knows better."""
    body = json.loads(await request.read())
    last = body["messages"][-1]
    if "tools" not in body:
        return says("1. Free until 30. 2. Count hours.")
    reviewing = "Review the coder's program" in json.dumps(body["messages"])
    program = ITEM.reference if reviewing else ITEM.wrong
    if last["role"] != "tool":
        return calls("run_examples", {"program": ITEM.reference if reviewing else FIRST_TRY})
    if "3 of 3 examples hold" in json.dumps(last["content"]):
        return says(f"It is done:\n```python\n{program}```")
    return calls("run_examples", {"program": program})


def test_programs_are_tried_mended_and_scored(tmp_path: Path) -> None:
    """In all frameworks the same calls reach the sandbox, the last program decides, and no hidden case leaves us."""
    try:
        choose_isolation()
    except SandboxUnavailable as refused:
        pytest.skip(str(refused))
    with model_service() as service:
        service.behave = programmer
        plan = write_plan(
            tmp_path / "plan.yaml",
            frameworks=COMPARED,
            tasks=[{"name": "coding", "items": ["parking-fee"]}],
            tools="agent",
            limits={"max_steps": 6},
        )
        with levelfield(
            "run", plan, "--out", tmp_path / "out", folder=tmp_path, **service.variables
        ) as command:
            assert command.wait(PLAN_TIMEOUT_S) == 0, command.output
        wire = json.dumps(service.server.bodies)
    store = Store(tmp_path / "out")
    runs = {record.key.framework: record for record in store.runs()}
    assert {name: (run.status, run.error) for name, run in runs.items()} == dict.fromkeys(
        COMPARED, (Status.COMPLETED, None)
    )
    for run in runs.values():
        tried = [call.response or "" for call in store.calls(run) if call.kind == "tool"]
        assert [said.splitlines()[0] for said in tried] == [
            "1 of 3 examples hold.",
            "3 of 3 examples hold.",
            "3 of 3 examples hold.",
        ], run.key
    checks = {check.run_id: check for check in store.checks()}
    assert len(checks) == len(COMPARED)
    for check in checks.values():
        assert (check.passed, check.figures["hidden_cases_share"]) == (True, 1.0)
    for case in ITEM.hidden:
        assert case.call(ITEM.function) not in wire
