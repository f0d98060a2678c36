"""A panel through the real command: who is asked what, how often, how many at once, and who only later."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cluster.judging import QUESTIONS_PER_LEASE
from cluster.servers.scripted_main import smallest
from shared.judgement_store import Judgements
from shared.store import Store
from tests.functional.command import attempts, finish, research, write_plan
from tests.unit.upstream import ANSWER, FakeServer

pytestmark = [pytest.mark.functional, pytest.mark.timeout(480)]

ANSWER_S = 0.3
PARALLEL = 3
REFUSED = "refused"
"""A model that is there and takes nobody's key."""


class JudgeService:
    """Answers by the schema it is given, and counts how many wait at once."""

    def __init__(self) -> None:
        self.server = FakeServer()
        self.server.behave = self._answer
        self.most_at_once = self._waiting = 0

    @property
    def asked(self) -> Counter[str]:
        """By the name of the schema; without one it is asked whether it is there."""
        return Counter(body["response_format"]["json_schema"]["name"] for body in self._questions)

    def asked_of(self, model: str) -> int:
        return sum(body["model"] == model for body in self._questions)

    @property
    def _questions(self) -> list[dict[str, Any]]:
        return [body for body in self.server.bodies if "response_format" in body]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        if "response_format" not in body:
            return web.json_response(ANSWER)
        if body["model"] == REFUSED:
            return web.json_response({"error": "no such key"}, status=401)
        self._waiting += 1
        self.most_at_once = max(self.most_at_once, self._waiting)
        await asyncio.sleep(ANSWER_S)
        self._waiting -= 1
        text = json.dumps(smallest(body["response_format"]["json_schema"]["schema"]))
        message = {"role": "assistant", "content": text}
        choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": "stop"}
        return web.json_response(ANSWER | {"choices": [choice]})


@pytest.fixture
def service() -> Iterator[JudgeService]:
    service = JudgeService()
    yield service
    service.server.stop()


def test_a_panel_and_a_judge_who_comes_later(tmp_path: Path, service: JudgeService) -> None:
    """The subject and a service judge each text twice and each pair in both orders; a later judge only judges."""
    plan = write_plan(
        tmp_path / "plan.yaml",
        frameworks=["direct", "scripted"],
        tasks=research("anthropic", "stripe"),
        iterations=2,
        settings={
            "llm_model": "scripted:instant",
            "judge_model": ["scripted:instant", "openai:m"],
            "judge_servers": {
                name: {"base_url": service.server.url, "api_key_variable": "PANEL_KEY"}
                for name in ("openai:m", "openai:late")
            },
            "judge_parallel": PARALLEL,
            "judge_repeats": 2,
            "judge_pairs": True,
        },
    )
    out, key = tmp_path / "out", {"PANEL_KEY": "sk-planted"}
    code, said, _ = finish("run", plan, "--out", out, folder=tmp_path, **key)
    assert code == 0, said
    assert attempts(out) == 8

    texts = {(record.key.item, record.text) for record in Store(out).runs()}
    pairs = len(texts) - 2  # two texts or more on each item, by two frameworks
    assert service.asked == {"verdict": 2 * len(texts), "comparison": 2 * pairs}
    assert 1 < service.most_at_once <= PARALLEL
    assert {headers["Authorization"] for headers in service.server.headers} == {"Bearer sk-planted"}
    for judge in ("scripted:instant", "openai:m"):
        _has_judged(out, judge, runs=8, texts=len(texts), pairs=pairs)
    assert (out / "runs.csv").read_text().count("scripted:instant") == 8

    before = service.asked.total()
    late = ("judge", out, "--model", "openai:late", "--repeats", "1", "--no-pairs")
    code, said, _ = finish(*late, folder=tmp_path, **key)
    assert code == 0, said
    assert attempts(out) == 8
    assert service.asked.total() - before == len(texts)
    code, said, _ = finish(*late, folder=tmp_path, **key)
    assert (code, service.asked.total() - before) == (0, len(texts)), said
    assert not any(b"sk-planted" in path.read_bytes() for path in out.rglob("*") if path.is_file())


def test_a_judge_that_is_not_there(tmp_path: Path, service: JudgeService) -> None:
    """It costs its own verdicts: one that refuses is given up soon, the others judge, the report is written."""
    plan = write_plan(
        tmp_path / "plan.yaml",
        frameworks=["direct"],
        tasks=research("stripe"),
        settings={
            "llm_model": "scripted:instant",
            "judge_model": f"openai:gone,openai:{REFUSED},openai:m",
            "judge_base_url": service.server.url,
            "judge_servers": {"openai:gone": {"base_url": "http://127.0.0.1:9/v1"}},
            "judge_repeats": 9,
        },
    )
    out = tmp_path / "out"
    code, said, _ = finish("run", plan, "--out", out, folder=tmp_path)
    assert code == 1, said
    assert "openai:gone has not judged" in said
    assert f"openai:{REFUSED} left 3 questions in a row without an answer" in said
    assert 3 <= service.asked_of(REFUSED) < 9
    assert service.asked_of("m") == 9
    assert "18 verdicts are missing" in said
    code, said, _ = finish("run", plan, "--out", out, folder=tmp_path)
    assert (code, service.asked_of("m"), attempts(out)) == (1, 9, 1), said
    assert "Measuring" not in said
    assert (out / "report.html").is_file()


def _has_judged(out: Path, judge: str, *, runs: int, texts: int, pairs: int) -> None:
    verdicts = [verdict for verdict in Store(out).verdicts() if verdict.judge == judge]
    assert {(verdict.attempt_id, verdict.repeat) for verdict in verdicts} == {
        (record.attempt_id, repeat) for record in Store(out).runs() for repeat in (1, 2)
    }
    assert len(verdicts) == 2 * runs
    own = [verdict for verdict in verdicts if verdict.same_text_as is None]
    assert len(own) == 2 * texts
    assert {tuple(verdict.criteria_order) for verdict in own if verdict.repeat == 1} != {
        tuple(verdict.criteria_order) for verdict in own if verdict.repeat == 2
    }
    compared = [found for found in Judgements(out).comparisons() if found.judge == judge]
    orders = {(found.first_attempt_id, found.second_attempt_id) for found in compared}
    assert len(compared) == len(orders) == 2 * pairs
    assert {(second, first) for first, second in orders} == orders
    assert {found.winner for found in compared} == {"first"}


def test_more_questions_than_a_lease_admits(tmp_path: Path) -> None:
    """A node's judge opens another lease after so many questions and goes on until all are answered."""
    plan = write_plan(
        tmp_path / "plan.yaml",
        frameworks=["direct"],
        tasks=research("stripe"),
        settings={"llm_model": "scripted:instant", "judge_repeats": QUESTIONS_PER_LEASE + 5},
    )
    out = tmp_path / "out"
    code, said, _ = finish("run", plan, "--out", out, folder=tmp_path)
    assert code == 0, said
    assert len(Store(out).verdicts()) == QUESTIONS_PER_LEASE + 5
