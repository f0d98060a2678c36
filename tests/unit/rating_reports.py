"""Reports to rate, and the running page over them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from judge.rating.blind_report import BlindReport
from judge.rating.rating_app import RatingApp
from judge.rating.scoring import Scoring
from shared.judgement_store import Judgements
from shared.yardsticks import Criterion, Rubric

AT = "2026-11-24T12:00:00+00:00"
CRITERIA = ("completeness", "accuracy", "structure")
RUBRIC = Rubric(
    name="t",
    version=1,
    criteria=tuple(
        Criterion(name=name, question="How?", anchors={2: "bad", 10: "good"}) for name in CRITERIA
    ),
)
Client = TestClient[Any, Any]
FULL = dict.fromkeys(CRITERIA, 7)


def blind_report(number: int, *, item: str = "x", text: str | None = None) -> BlindReport:
    return BlindReport(
        id=f"t.{item}.{number:012x}",
        task="t",
        item=item,
        text=f"# Report {number}\n\nOne *two*." if text is None else text,
        description=f"Write about {item}.",
        rubric=RUBRIC,
        evidence="- It was founded in 2010.",
        run_id=f"t.{item}.1.equalised.crewai",
        attempt_id=f"a{number}",
        attempt_ids=frozenset({f"a{number}", f"b{number}"}),
    )


def blind_reports(count: int) -> tuple[BlindReport, ...]:
    return tuple(blind_report(number) for number in range(count))


def scoring(folder: Path, reports: Iterable[BlindReport]) -> Scoring:
    return Scoring(tuple(reports), Judgements(folder), lambda: AT)


def with_client(rating: RatingApp, use: Callable[[Client], Awaitable[None]]) -> None:
    """Over a real socket of loopback."""

    async def run() -> None:
        async with TestClient(TestServer(rating.application())) as client:
            await asyncio.wait_for(use(client), 30)

    asyncio.run(run())


def link(rating: RatingApp, rater: str = "Ann") -> str:
    return f"/r/{rating.sessions.of_name(rater).link}"


async def ids(client: Client, base: str) -> list[str]:
    answer = await client.get(f"{base}/showings")
    return [showing["id"] for showing in (await answer.json())["showings"]]


async def rate(client: Client, address: str, **changed: Any) -> tuple[int, str]:
    answer = await client.post(address, json={"scores": FULL, "comment": "", "seconds": 2.5} | changed)
    return answer.status, await answer.text()
