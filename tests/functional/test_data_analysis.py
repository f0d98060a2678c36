"""The task data_analysis in every framework: a model that writes one right query, the real tool, an exact score."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from aiohttp import web

from shared.store import Store
from shared.tasks.data_analysis.item import Item
from shared.tasks.load_task import load_task
from tests.functional.command import levelfield, write_plan
from tests.functional.model_service import calls, model_service, says
from tests.unit.reference_queries import reference_query

FRAMEWORKS = ["direct", "langgraph", "crewai", "autogen", "agent_framework", "openai_agents"]
ITEM = "herbal_revenue"
PLAN_TIMEOUT_S = 600

pytestmark = [pytest.mark.functional, pytest.mark.timeout(900)]


def test_every_framework_asks_the_data_and_is_scored(tmp_path: Path) -> None:
    """Each hands the query over, gets the real result and ends with an answer that passes; failed queries count."""
    item = load_task("data_analysis").item(ITEM)
    assert isinstance(item, Item)
    sql = reference_query(item.question.model_dump())

    async def analyst(request: web.Request) -> web.StreamResponse:
        """First a query that fails, then the right one, then what it found."""
        body = json.loads(await request.read())
        whole = json.dumps(body["messages"])
        results = [message for message in body["messages"] if message["role"] == "tool"]
        if body.get("tools") and len(results) < 2:
            return calls("query", {"sql": sql if results else "SELECT revenue FROM orders"})
        found = re.findall(r"(?:1 row:\\+n.*?\\+n|found )(\d+\.\d+)", whole)
        return says(f"I found {found[-1]}.\n\nAnswer: {found[-1]}" if found else "A plan.")

    with model_service() as service:
        service.behave = analyst
        plan = write_plan(
            tmp_path / "plan.yaml",
            frameworks=FRAMEWORKS,
            tasks=[{"name": "data_analysis", "items": [ITEM]}],
            probes=False,
        )
        out = tmp_path / "out"
        with levelfield("run", plan, "--out", out, folder=tmp_path, **service.variables) as command:
            assert command.wait(PLAN_TIMEOUT_S) == 0, command.output
    store = Store(out)
    records = {record.key.framework: record for record in store.runs()}
    assert {name: record.status for name, record in records.items()} == dict.fromkeys(FRAMEWORKS, "completed")
    checks = store.checks()
    assert len(checks) == len(FRAMEWORKS)
    for check in checks:
        assert check.passed
        assert check.figures == {"answered": 1, "relative_error": 0, "queries": 2, "failed_queries": 1}
