"""Whether the right passage is found, by meaning, by words and by both; and what indexing costs."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import TypeAdapter

from benchmarks.line_process import LineProcess
from benchmarks.result import Figure, Goal, Subject, figure
from benchmarks.session import Benchmark, Findings, Session
from runtime_envs.build import build
from shared.documents.engine_process import DocumentSearch
from shared.documents.indexing import index_folder, write_example
from shared.documents.passage import Passage, Way
from shared.errors import InternalError
from shared.strict import Strict

QUESTIONS = Path(__file__).with_name("retrieval_questions.yaml")
BOTH, DENSE, WORDS, PLAIN = "both", "dense", "bm25", "plain chromadb"
WAYS: dict[str, Way] = {BOTH: "both", DENSE: "dense", WORDS: "bm25"}
DEPTHS = (1, 3, 5)
DEEPEST = 10
"""Passages asked for; a passage further down counts as not found."""
COPIES = 8
"""Of the documents, each with other words, for the time of indexing: some 250 passages."""
START_TIMEOUT_S = 120
INDEX_TIMEOUT_S = 900
COUNTED = (
    "hit@k: share of the questions with the right passage among the first k; right is the file, the page "
    "where there are pages, and words that it holds. MRR: mean of 1/rank among the first ten. The set is "
    "small (one question is over 2 percent) and ours: it tells the ways apart, and not products. First "
    "indexing: from starting a process to the end, of the same files: read, split, embedded, stored. plain "
    "chromadb is a script with the same readers, splitter and embedding model; ours also writes keywords, "
    "digests and the manifest."
)


class Question(Strict):
    question: str
    asked: Literal["words", "meaning"]
    file: str
    page: int | None = None
    says: str

    def answered_by(self, passage: Passage) -> bool:
        right_place = passage.file == self.file and self.page in (None, passage.page)
        return right_place and self.says in " ".join(passage.text.split())


def measure(session: Session) -> Findings:
    session.progress.stage("retrieval: setting up")
    python = build("documents", on_progress=session.progress.doing).python
    documents, index = session.folder / "documents", session.folder / "index"
    write_example(python, documents)
    indexed = index_folder(python, documents, index)
    questions = read_questions()
    with DocumentSearch(index) as search:
        ranks = {name: [_rank(search, asked, way) for asked in questions] for name, way in WAYS.items()}
        seconds = {name: _search_ms(search, questions, way) for name, way in WAYS.items()}
    rounds = session.rounds_of(full=5, quick=2)
    spent = _indexing(session, python, documents, rounds)
    figures = [*_quality(questions, ranks), figure("search", "ms", seconds, BOTH, with_ratios=False), spent]
    return Findings(
        counted=COUNTED,
        rounds=rounds,
        subjects=_subjects(),
        figures=figures,
        goals=_goals(figures),
        details={
            "questions": len(questions),
            "files": len(indexed.manifest.files),
            "passages": indexed.manifest.passages,
            "missed": {
                name: [asked.question for asked, rank in zip(questions, found, strict=True) if rank != 1]
                for name, found in ranks.items()
            },
        },
    )


def read_questions() -> list[Question]:
    data = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    return TypeAdapter(list[Question]).validate_python(data)


def _rank(search: DocumentSearch, asked: Question, way: Way) -> int | None:
    """Of the right passage, from 1."""
    found = search.find(asked.question, DEEPEST, way)
    return next((rank for rank, passage in enumerate(found, 1) if asked.answered_by(passage)), None)


def _search_ms(search: DocumentSearch, questions: Sequence[Question], way: Way) -> list[float]:
    began = time.perf_counter()
    for asked in questions:
        search.find(asked.question, DEEPEST, way)
    return [1e3 * (time.perf_counter() - began) / len(questions)]


def _quality(questions: Sequence[Question], ranks: dict[str, list[int | None]]) -> list[Figure]:
    figures = []
    for asked in (None, "words", "meaning"):
        name = f", asked by {asked}" if asked else ""
        chosen = [place for place, one in enumerate(questions) if asked in (None, one.asked)]
        of = {way: [found[place] for place in chosen] for way, found in ranks.items()}
        for depth in DEPTHS:
            hits = {way: [_share(rank, depth)] for way, rank in of.items()}
            figures.append(figure(f"hit@{depth}{name}", "share", hits, BOTH, with_ratios=False))
        reciprocal = {way: [_mean(1 / rank if rank else 0 for rank in found)] for way, found in of.items()}
        figures.append(figure(f"MRR{name}", "", reciprocal, BOTH, with_ratios=False))
    return figures


def _share(ranks: Sequence[int | None], depth: int) -> float:
    return _mean(rank is not None and rank <= depth for rank in ranks)


def _mean(values: Any) -> float:
    listed = [float(value) for value in values]
    return sum(listed) / len(listed)


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


def _goals(figures: Sequence[Figure]) -> list[Goal]:
    first = next(found for found in figures if found.name == "MRR")
    both, best = first.of[BOTH].median, max(first.of[DENSE].median, first.of[WORDS].median)
    ratio = next(found for found in figures if found.name == "first indexing").ratios[f"{BOTH} / {PLAIN}"]
    return [
        Goal(
            text="both together at least as good as the better of the two (MRR)",
            met=both >= best,
            found=f"{both:.2f} and {best:.2f}",
        ),
        Goal(
            text="at most twice a plain chromadb script", met=ratio.median <= 2, found=f"{ratio.median:.2f}"
        ),
    ]


def _subjects() -> list[Subject]:
    return [
        Subject(name=BOTH, role="ours", what="vectors and BM25, their scores weighted"),
        Subject(name=DENSE, role="reference", what="all-MiniLM-L6-v2 in 8 bits, chromadb"),
        Subject(name=WORDS, role="reference", what="bm25s"),
        Subject(name=PLAIN, role="floor", what="chromadb, file by file, no keywords and no digests"),
    ]


BENCHMARK = Benchmark("retrieval", "Whether the right passage of a document is found.", measure)
