"""The rating page's server: blind, its own pages only, every answer on disk before it is confirmed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from judge.rating.pairing import Pairing
from judge.rating.rating_app import RatingApp
from judge.rating.scoring import Scoring
from shared.errors import StoreFailed
from shared.judgement_store import Judgements
from shared.judgements import Rating
from shared.yardsticks import Rubric
from tests.unit.rating_reports import (
    AT,
    CRITERIA,
    FULL,
    RUBRIC,
    Client,
    blind_report,
    blind_reports,
    ids,
    link,
    rate,
    scoring,
    with_client,
)


def test_an_answer_is_on_disk_before_it_is_confirmed(tmp_path: Path) -> None:
    """The confirmed rating is a record of the store; a later one of the same showing replaces it."""
    rating = RatingApp(scoring(tmp_path, blind_reports(3)))

    async def use(client: Client) -> None:
        base = link(rating)
        first, *_ = await ids(client, base)
        assert (await rate(client, f"{base}/showings/{first}", comment="fine"))[0] == 200
        (kept,) = Judgements(tmp_path).ratings()
        assert (kept.rater, kept.rubric, kept.scores, kept.showing) == ("Ann", "t/1", FULL, 1)
        assert (kept.comment, kept.seconds, kept.rated_at) == ("fine", 2.5, AT)
        assert kept.run_id == "t.x.1.equalised.crewai"
        await rate(client, f"{base}/showings/{first}", scores=FULL | {"accuracy": 3})
        assert [found.scores["accuracy"] for found in Judgements(tmp_path).ratings()] == [3]

    with_client(rating, use)


def test_a_rater_goes_on_where_he_stopped(tmp_path: Path) -> None:
    """A new server over the same folder knows what is done, and shows the earlier answer for correcting."""

    async def rate_two(client: Client) -> None:
        base = link(before)
        for showing in (await ids(client, base))[:2]:
            await rate(client, f"{base}/showings/{showing}", comment="kept")

    before = RatingApp(scoring(tmp_path, blind_reports(5)))
    with_client(before, rate_two)
    after = RatingApp(scoring(tmp_path, blind_reports(5)))

    async def come_back(client: Client) -> None:
        base = link(after, "ann")
        state = await (await client.get(f"{base}/showings")).json()
        assert state["rater"] == "Ann"
        assert [showing["done"] for showing in state["showings"]] == [True, True, False, False, False, False]
        shown = await (await client.get(f"{base}/showings/{state['showings'][0]['id']}")).json()
        assert shown["given"] == {"scores": FULL, "comment": "kept", "seconds": 2.5}
        other = await (await client.get(f"{link(after, 'Bob')}/showings")).json()
        assert not any(showing["done"] for showing in other["showings"])

    with_client(after, come_back)


def test_nothing_tells_whose_report_it_is(tmp_path: Path) -> None:
    """No page, address, id, header or answer holds a framework, an arm, a run, an attempt or a repeat's number."""
    rating = RatingApp(scoring(tmp_path, blind_reports(12)))
    told: list[str] = []

    async def use(client: Client) -> None:
        base = link(rating)
        showings = await ids(client, base)
        assert len(set(showings)) == 12 + 2
        addresses = [base + "/", f"{base}/showings", *(f"{base}/showings/{name}" for name in showings)]
        for address in addresses:
            answer = await client.get(address)
            told.append(f"{address} {dict(answer.headers)} {await answer.text()}")
        told.append((await rate(client, addresses[-1]))[1])

    with_client(rating, use)
    for word in (
        "crewai",
        "equalised",
        "t.x.1",
        "run_id",
        "attempt",
        '"a1"',
        "repeat",
        '"showing":',
        "000000",
    ):
        assert not [text for text in told if word in text.lower()], word


def test_a_repeat_is_another_rating(tmp_path: Path) -> None:
    """Every showing answered gives each report once and the repeats as showing 2; none is prefilled."""
    rating = RatingApp(scoring(tmp_path, blind_reports(8)))

    async def use(client: Client) -> None:
        base = link(rating)
        for name in await ids(client, base):
            shown = await (await client.get(f"{base}/showings/{name}")).json()
            assert shown["given"] is None
            await rate(client, f"{base}/showings/{name}")

    with_client(rating, use)
    kept = Judgements(tmp_path).ratings()
    assert sorted(found.attempt_id for found in kept if found.showing == 1) == [f"a{n}" for n in range(8)]
    assert len([found for found in kept if found.showing == 2]) == 1


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"scores": FULL | {"accuracy": 11}}, "accuracy"),
        ({"scores": FULL | {"accuracy": 0}}, "accuracy"),
        ({"scores": FULL | {"accuracy": True}}, "accuracy"),
        ({"scores": FULL | {"accuracy": 7.5}}, "accuracy"),
        ({"scores": FULL | {"accuracy": "7"}}, "accuracy"),
        ({"scores": {"accuracy": 7}}, "no score for completeness, structure"),
        ({"scores": FULL | {"taste": 7}}, "no criterion is called taste"),
        ({"seconds": -1}, "seconds"),
        ({"comment": "x" * 2001}, "comment"),
        ({"rater": "Bob"}, "rater"),
        ({"showing": 2}, "showing"),
    ],
)
def test_an_answer_that_is_none(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    """It is refused with what is wrong, and nothing is written."""
    rating = RatingApp(scoring(tmp_path, blind_reports(2)))

    async def use(client: Client) -> None:
        base = link(rating)
        status, text = await rate(client, f"{base}/showings/{(await ids(client, base))[0]}", **changed)
        assert status == 400
        assert words in text

    with_client(rating, use)
    assert Judgements(tmp_path).ratings() == []


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"scores": NaN}', b'{"comment": "\\ud800", "scores": {}}', b"\xff" * 9],
)
def test_bytes_that_are_no_answer(tmp_path: Path, body: bytes) -> None:
    """Broken JSON, other JSON, lone surrogates and no UTF-8 are the sender's mistake, not ours."""
    rating = RatingApp(scoring(tmp_path, blind_reports(2)))

    async def use(client: Client) -> None:
        base = link(rating)
        address = f"{base}/showings/{(await ids(client, base))[0]}"
        answer = await client.post(address, data=body, headers={"Content-Type": "application/json"})
        assert answer.status == 400

    with_client(rating, use)


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page hears that nothing was saved, and the showing stays undone."""
    kept = Judgements(tmp_path)

    class Full:
        ratings = staticmethod(kept.ratings)
        preferences = staticmethod(kept.preferences)
        write_preference = staticmethod(kept.write_preference)

        def write_rating(self, rating: Rating) -> None:
            raise StoreFailed(f"Cannot write {rating.attempt_id}: No space left on device.")

    rating = RatingApp(Scoring(blind_reports(2), Full(), lambda: AT))

    async def use(client: Client) -> None:
        base = link(rating)
        status, text = await rate(client, f"{base}/showings/{(await ids(client, base))[0]}")
        assert status == 507
        assert text.startswith("Not saved. Cannot write")
        state = await (await client.get(f"{base}/showings")).json()
        assert not any(showing["done"] for showing in state["showings"])

    with_client(rating, use)


def test_a_rating_counts_for_every_run_with_that_text_and_only_by_the_same_rubric(tmp_path: Path) -> None:
    """A rating of another run with the same text is done; one by an older rubric is to be given again."""
    kept = Judgements(tmp_path)
    values = {"run_id": "other", "scores": FULL, "rated_at": AT, "rater": "Ann"}
    kept.write_rating(Rating(rubric="t/1", attempt_id="b0", **values))
    kept.write_rating(
        Rating(rubric=Rubric(name="t", version=2, criteria=RUBRIC.criteria).label, attempt_id="a1", **values)
    )
    desk = scoring(tmp_path, [blind_report(0), blind_report(1)])
    done = {shown.reports[0]: desk.is_done("ann", shown) for shown in desk.order("ann")}
    assert done == {blind_report(0).id: True, blind_report(1).id: False}


def test_pairs_are_kept_as_they_stood_on_the_screen(tmp_path: Path) -> None:
    """A choice is a Preference of the two reports in their order, and is found again by a new server."""
    reports = blind_reports(3)
    rating = RatingApp(Pairing(reports, Judgements(tmp_path), lambda: AT))
    told: list[str] = []

    async def use(client: Client) -> None:
        base = link(rating)
        showings = await ids(client, base)
        assert len(showings) == 3
        shown = await client.get(f"{base}/showings/{showings[0]}")
        told.append(await shown.text())
        content = await shown.json()
        assert content["given"] is None
        answer = await client.post(f"{base}/showings/{showings[0]}", json={"winner": "second", "seconds": 3})
        assert answer.status == 200
        answer = await client.post(f"{base}/showings/{showings[0]}", json={"winner": "left"})
        assert answer.status == 400
        (kept,) = Judgements(tmp_path).preferences()
        assert (kept.rater, kept.task, kept.item, kept.winner, kept.showing) == ("Ann", "t", "x", "second", 1)
        first = next(report for report in reports if report.attempt_id == kept.first_attempt_id)
        assert first.text.split()[2] in json.dumps(content["first"])

    with_client(rating, use)
    assert "crewai" not in told[0]
    again = Pairing(reports, Judgements(tmp_path), lambda: AT)
    assert [again.is_done("Ann", shown) for shown in again.order("Ann")] == [True, False, False]


def test_criteria_come_with_their_anchors(tmp_path: Path) -> None:
    """Each criterion is shown with its question and what a score looks like, lowest first."""
    desk = scoring(tmp_path, blind_reports(1))
    content = desk.content("Ann", desk.order("Ann")[0])
    assert [criterion["name"] for criterion in content["criteria"]] == list(CRITERIA)
    assert content["criteria"][0]["anchors"] == [{"score": 2, "words": "bad"}, {"score": 10, "words": "good"}]
    assert "founded in 2010" in json.dumps(content["facts"])
