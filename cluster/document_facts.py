"""A folder of documents as facts: each sentence with the figures and names that a report must repeat.

Which figures and names those are is decided by the rules that find unsupported claims in reports
(`judge/claims.py`, `judge/names.py`): what counts as a claim there is what is expected here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from judge.claims import Sources, unknown_figures
from judge.names import ReportWords, Vocabulary, read_report_words, unknown_names
from judge.passage import Passage, read_passage, word_keys
from judge.sentences import Sentence, read_sentences
from shared.errors import PlanError

SUFFIXES = {".md", ".markdown", ".txt"}
MAX_FILE_BYTES = 1_000_000
MAX_FACT_CHARS = 300
"""Facts are short sentences: longer ones are for a person to cut up."""
MAX_TERMS = 3
"""Expected of one fact. The facts of the companies that are there have one or two."""
MAX_CANDIDATES = 8
_SHOWN_CHARS = 70


@dataclass
class Documents:
    facts: list[dict[str, object]] = field(default_factory=list)
    """As an item file has them."""
    undecided: list[str] = field(default_factory=list)
    """What was left out, and why, in words that say what to do."""


@dataclass(frozen=True)
class _Statement:
    query: str
    file: str
    text: str
    passage: Passage
    candidates: tuple[str, ...]


def read_documents(folder: Path, queries: Mapping[str, tuple[str, ...]], name: str, key: str) -> Documents:
    """Each file answers the query that it is named after, or that has its name among its words.

    `name` is the subject's; `key` begins the facts' ids.
    """
    found = Documents()
    statements = list(_statements(folder, queries, name, found))
    counts: dict[str, int] = {}
    for statement in statements:
        terms = _telling_terms(statement, [other for other in statements if other is not statement])
        if isinstance(terms, str):
            found.undecided.append(f'{statement.file}: {terms}: "{statement.text[:_SHOWN_CHARS]}"')
            continue
        counts[statement.query] = counts.get(statement.query, 0) + 1
        fact_id = f"{key}.{statement.query}.{counts[statement.query]}"
        found.facts.append(
            {"id": fact_id, "query": statement.query, "text": statement.text, "expect": list(terms)}
        )
    return found


def _statements(
    folder: Path, queries: Mapping[str, tuple[str, ...]], name: str, found: Documents
) -> Iterator[_Statement]:
    sources = _nothing_but(name)
    for path, query in _files(folder, queries, found):
        text = _text(path, found)
        sentences = read_sentences(text, ())
        report = read_report_words(sentences)
        for sentence in sentences:
            if len(sentence.text) > MAX_FACT_CHARS:
                shown = sentence.text[:_SHOWN_CHARS]
                found.undecided.append(
                    f'{path.name}: more than {MAX_FACT_CHARS} characters, cut it up: "{shown}"'
                )
                continue
            passage = read_passage(sentence.text)
            candidates = tuple(
                term for term in _candidates(sentence, sources, report) if passage.states(term)
            )
            yield _Statement(query, path.name, sentence.text, passage, candidates[:MAX_CANDIDATES])


def _files(
    folder: Path, queries: Mapping[str, tuple[str, ...]], found: Documents
) -> Iterator[tuple[Path, str]]:
    try:
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise PlanError(f"{folder} cannot be read: {error.strerror}") from None
    for path in paths:
        stem = path.stem.lower()
        asked = [query for query, words in queries.items() if stem == query or stem in words]
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            found.undecided.append(f"{path.name}: only .md and .txt files are read")
        elif not asked:
            found.undecided.append(f"{path.name}: name it after one of the queries {', '.join(queries)}")
        else:
            yield path, asked[0]


def _text(path: Path, found: Documents) -> str:
    """Nothing, with the reason noted, for what cannot be read as text."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            found.undecided.append(f"{path.name}: larger than {MAX_FILE_BYTES // 1000} kB")
            return ""
        return path.read_text(encoding="utf-8")
    except OSError as error:
        found.undecided.append(f"{path.name}: cannot be read ({error.strerror})")
    except UnicodeDecodeError:
        found.undecided.append(f"{path.name}: no text in UTF-8")
    return ""


def _nothing_but(name: str) -> Sources:
    """Sources that know the subject's name and nothing else: every other figure and name is a claim."""
    words = frozenset(word_keys(name))
    return Sources("", (), frozenset(), Vocabulary(known=words, phrases="", subject=words))


def _candidates(sentence: Sentence, sources: Sources, report: ReportWords) -> Iterator[str]:
    """Figures and names in turn, so that a fact with both is expected with both."""
    figures = list(unknown_figures(sentence, sources))
    names = unknown_names(sentence, sources.vocabulary, report)
    for place in range(max(len(figures), len(names))):
        yield from figures[place : place + 1]
        yield from names[place : place + 1]


def _telling_terms(statement: _Statement, others: list[_Statement]) -> tuple[str, ...] | str:
    """The first two candidates, or what else it takes to tell the fact from all others; or why not."""
    if not statement.candidates:
        return "no figure or name that a report would have to repeat: write its expect yourself"
    least = min(2, len(statement.candidates))
    for size in range(least, MAX_TERMS + 1):
        for terms in combinations(statement.candidates, size):
            if not any(all(other.passage.states(term) for term in terms) for other in others):
                return terms
    return "another sentence holds the same figures and names: leave one of the two out"
