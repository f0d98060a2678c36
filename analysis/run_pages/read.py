"""Experiment -> the runs that the page can show one by one, up to a bound, a run of every cell first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from analysis.read_runs import Runs
from analysis.run_pages.requests import call_data
from analysis.run_pages.texts import TextPool
from analysis.waterfall import MOST_CALLS, Waterfall, draw_waterfall
from shared.calls import Call
from shared.errors import LevelfieldError
from shared.records import CheckResult, RunRecord, Verdict

MOST_CHARACTERS = 12_000_000
"""Of texts, before they are compressed to about a third: a report of 10,000 runs stays below 15 MB."""

Place = tuple[str, str, int]
"""Subject, item, iteration."""


@dataclass(frozen=True)
class RunPage:
    place: Place
    waterfall: Waterfall
    content: dict[str, Any]
    """As JSON for the page's script, texts by their place in `RunPages.texts`."""


@dataclass(frozen=True)
class RunPages:
    """Empty for a plain table of runs."""

    rows: list[tuple[str, str, int, str, float, float, float]] = field(default_factory=list)
    """Of every run: place, status, quality, latency in seconds, tokens. NaN: not known."""
    pages: list[RunPage] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    """Of the subjects in `rows`."""

    @property
    def waterfalls(self) -> list[Waterfall]:
        return [page.waterfall for page in self.pages]


def read_run_pages(runs: Runs, *, most_characters: int | None = MOST_CHARACTERS) -> RunPages:
    """None as a bound: there is none."""
    store = runs.stored.store
    if store is None:
        return RunPages()
    reader = _Reader(runs)
    pages: list[RunPage] = []
    for record in _one_of_each_first(runs.stored.runs):
        if most_characters is not None and reader.texts.characters >= most_characters:
            break
        try:
            calls = store.calls(record)
        except LevelfieldError:  # a damaged journal costs its run's page, not the report
            continue
        if calls:
            pages.append(reader.page(record, calls))
    if not pages:
        return RunPages()
    table = runs.table
    columns = ("subject", "item", "iteration", "status", "overall", "latency_s", "total_tokens")
    return RunPages(
        rows=list(zip(*(table[column].tolist() for column in columns), strict=True)),
        pages=sorted(pages, key=lambda page: (page.waterfall.title.casefold(), page.place)),
        texts=reader.texts.texts,
        titles={subject: runs.title(subject) for subject in table["subject"].unique()},
    )


class _Reader:
    """Makes pages whose texts are kept once."""

    def __init__(self, runs: Runs) -> None:
        self.texts = TextPool()
        self._runs = runs
        self._checks = {check.attempt_id: check for check in runs.stored.checks}
        self._verdicts: dict[str, list[Verdict]] = {}
        for verdict in runs.stored.verdicts:
            self._verdicts.setdefault(verdict.attempt_id, []).append(verdict)
        self._disturbed = {entry.quarantine.attempt_id for entry in runs.stored.quarantined}

    def page(self, record: RunRecord, calls: Sequence[Call]) -> RunPage:
        waterfall = draw_waterfall(self._runs, record, calls)
        if record.attempt_id in self._disturbed:
            waterfall = replace(waterfall, status=f"{waterfall.status}, in quarantine")
        shown = sorted(calls, key=lambda call: call.arrived_s)[:MOST_CALLS]
        check = self._checks.get(record.attempt_id)
        content = {
            "id": record.key.run_id,
            "attempt": record.attempt,
            "status": waterfall.status,
            "error": self.texts.place(record.error) if record.error else None,
            "text": self.texts.place(record.text) if record.text else None,
            "calls": [call_data(call, self.texts) for call in shown],
            "more_calls": len(calls) - len(shown) or None,
            "checks": _check(check) if check else [],
            "verdicts": [self._verdict(verdict) for verdict in self._verdicts.get(record.attempt_id, ())],
        }
        place = (waterfall.subject, waterfall.item, waterfall.iteration)
        return RunPage(
            place, waterfall, {name: value for name, value in content.items() if value is not None}
        )

    def _verdict(self, verdict: Verdict) -> dict[str, Any]:
        words = verdict.reasoning if verdict.scored else "No answer of the judge could be read as a score."
        return {
            "judge": verdict.judge,
            "repeat": verdict.repeat,
            "overall": verdict.overall,
            "scores": verdict.scores,
            "taken_over_from": verdict.same_text_as,
            "words": self.texts.place(words) if words else None,
        }


def _check(check: CheckResult) -> list[tuple[str, str]]:
    """Name and finding, for a list of both."""
    found = [
        ("Words", f"{check.words:,}" + (", not as many as asked" if check.words_in_range is False else ""))
    ]
    if check.passed is not None:
        found.append(("Passed the task's own score", "yes" if check.passed else "no"))
        found += [(name.replace("_", " "), f"{value:g}") for name, value in check.figures.items()]
        found += [("Why not", note) for note in check.notes]
    if check.section_share is not None:
        found.append(("Sections missing", ", ".join(check.sections_missing) or "none"))
    if check.facts_total:
        found.append(("Known facts stated", f"{len(check.facts_found)} of {check.facts_total}"))
    if check.unsupported_sentences is not None:
        found.append(
            ("Sentences with a figure or name that no source holds", f"{check.unsupported_sentences:,}")
        )
    found += [(f"Not in any source: {', '.join(one.unsupported)}", one.sentence) for one in check.unsupported]
    return found


def _one_of_each_first(records: Sequence[RunRecord]) -> Iterator[RunRecord]:
    first: dict[tuple[str, str, str, str], RunRecord] = {}
    for record in records:
        key = record.key
        first.setdefault((key.framework, key.arm, key.task, key.item), record)
    yield from first.values()
    firsts = {record.attempt_id for record in first.values()}
    yield from (record for record in records if record.attempt_id not in firsts)
