"""When a node's own model judges: never while a run holds the node."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import datetime
from pathlib import Path

import pytest
from aiohttp import web

from cluster.servers.scripted_main import smallest
from shared.records import Status
from shared.store import Store
from tests.functional.command import finish, research, write_plan
from tests.functional.model_service import says
from tests.unit.upstream import FakeServer

pytestmark = [pytest.mark.functional, pytest.mark.timeout(300)]

CLOCK_S = 0.05
"""Wall clock of the records against the service's own, both of this machine, and a request's way."""


class TimedService:
    """Every answer is another text, so that each report is judged; notes when the judge was answered."""

    def __init__(self) -> None:
        self.server = FakeServer()
        self.server.behave = self._answer
        self.judged: list[tuple[float, float]] = []
        self._answers = 0

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        self._answers += 1
        text, arrived = f"Answer {self._answers}.", time.time()
        judging = "response_format" in body
        await asyncio.sleep(0.4 if judging else 0.1)
        if judging:
            text = json.dumps(smallest(body["response_format"]["json_schema"]["schema"]))
            self.judged.append((arrived, time.time()))
        return says(text)


def test_no_question_is_open_during_a_run(tmp_path: Path) -> None:
    """The subject judges every text on its node, and none of the judge's requests overlaps a run."""
    service = TimedService()
    plan = write_plan(
        tmp_path / "plan.yaml", frameworks=["direct"], aa="direct",
        arms=["idiomatic", "equalised"], tasks=research("anthropic", "stripe"),
    )  # fmt: skip
    variables = {"LEVELFIELD_LLM_MODEL": "openai:m", "LEVELFIELD_LLM_BASE_URL": service.server.url}
    try:
        code, said, _ = finish("run", plan, "--out", tmp_path / "out", folder=tmp_path, **variables)
    finally:
        service.server.stop()
    assert code == 0, said
    runs = Store(tmp_path / "out").runs()
    assert [run.status for run in runs] == [Status.COMPLETED] * 8
    assert len(service.judged) >= len(runs)
    for run in runs:
        began = datetime.fromisoformat(run.started_at).timestamp()
        ended = began + (run.ended_s or 0)
        open_then = [(a, b) for a, b in service.judged if a < ended - CLOCK_S and b > began + CLOCK_S]
        assert not open_then, f"{run.key.run_id} from {began} to {ended}: {open_then}"
    last = max(datetime.fromisoformat(run.started_at).timestamp() for run in runs)
    assert any(answered < last for _, answered in service.judged), "nothing was judged between runs"
