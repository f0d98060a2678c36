"""A customer whom the model plays, from plan to score and again from the recording, in several frameworks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from shared.store import Store
from tests.functional.command import levelfield, write_plan
from tests.functional.model_service import ModelService, model_service, says
from tests.functional.test_support import ENOUGH_S, FRAMEWORKS, settle

pytestmark = [pytest.mark.functional, pytest.mark.timeout(900)]

TASK = "support_conversation"
ITS_PART = "You play a customer"
TOKENS = (7, 3)
"""In and out, as the service counts each answer."""


@pytest.fixture
def service() -> Iterator[ModelService]:
    with model_service() as found:
        found.behave = both_sides
        yield found


async def both_sides(request: web.Request) -> web.StreamResponse:
    """The customer's part, or the agents'."""
    if ITS_PART in json.dumps(json.loads(await request.read())["messages"]):
        return says("My postcode is 4051, as it always was.")
    return await settle(request)


def settled(out: Path, frameworks: list[str]) -> None:
    """Every run passed, and nothing of the customer's is in a figure of the framework's."""
    store = Store.existing(out)
    checks = {check.run_id: check for check in store.checks()}
    runs = store.runs()
    assert sorted(run.key.framework for run in runs) == sorted(frameworks)
    for run in runs:
        check = checks[run.key.run_id]
        assert check.passed, (run.key.run_id, run.error, check.notes)
        assert check.figures["turns"] == 2
        calls = store.calls(run)
        made = [call for call in calls if call.kind == "model"]
        assert not any(ITS_PART in json.dumps(call.request) for call in made)
        expected = (len(made), *(each * len(made) for each in TOKENS))
        assert (run.model_calls, run.prompt_tokens, run.completion_tokens) == expected
        (asked,) = [asked for call in calls for asked in call.asked]
        assert (asked.prompt_tokens, asked.completion_tokens) == TOKENS
        assert asked.said == "My postcode is 4051, as it always was."


def test_a_case_is_settled_with_a_played_customer(tmp_path: Path, service: ModelService) -> None:
    """Live and replayed, every framework meets the same customer, whose words count as nobody's tokens."""
    tasks = [{"name": TASK, "items": ["refund_due"]}]
    plan = write_plan(tmp_path / "plan.yaml", frameworks=FRAMEWORKS, tasks=tasks)
    out = tmp_path / "out"
    with levelfield("run", plan, "--out", out, folder=tmp_path, **service.variables) as command:
        assert command.wait(ENOUGH_S) == 0, command.output
    settled(out, FRAMEWORKS)
    asked_live = len(service.server.bodies)
    again = write_plan(tmp_path / "again.yaml", frameworks=["direct", "langgraph"], tasks=tasks)
    replayed = tmp_path / "replayed"
    arguments = ("run", again, "--out", replayed, "--model", f"replay:{out}")
    with levelfield(*arguments, folder=tmp_path) as command:
        assert command.wait(ENOUGH_S) == 0, command.output
    settled(replayed, ["direct", "langgraph"])
    assert len(service.server.bodies) == asked_live
