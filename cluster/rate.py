"""`levelfield rate`: reports and what they are held against go to the rating room, ratings come back."""

from __future__ import annotations

import datetime as dt
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from cluster.judge_jobs import reports_by_text
from judge.rating.blind_report import BlindReport, by_attempt
from judge.rating.csv_table import MAX_BYTES
from judge.rating.merge_answers import Merged, merge_answers
from judge.rating.pairing import Pairing
from judge.rating.pairs_csv import preferences_csv, read_preferences
from judge.rating.rater_name import BadName, clean_name, known_as
from judge.rating.rating_app import RatingApp
from judge.rating.read_csv import read_ratings
from judge.rating.scoring import Scoring
from judge.rating.serve import serve
from judge.rating.write_csv import ratings_csv, sheet_csv
from shared.errors import RatingsError, ResultsMismatch, SettingsError
from shared.judgement_store import Judgements
from shared.packing import text_digest
from shared.record_files import write_whole
from shared.records import RunRecord
from shared.store import Store
from shared.tasks.load_task import load_task
from shared.tasks.task import Task
from shared.yardsticks import Rubric

DIGEST_CHARS = 12
"""Of the report's digest, which runs.csv has in full."""
BYTE_ORDER_MARK = "\ufeff"
"""By which spreadsheets know UTF-8."""


@dataclass(frozen=True)
class RateRequest:
    raters: tuple[str, ...] = ()
    pairs: bool = False
    port: int = 0
    open_page: bool = False
    export_to: Path | None = None
    sheet: Path | None = None
    import_from: Path | None = None


def rate_command(folder: Path, wanted: RateRequest, console: Console) -> None:
    """Serve the page, or write or read a file."""
    files = sum(path is not None for path in (wanted.export_to, wanted.sheet, wanted.import_from))
    if files > 1:
        raise SettingsError("--export, --sheet and --import are three things to do: give one of them.")
    if wanted.sheet and wanted.pairs:
        raise SettingsError("--sheet is for scores: leave out --pairs.")
    try:
        raters = tuple(dict.fromkeys(clean_name(name) for name in wanted.raters))
    except BadName as error:
        raise SettingsError(str(error)) from None
    store = Store.existing(folder)
    desk = _Rateable(blind_reports(store), Judgements(folder), console)
    if wanted.export_to:
        desk.export(wanted.export_to, pairs=wanted.pairs)
    elif wanted.sheet:
        desk.write_sheet(wanted.sheet, raters)
    else:
        store.lock("levelfield rate")
        try:
            if wanted.import_from:
                desk.import_from(wanted.import_from, pairs=wanted.pairs)
            else:
                desk.serve(raters, wanted)
        finally:
            store.unlock()


def blind_reports(store: Store) -> tuple[BlindReport, ...]:
    """Each distinct report of the runs that count. Raises ResultsMismatch when there is none yet."""
    plan = store.manifest().plan
    rated = _rated_attempts(Judgements(store.folder))
    tasks = {task.name: load_task(task.name).limited(plan.limits.facts_per_query) for task in plan.tasks}
    reports = [
        _blind_report(same, task, rubric, rated)
        for same in reports_by_text(store).values()
        if (rubric := (task := tasks[same[0].key.task]).rubric)
    ]
    if not reports:
        raise ResultsMismatch(
            f"No report to rate in {store.folder}: `levelfield status` tells how far it is."
        )
    return tuple(reports)


def _rated_attempts(kept: Judgements) -> set[str]:
    pairs = [(found.first_attempt_id, found.second_attempt_id) for found in kept.preferences()]
    return {rating.attempt_id for rating in kept.ratings()} | {one for pair in pairs for one in pair}


def _blind_report(same_text: list[RunRecord], task: Task, rubric: Rubric, rated: set[str]) -> BlindReport:
    """Kept under the run that was rated before, so that a later run with this text moves nothing."""
    record = next((record for record in same_text if record.attempt_id in rated), same_text[0])
    key = record.key
    return BlindReport(
        id=f"{key.task}.{key.item}.{text_digest(record.text)[:DIGEST_CHARS]}",
        task=key.task,
        item=key.item,
        text=record.text,
        description=task.description(key.item),
        rubric=rubric,
        evidence=task.evidence(key.item),
        run_id=key.run_id,
        attempt_id=record.attempt_id,
        attempt_ids=frozenset(record.attempt_id for record in same_text),
    )


@dataclass(frozen=True)
class _Rateable:
    """An experiment's reports and what people said of them."""

    reports: tuple[BlindReport, ...]
    kept: Judgements
    console: Console

    def serve(self, raters: tuple[str, ...], wanted: RateRequest) -> None:
        desk = (Pairing if wanted.pairs else Scoring)(self.reports, self.kept, _now)
        if not desk.order("anybody"):
            raise ResultsMismatch("No two different reports on the same item are here to compare.")
        rating = RatingApp(desk)
        sessions = [rating.sessions.of_name(name) for name in raters]

        def ready(origin: str) -> None:
            links = {f"{session.rater}:": f"{origin}/r/{session.link}/" for session in sessions}
            links["Anybody else:" if links else "To rate:"] = f"{origin}/start/{rating.sessions.start_link}"
            self._say(f"{len(self.reports)} reports to rate. Links are good until Ctrl-C.")
            for name, link in links.items():
                self._say(f"{name} {link}")
            if wanted.open_page:
                webbrowser.open(next(iter(links.values())))

        serve(rating, wanted.port, ready)
        self._say("Stopped. Every answer that was saved is kept; the same command goes on.")

    def export(self, path: Path, *, pairs: bool) -> None:
        """Scores, or with `pairs` which of two is better."""
        known = by_attempt(self.reports)
        if pairs:
            kept = [
                (found, found.first_attempt_id, found.second_attempt_id) for found in self.kept.preferences()
            ]
            preferences = [found for found, first, second in kept if {first, second} <= set(known)]
            self._exported(path, preferences_csv(preferences, self.reports), len(preferences), len(kept))
        else:
            given = self.kept.ratings()
            ratings = [rating for rating in given if rating.attempt_id in known]
            self._exported(path, ratings_csv(ratings, self.reports), len(ratings), len(given))

    def _exported(self, path: Path, text: str, written: int, kept: int) -> None:
        _write(path, text)
        self._say(f"{written} ratings: {path}")
        if written < kept:
            self._say(f"{kept - written} are left out: their reports no longer count.")

    def write_sheet(self, path: Path, raters: tuple[str, ...]) -> None:
        if not raters:
            raise SettingsError("For whom is the sheet? Give --rater NAME, once for each rater.")
        ratings = self.kept.ratings()
        named = [known_as(name, (rating.rater for rating in ratings)) for name in raters]
        _write(path, sheet_csv(named, ratings, self.reports))
        self._say(f"{len(self.reports)} reports for each of {len(named)}: {path}. Take it in with --import.")

    def import_from(self, path: Path, *, pairs: bool) -> None:
        """Raises RatingsError, and writes nothing, when anything is wrong with the file."""
        raters = [rating.rater for rating in self.kept.ratings()]
        raters += [preference.rater for preference in self.kept.preferences()]
        if pairs:
            preferences = read_preferences(_read(path), self.reports, raters, _now())
            of_pairs = merge_answers(preferences, self.kept.preferences(), self.reports)
            for preference in of_pairs.to_write:
                self.kept.write_preference(preference)
            self._imported(of_pairs, "")
        else:
            found = read_ratings(_read(path), self.reports, raters, _now())
            of_scores = merge_answers(found.ratings, self.kept.ratings(), self.reports)
            for rating in of_scores.to_write:
                self.kept.write_rating(rating)
            self._imported(of_scores, f", {found.blank_rows} rows without scores")

    def _imported(self, merged: Merged[Any], more: str) -> None:
        self._say(
            f"{len(merged.new)} new ratings, {len(merged.replacing)} that replace earlier ones, "
            f"{merged.same} that were here, {merged.older} older than those here and left out{more}."
        )

    def _say(self, words: str) -> None:
        self.console.print(Text(words), soft_wrap=True)


def _write(path: Path, text: str) -> None:
    if not path.parent.is_dir():
        raise SettingsError(f"There is no folder {path.parent} to write {path.name} to.")
    write_whole(path, f"{BYTE_ORDER_MARK}{text}".encode())


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as handle:
            return handle.read(MAX_BYTES + 1)
    except OSError as error:
        raise RatingsError(f"Cannot read {path}: {error.strerror}.") from None


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
