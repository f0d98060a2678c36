"""`levelfield rate`: which reports are handed to raters, files in and out, and what stands in the way."""

from __future__ import annotations

import csv
import socket
from pathlib import Path

import pytest

from cluster.cli import main
from cluster.rate import blind_reports
from shared.errors import ResultsMismatch
from shared.judgement_store import Judgements
from shared.judgements import Preference, Rating
from shared.packing import text_digest
from shared.plan import TaskPlan
from shared.records import Status
from shared.store import Store
from tests.unit.rated_experiment import CRITERIA, SAME, add, experiment, report_text
from tests.unit.stored_records import begun, run

AT = "2026-11-24T12:00:00+00:00"


def rating(attempt_id: str, run_id: str = "r", rater: str = "Ann", score: int = 7) -> Rating:
    return Rating(
        rater=rater,
        rubric="company_research/1",
        run_id=run_id,
        attempt_id=attempt_id,
        scores=dict.fromkeys(CRITERIA, score),
        rated_at=AT,
    )


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages in one line."""
    monkeypatch.setenv("COLUMNS", "400")


def code(*words: object) -> object:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return ended.value.code


def test_distinct_reports_with_what_they_are_held_against(tmp_path: Path) -> None:
    """The same text is one report, a failed run none; each has its task's words, rubric and facts."""
    reports = blind_reports(experiment(tmp_path))
    assert len(reports) == 6
    first = reports[0]
    assert len(first.attempt_ids) == 2
    assert first.id == f"company_research.stripe.{text_digest(report_text(0))[:12]}"
    assert "Stripe" in first.description
    assert first.evidence.startswith("- ")
    assert [criterion.name for criterion in first.rubric.criteria] == list(CRITERIA)


def test_a_later_run_with_the_same_text_moves_no_rating(tmp_path: Path) -> None:
    """Ratings stay with the run under which the text was rated first."""
    store = experiment(tmp_path)
    twin = next(record for record in store.runs() if record.key.framework == SAME)
    assert blind_reports(store)[0].attempt_id != twin.attempt_id
    Judgements(tmp_path).write_rating(rating(twin.attempt_id))
    assert blind_reports(store)[0].attempt_id == twin.attempt_id
    assert blind_reports(store)[0].run_id == twin.key.run_id


def test_nothing_to_rate_yet(tmp_path: Path) -> None:
    """An experiment without a complete report is told with what to do."""
    store = begun(tmp_path, tasks=[TaskPlan(name="company_research", items=["stripe"])])
    with pytest.raises(ResultsMismatch, match="levelfield status"):
        blind_reports(store)


def test_out_and_in_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An export taken into a copy of the experiment gives the same ratings; taken in again, it changes nothing."""
    reports = blind_reports(experiment(tmp_path / "here"))
    kept = Judgements(tmp_path / "here")
    for number, report in enumerate(reports[:3]):
        kept.write_rating(rating(report.attempt_id, report.run_id, "Zoë", number + 5))
    file = tmp_path / "ratings.csv"
    assert code("rate", tmp_path / "here", "--export", file) == 0
    assert file.read_bytes().startswith(b"\xef\xbb\xbfrater,report,rubric,showing,completeness,")
    assert "crewai" not in file.read_text()
    experiment(tmp_path / "there")
    assert code("rate", tmp_path / "there", "--import", file) == 0
    assert Judgements(tmp_path / "there").ratings() == kept.ratings()
    assert code("rate", tmp_path / "there", "--import", file) == 0
    assert "0 new ratings, 0 that replace earlier ones, 3 that were here" in capsys.readouterr().out


def test_comparisons_out_and_in_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --pairs, comparisons come out as CSV and into a copy of the experiment; again, nothing changes."""
    first, second, *_ = blind_reports(experiment(tmp_path / "here"))
    preference = Preference(
        rater="Zoë",
        task=first.task,
        item=first.item,
        first_attempt_id=first.attempt_id,
        second_attempt_id=second.attempt_id,
        winner="second",
        rated_at=AT,
    )
    Judgements(tmp_path / "here").write_preference(preference)
    file = tmp_path / "pairs.csv"
    assert code("rate", tmp_path / "here", "--pairs", "--export", file) == 0
    experiment(tmp_path / "there")
    assert code("rate", tmp_path / "there", "--pairs", "--import", file) == 0
    assert Judgements(tmp_path / "there").preferences() == [preference]
    assert code("rate", tmp_path / "there", "--pairs", "--import", file) == 0
    assert "0 new ratings, 0 that replace earlier ones, 1 that were here" in capsys.readouterr().out


def test_a_sheet_filled_in_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sheet has the texts of all reports for each rater; its filled rows come in under his name."""
    store = experiment(tmp_path / "e")
    sheet = tmp_path / "sheet.csv"
    assert code("rate", store.folder, "--sheet", sheet) == 2
    assert "--rater NAME" in capsys.readouterr().err
    assert code("rate", store.folder, "--sheet", sheet, "--rater", "Ann", "--rater", "Bob") == 0
    with sheet.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["rater"] for row in rows] == ["Ann"] * 6 + ["Bob"] * 6
    rows[7] |= dict.fromkeys(CRITERIA, "4")
    with sheet.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    assert code("rate", store.folder, "--import", sheet) == 0
    (found,) = Judgements(store.folder).ratings()
    assert (found.rater, found.scores) == ("Bob", dict.fromkeys(CRITERIA, 4))


def test_a_bad_file_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One wrong row among good ones: it is named, the exit status is 2 and no rating is written."""
    reports = blind_reports(experiment(tmp_path / "e"))
    file = tmp_path / "ratings.csv"
    rows = [f"Ann,{report.id},{number + 6},8,8,8,8" for number, report in enumerate(reports)]
    file.write_text("\n".join([f"rater,report,{','.join(CRITERIA)}", *rows]))
    assert code("rate", tmp_path / "e", "--import", file) == 2
    assert "row 7: completeness: '11' is not a whole number from 1 to 10" in capsys.readouterr().err
    assert Judgements(tmp_path / "e").ratings() == []
    assert code("rate", tmp_path / "e", "--import", tmp_path / "none.csv") == 2
    assert "No such file" in capsys.readouterr().err


def test_what_stands_in_the_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run in the same folder, a taken port, a bad name, two files at once, nothing to compare: each is told."""
    store = experiment(tmp_path / "e")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert code("rate", store.folder, "--port", port) == 2
    assert f"port {port}" in capsys.readouterr().err
    assert code("rate", store.folder, "--rater", "…") == 2
    assert "needs a letter" in capsys.readouterr().err
    assert code("rate", store.folder, "--export", "a", "--import", "b") == 2
    assert "give one of them" in capsys.readouterr().err
    assert code("rate", store.folder, "--sheet", "a", "--pairs") == 2
    assert "leave out --pairs" in capsys.readouterr().err
    assert code("rate", store.folder, "--export", tmp_path / "none" / "a.csv") == 2
    assert "There is no folder" in capsys.readouterr().err
    assert code("rate", experiment(tmp_path / "one", reports=1).folder, "--pairs") == 2
    assert "No two different reports" in capsys.readouterr().err
    store.lock()
    assert code("rate", store.folder) == 2
    assert "Another levelfield (process " in capsys.readouterr().err
    store.unlock()


def test_who_holds_the_folder_is_told(tmp_path: Path) -> None:
    """A run that finds the rating page open is told that it is one."""
    store, other = experiment(tmp_path), Store(tmp_path)
    store.lock("levelfield rate")
    with pytest.raises(ResultsMismatch, match=r"Another levelfield rate \(process \d+\) is writing"):
        other.lock()
    store.unlock()
    other.lock()
    other.unlock()


def test_ratings_of_reports_that_no_longer_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They stay on disk and are left out of the export, which says so."""
    store = experiment(tmp_path / "e")
    Judgements(store.folder).write_rating(rating("gone"))
    assert code("rate", store.folder, "--export", tmp_path / "out.csv") == 0
    assert "1 are left out" in capsys.readouterr().out
    assert (tmp_path / "out.csv").read_text().count("\n") == 1


def test_an_empty_report_can_be_rated(tmp_path: Path) -> None:
    """It is a report like others."""
    store = experiment(tmp_path)
    add(store, SAME, 3, "")
    assert "" in {report.text for report in blind_reports(store)}
    store.write_run(run("b", status=Status.MODEL_ERROR), [])
    assert len(blind_reports(store)) == 7


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    """`levelfield rate --help` shows a whole command line to copy, and what ends the page."""
    assert code("rate", "--help") == 0
    shown = capsys.readouterr().out
    assert "Example: levelfield rate results/full-… --rater Ann --rater Bob" in shown
    assert "Ctrl-C ends it" in shown
