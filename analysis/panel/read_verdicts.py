"""All verdicts of an experiment in one table: from its records, or from the scores in a plain CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from analysis.describe import present_criteria
from analysis.name_columns import has_report, renamed
from analysis.panel.authors import Author, authors_of
from analysis.read_runs import Runs
from analysis.wording import plural
from shared.errors import LevelfieldError
from shared.judgement_store import Judgements
from shared.judgements import Comparison
from shared.records import Verdict
from shared.store import Store
from shared.yardsticks import newest_versions

UNNAMED = "the judge"
"""Of scores in a file that names no judge."""
COLUMNS = (
    *("judge", "rubric", "repeat", "run_id", "subject", "framework", "item", "text", "copy", "scored"),
    *("overall", "judge_overall", "reasoning"),
)
TEXT = ["item", "text"]
"""What makes two reports one: the same words on the same item."""


@dataclass(frozen=True)
class Verdicts:
    """`table`: a row per verdict, COLUMNS and `criteria`; `text` is the report's digest."""

    table: pd.DataFrame
    runs: pd.DataFrame
    """A row per report that could be judged: subject, framework, role, item, text, node."""
    criteria: tuple[str, ...]
    main: str
    """The judge whose scores are the report's quality."""
    records: tuple[Verdict, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    authors: dict[str, Author] = field(default_factory=dict)
    """By attempt id."""
    reports: dict[tuple[str, str], str] = field(default_factory=dict)
    """(item, text) -> the report's words; empty for a plain CSV."""
    audited: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    @cached_property
    def own(self) -> pd.DataFrame:
        """Usable verdicts, each text's once per judge and repeat: no copies for identical reports."""
        scored = self.table[self.table["scored"] & self.table["overall"].notna()]
        if not scored["copy"].any():
            return scored
        ours = scored[~scored["copy"]]
        have = set(map(tuple, ours[["judge", *TEXT, "repeat"]].to_numpy()))
        keys = map(tuple, scored[["judge", *TEXT, "repeat"]].to_numpy())
        alone = pd.Series([key not in have for key in keys], index=scored.index, dtype=bool)
        copies = scored[scored["copy"] & alone].drop_duplicates(["judge", *TEXT, "repeat"])
        return pd.concat([ours, copies])

    @cached_property
    def writers(self) -> dict[tuple[str, str], list[str]]:
        """(item, text) -> the competing subjects that wrote it; a second name competes with nobody."""
        competing = self.runs[~self.runs["role"].isin(["dry", "twin"])]
        return {
            (str(item), str(text)): sorted(rows["subject"].unique())
            for (item, text), rows in competing.groupby(TEXT)
        }

    def own_of(self, judge: str) -> pd.DataFrame:
        return self.own[self.own["judge"] == judge]

    @property
    def judges(self) -> list[str]:
        """The main one first."""
        every = {*self.table["judge"].unique(), *(found.judge for found in self.comparisons)}
        return sorted(every, key=lambda name: (name != self.main, name))

    def by_text(self, column: str) -> pd.DataFrame:
        """A row per (item, text), a column per judge, the mean over its repeats."""
        known = self.own.dropna(subset=[column])
        return known.pivot_table(index=TEXT, columns="judge", values=column, aggfunc="mean", observed=True)


def read_verdicts(runs: Runs) -> Verdicts:
    """Never raises: records that cannot be read cost the panel, and a note says so."""
    if runs.stored.store is not None:
        try:
            return _from_records(runs, runs.stored.store)
        except LevelfieldError as error:
            return _from_table(
                runs, (f"The verdicts could not be read, so only one judge is known ({error})",)
            )
    return _from_table(runs, ())


def _from_records(runs: Runs, store: Store) -> Verdicts:
    authors = authors_of(runs)
    kept = [verdict for verdict in runs.stored.verdicts if verdict.attempt_id in authors]
    records, notes = _newest_rubric(kept)
    kinds = Judgements(store.folder)
    criteria = tuple(dict.fromkeys(name for verdict in records for name in verdict.scores))
    rows = [_row(verdict, authors[verdict.attempt_id]) for verdict in records]
    return Verdicts(
        table=_table(rows, criteria),
        runs=_runs(authors.values()),
        criteria=criteria,
        main=_main(runs),
        records=tuple(records),
        comparisons=tuple(
            c for c in kinds.comparisons() if {c.first_attempt_id, c.second_attempt_id} <= set(authors)
        ),
        authors=authors,
        reports={
            (authors[r.attempt_id].item, authors[r.attempt_id].text): r.text
            for r in runs.stored.runs
            if r.attempt_id in authors
        },
        audited=frozenset(audit.judge for audit in runs.stored.audits),
        notes=(*notes, *_of_both_kinds(records)),
    )


def _from_table(runs: Runs, notes: tuple[str, ...]) -> Verdicts:
    done = runs.answered
    criteria = tuple(present_criteria(runs))
    main = _main(runs)
    text, known = done["report_digest"], has_report(done)
    if not known.all():
        text = text.astype("str").where(known, [f"row {place}" for place in done.index])
    reports = done[["subject", "framework", "role", "item", "node"]].assign(text=text)
    table = done[["subject", "framework", "item", "overall", "reasoning", *criteria]].assign(
        text=text,
        judge=renamed(done["judge"], lambda name: name or main),
        rubric="",
        repeat=1,
        run_id="",
        copy=done["verdict_of"] != "",
        scored=done["overall"].notna(),
        judge_overall=float("nan"),
    )
    return Verdicts(table=table, runs=reports, criteria=criteria, main=main, notes=notes)


def _newest_rubric(verdicts: Sequence[Verdict]) -> tuple[list[Verdict], list[str]]:
    """Scores by two versions of a rubric are not comparable: the newest version counts."""
    newest = newest_versions(verdict.rubric for verdict in verdicts)
    kept = [verdict for verdict in verdicts if verdict.rubric in newest]
    older = len(verdicts) - len(kept)
    note = (
        f"{plural(older, 'verdict')} by an older version of the rubric are in the records and not used here."
    )
    return kept, [note] if older else []


def _of_both_kinds(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """A judge's mean moves with the kind of its scores, and not with the reports alone."""
    kinds: dict[str, set[bool]] = {}
    for verdict in verdicts:
        if verdict.scored and verdict.same_text_as is None:
            kinds.setdefault(verdict.judge, set()).add(verdict.weighed)
    for judge in sorted(judge for judge, found in kinds.items() if len(found) > 1):
        yield (
            f"Some scores of {judge} are weighed by its own probabilities and some are as written, since its "
            "server did not always tell enough."
        )


def _row(verdict: Verdict, author: Author) -> dict[str, object]:
    return {
        "judge": verdict.judge,
        "rubric": verdict.rubric,
        "repeat": verdict.repeat,
        "run_id": verdict.run_id,
        "subject": author.subject,
        "framework": author.framework,
        "item": author.item,
        "text": author.text,
        "copy": verdict.same_text_as is not None,
        "scored": verdict.scored and verdict.overall is not None,
        "overall": verdict.overall,
        "judge_overall": verdict.judge_overall,
        "reasoning": verdict.reasoning,
        **verdict.scores,
    }


def _table(rows: list[dict[str, object]], criteria: tuple[str, ...]) -> pd.DataFrame:
    numbers = ("overall", "judge_overall", *criteria)
    table = pd.DataFrame(rows, columns=[*COLUMNS, *criteria])
    return table.astype({**dict.fromkeys(numbers, float), "copy": bool, "scored": bool})


def _runs(authors: Iterable[Author]) -> pd.DataFrame:
    rows = [(a.subject, a.framework, a.role, a.item, a.text, a.node) for a in authors]
    return pd.DataFrame(rows, columns=["subject", "framework", "role", "item", "text", "node"])


def _main(runs: Runs) -> str:
    named = runs.table.loc[runs.table["judge"] != "", "judge"]
    if len(named):
        return str(named.mode().iloc[0])
    return next(iter(runs.manifest.judges), runs.manifest.setting("llm_model")) or UNNAMED
