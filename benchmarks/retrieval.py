"""Whether the right passage is found, by meaning, by words and by both; and what indexing costs."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.line_process import LineProcess
from benchmarks.result import Figure, Goal, Subject, figure
from benchmarks.retrieval_quality import (
    Question,
    Ranks,
    intervals,
    mean_reciprocal,
    quality_figures,
    rank_of,
    read_questions,
)
from benchmarks.session import Benchmark, Findings, Session
from runtime_envs.build import build
from shared.documents.engine_process import DocumentSearch
from shared.documents.indexing import index_folder, write_example
from shared.documents.passage import Way
from shared.errors import InternalError

BOTH, DENSE, WORDS, PLAIN = "both", "dense", "bm25", "plain chromadb"
WAYS: dict[str, Way] = {BOTH: "both", DENSE: "dense", WORDS: "bm25"}
DEEPEST = 10
"""Passages asked for; a passage further down counts as not found."""
COPIES = 8
"""Of the documents, each with other words, for the time of indexing: some 250 passages."""
START_TIMEOUT_S = 120
INDEX_TIMEOUT_S = 900
COUNTED = (
    "hit@k: share of the questions with the right passage among the first k; right is the file, the page "
    "where there are pages, and words that it holds. MRR: mean of 1/rank among the first ten. The fusion was "
    "chosen with the questions called tuned, and nothing with those held out. Both sets are small (one "
    "question is over 2 percent) and ours: they tell the ways apart, and not products; 95 percent intervals "
    "over questions are in the details. First "
    "indexing: from starting a process to the end, of the same files: read, split, embedded, stored. plain "
    "chromadb is a script with the same readers, splitter and embedding model; ours also writes keywords, "
    "digests and the manifest."
)


def measure(session: Session) -> Findings:
    session.progress.stage("retrieval: setting up")
    python = build("documents", on_progress=session.progress.doing).python
    documents, index = session.folder / "documents", session.folder / "index"
    write_example(python, documents)
    indexed = index_folder(python, documents, index)
    questions = read_questions()
    tuned, held_out = questions.tuned, questions.held_out
    with DocumentSearch(index) as search:
        of_tuned, of_held_out = _ranks(search, tuned), _ranks(search, held_out)
        seconds = {name: _search_ms(search, [*tuned, *held_out], way) for name, way in WAYS.items()}
    rounds = session.rounds_of(full=5, quick=2)
    spent = _indexing(session, python, documents, rounds)
    figures = [
        *quality_figures("held out", held_out, of_held_out, BOTH),
        *quality_figures("tuned", tuned, of_tuned, BOTH),
        figure("search", "ms", seconds, BOTH, with_ratios=False),
        spent,
    ]
    return Findings(
        counted=COUNTED,
        rounds=rounds,
        subjects=_subjects(),
        figures=figures,
        goals=[_found_goal(of_held_out), _speed_goal(spent)],
        details={
            "files": len(indexed.manifest.files),
            "passages": indexed.manifest.passages,
            "held_out": _detail(held_out, of_held_out),
            "tuned": _detail(tuned, of_tuned),
        },
    )


def _ranks(search: DocumentSearch, questions: Sequence[Question]) -> Ranks:
    return {
        name: [rank_of(asked, search.find(asked.question, DEEPEST, way)) for asked in questions]
        for name, way in WAYS.items()
    }


def _detail(questions: Sequence[Question], ranks: Ranks) -> dict[str, Any]:
    return {
        "questions": len(questions),
        "intervals": intervals(ranks, BOTH),
        "not_first": {
            name: {asked.question: rank for asked, rank in zip(questions, found, strict=True) if rank != 1}
            for name, found in ranks.items()
        },
    }


def _search_ms(search: DocumentSearch, questions: Sequence[Question], way: Way) -> list[float]:
    began = time.perf_counter()
    for asked in questions:
        search.find(asked.question, DEEPEST, way)
    return [1e3 * (time.perf_counter() - began) / len(questions)]


def _indexing(session: Session, python: Path, documents: Path, rounds: int) -> Figure:
    """Seconds of a first indexing, in rounds whose order is drawn."""
    many = session.folder / "many"
    _multiply(documents, many)
    session.progress.stage("retrieval: indexing", total=2 * rounds)
    order = random.Random(7)  # noqa: S311 - an order, not a secret
    seconds: dict[str, list[float]] = {BOTH: [], PLAIN: []}
    for number in range(rounds):
        for name in order.sample(list(seconds), len(seconds)):
            session.progress.doing(f"{name}, round {number + 1} of {rounds}")
            place = session.folder / f"timed-{number}"
            seconds[name].append(
                _ours(python, many, place) if name == BOTH else _plain(session, python, many, place)
            )
            shutil.rmtree(place)
            session.progress.advance()
    return figure("first indexing", "s", seconds, BOTH)


def _ours(python: Path, documents: Path, index: Path) -> float:
    began = time.perf_counter()
    index_folder(python, documents, index)
    return time.perf_counter() - began


def _plain(session: Session, python: Path, documents: Path, index: Path) -> float:
    command = [str(python), "-m", "benchmarks.retrieval_plain"]
    log = session.folder / "plain.log"
    began = time.perf_counter()
    with LineProcess(command, log, {}, timeout_s=START_TIMEOUT_S) as process:
        answer = process.ask({"documents": str(documents), "index": str(index)}, INDEX_TIMEOUT_S)
        seconds = time.perf_counter() - began
    if not answer["passages"]:
        raise InternalError("The plain script indexed nothing.")
    return seconds


def _multiply(documents: Path, many: Path) -> None:
    """Text alone: copies with a number in each line, so that no two passages are equal."""
    many.mkdir()
    for path in sorted(documents.iterdir()):
        if path.suffix in (".md", ".txt"):
            text = path.read_text(encoding="utf-8")
            for copy in range(COPIES):
                changed = text.replace(". ", f" ({copy}). ")
                (many / f"{copy}-{path.name}").write_text(changed, encoding="utf-8")


def _found_goal(ranks: Ranks) -> Goal:
    both, best = mean_reciprocal(ranks[BOTH]), max(mean_reciprocal(ranks[way]) for way in (DENSE, WORDS))
    return Goal(
        text="both together at least as good as the better of the two (MRR, held out)",
        met=both >= best,
        found=f"{both:.2f} and {best:.2f}",
    )


def _speed_goal(indexing: Figure) -> Goal:
    ratio = indexing.ratios[f"{BOTH} / {PLAIN}"].median
    return Goal(text="at most twice a plain chromadb script", met=ratio <= 2, found=f"{ratio:.2f}")


def _subjects() -> list[Subject]:
    return [
        Subject(name=BOTH, role="ours", what="vectors and BM25, their scores weighted"),
        Subject(name=DENSE, role="reference", what="all-MiniLM-L6-v2 in 8 bits, chromadb"),
        Subject(name=WORDS, role="reference", what="bm25s"),
        Subject(name=PLAIN, role="floor", what="chromadb, file by file, no keywords and no digests"),
    ]


BENCHMARK = Benchmark("retrieval", "Whether the right passage of a document is found.", measure)
