"""Customer support from plan to score, in both patterns, on a model that knows how to settle the case."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from analysis.fairness.examine import examine_folder
from shared.store import Store
from tests.functional.command import levelfield, write_plan
from tests.functional.model_service import ModelService, calls, model_service, says

pytestmark = [pytest.mark.functional, pytest.mark.timeout(900)]

FRAMEWORKS = ["direct", "langgraph", "autogen", "agent_framework", "openai_agents"]
ENOUGH_S = 600
"""About a minute on two cores of one's own."""
STEPS: list[tuple[str, str, dict[str, Any]]] = [
    ("My postcode is 4051", "reply_to_customer", {"message": "Could you tell me your postcode, please?"}),
    ("The identity of C-1 is confirmed", "confirm_identity", {"customer_id": "C-1", "postcode": "4051"}),
    ("Refunded 49.90 EUR", "refund", {"order_id": "A-1001", "amount_eur": 49.9}),
    ("Thank you", "reply_to_customer", {"message": "The refund is paid."}),
]
"""What a result says once a step is done, and the call that does it."""
ITS_OWN = {("autogen", "tools_differ"), ("agent_framework", "extra_parameters")}
"""What these do in any task with tools: titles in arguments; when handing over, one call per answer."""


@pytest.fixture
def service() -> Iterator[ModelService]:
    with model_service() as found:
        found.behave = settle
        yield found


async def settle(request: web.Request) -> web.StreamResponse:
    """A model that refunds the teapot as the rules ask for, or hands over to whoever can."""
    body = json.loads(await request.read())
    offered = [tool["function"]["name"] for tool in body.get("tools") or ()]
    results = "\n".join(str(m.get("content")) for m in body["messages"] if m["role"] == "tool")
    if "refund" in offered:
        for done, name, arguments in STEPS:
            if done not in results:
                return calls(name, arguments)
    for name in offered:
        if name.endswith("_to_refunds") and "refund" not in offered:
            return calls(name, {})
    return says("The teapot was refunded.")


def test_a_case_is_settled_in_both_patterns(tmp_path: Path, service: ModelService) -> None:
    """Every framework settles the case in order and by handoff, scored by its calls, with no rule broken."""
    tasks = [{"name": name, "items": ["refund_due"]} for name in ("support", "support_handoff")]
    plan = write_plan(tmp_path / "plan.yaml", frameworks=FRAMEWORKS, tasks=tasks)
    out = tmp_path / "out"
    with levelfield("run", plan, "--out", out, folder=tmp_path, **service.variables) as command:
        assert command.wait(ENOUGH_S) == 0, command.output
    store = Store.existing(out)
    checks = {check.run_id: check for check in store.checks()}
    runs = store.runs()
    assert len(runs) == 2 * len(FRAMEWORKS)
    for run in runs:
        check = checks[run.key.run_id]
        assert check.passed, (run.key.run_id, run.error, check.notes)
        assert check.figures["turns"] == 2
        by_handoff = run.key.task == "support_handoff"
        assert run.details == ({"handoffs": ["refunds"]} if by_handoff else {})
        assert list(run.agent_outputs) == (["refunds"] if by_handoff else ["intake", "clerk", "recorder"])
    fairness = examine_folder(out)
    assert fairness is not None
    broken = {(found.framework, found.code) for found in fairness.findings if found.severity == "violation"}
    assert broken <= ITS_OWN
    assert (out / "report.html").stat().st_size > 0
