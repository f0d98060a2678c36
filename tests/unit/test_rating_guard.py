"""What the rating page keeps out: other sites, guessed links, paths out of its folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from yarl import URL

from judge.rating.rating_app import MAX_REQUEST_BYTES, RatingApp
from shared.judgement_store import Judgements
from tests.unit.rating_reports import FULL, Client, blind_reports, ids, link, rate, scoring, with_client


def test_other_sites_get_nothing(tmp_path: Path) -> None:
    """A foreign Host, a foreign Origin, a form's content type and an oversized body are refused."""
    rating = RatingApp(scoring(tmp_path, blind_reports(2)))
    body = json.dumps({"scores": FULL}).encode()
    as_json = {"Content-Type": "application/json"}

    async def use(client: Client) -> None:
        base = link(rating)
        address = f"{base}/showings/{(await ids(client, base))[0]}"
        refused = {
            403: [
                await client.get(f"{base}/", headers={"Host": "evil.example"}),
                await client.get(f"{base}/", headers={"Host": "127.0.0.1.evil.example:80"}),
                await client.get(f"{base}/", headers={"Host": "[::1"}),
                await client.post(address, data=body, headers=as_json | {"Origin": "http://evil.example"}),
                await client.post(address, data=body, headers=as_json | {"Origin": "null"}),
            ],
            415: [
                await client.post(address, data=body, headers={"Content-Type": "text/plain"}),
                await client.post(address, data={"scores": "7"}),
            ],
            413: [await client.post(address, data=b" " * (MAX_REQUEST_BYTES + 1), headers=as_json)],
        }
        for status, answers in refused.items():
            assert [answer.status for answer in answers] == [status] * len(answers)
        own = f"http://127.0.0.1:{client.port}"
        assert (await client.post(address, data=body, headers=as_json | {"Origin": own})).status == 200
        assert (await client.get(f"{base}/", headers={"Host": "localhost:9000"})).status == 200

    with_client(rating, use)


def test_links_are_secrets(tmp_path: Path) -> None:
    """Without the right link there is no page, no list and no start; another rater's ids are of no use."""
    rating = RatingApp(scoring(tmp_path, blind_reports(3)))

    async def use(client: Client) -> None:
        for address in ("/", "/r/Ann/", "/r/guess/showings", "/start/guess", "/start/%C3%A9"):
            answer = await client.get(address)
            assert answer.status == 404
            assert "levelfield rate" in await answer.text()
        posted = await client.post("/start/guess", json={"name": "Ann"})
        assert posted.status == 404
        (foreign, *_) = await ids(client, link(rating, "Bob"))
        assert (await client.get(f"{link(rating)}/showings/{foreign}")).status == 404
        assert (await rate(client, f"{link(rating)}/showings/{foreign}"))[0] == 404

    with_client(rating, use)
    assert len(rating.sessions.start_link) >= 32
    assert Judgements(tmp_path).ratings() == []


@pytest.mark.parametrize(
    "path", ["../guard.py", "..%2Fguard.py", "%2e%2e/guard.py", "/etc/passwd", "%2Fetc%2Fpasswd", "none.js"]
)
def test_no_file_but_the_pages_own(tmp_path: Path, path: str) -> None:
    """An address that climbs out of the folder reaches nothing."""
    rating = RatingApp(scoring(tmp_path, blind_reports(1)))

    async def use(client: Client) -> None:
        url = URL(str(client.make_url("/page/")) + path, encoded=True)
        async with client.session.get(url) as answer:
            assert answer.status == 404
            assert "aiohttp" not in await answer.text()

    with_client(rating, use)


def test_every_answer_forbids_what_is_not_the_pages_own(tmp_path: Path) -> None:
    """Pages, data and refusals carry the policy that allows own files alone, and are kept by nobody."""
    rating = RatingApp(scoring(tmp_path, blind_reports(1)))

    async def use(client: Client) -> None:
        for address in (
            f"{link(rating)}/",
            f"{link(rating)}/showings",
            "/page/scores.js",
            "/r/none/",
            "/nowhere",
        ):
            headers = (await client.get(address)).headers
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert headers["Cache-Control"] == "no-store"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["X-Content-Type-Options"] == "nosniff"

    with_client(rating, use)


def test_the_start_page_gives_each_name_its_link(tmp_path: Path) -> None:
    """A name leads to the same link each time, another name to another, and no name to a message."""
    rating = RatingApp(scoring(tmp_path, blind_reports(2)))

    async def use(client: Client) -> None:
        start = f"/start/{rating.sessions.start_link}"
        assert "Your name" in await (await client.get(start)).text()

        async def address(name: str) -> str:
            return str((await (await client.post(start, json={"name": name})).json())["address"])

        assert await address(" Zoë  Ł ") == await address("zoë ł")
        assert await address("Zoë") != await address("Bob")
        assert (await client.get(await address("Bob"))).status == 200
        for name in ("", "  ", "x" * 41, "a\u202eb", "…"):
            answer = await client.post(start, json={"name": name})
            assert answer.status == 400
            assert "name" in await answer.text()
        for number in range(250):
            last = await client.post(start, json={"name": f"rater {number}"})
        assert last.status == 429

    with_client(rating, use)
