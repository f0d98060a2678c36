"""Proper names in a sentence that no source knows: capital letters, read with care.

A word counts as part of a name when it holds a capital letter and none of these explains the capital: the
sources hold the word (in any case, plural or possessive), it is a common word of business English
(`judge.common_words`), the report writes it in lower case elsewhere, it is an abbreviation of the words
before it ("Total Payment Volume (TPV)"), the report's end cuts it off, or it begins a sentence, a label, a
cell or a quotation. What begins one still counts with a capital inside ("PayPal", "GDPR"), where the report
has it as a name in mid-sentence elsewhere, and in a label behind the subject's own name ("Stripe Elements:
..."). Words are compared one by one: two known names put together wrongly are not noticed. A small whole
number behind a known name ("Opus 5") counts with it. A sentence mostly in capitals names nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from judge.common_words import is_common
from judge.passage import plain, word_keys, words_of
from judge.sentences import Sentence

_TOKEN = re.compile(r"[^\W_]{1,40}(?:['\u2019.&][^\W_]{1,40}){0,4}")
_POSSESSIVE = re.compile(r"['\u2019]s?$")
_ADJACENT = re.compile(r"[ -]{1,2}")
_OPENS = re.compile(r"(?:[|:;\u2013\u2014]\s|[\"\u201c\u2018]|\s')\(?$")
_SMALL_NUMBER = re.compile(r"\d{1,2}")
_INNER_CAPITAL_CHARS = 2


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What explains a capital letter."""

    known: frozenset[str]
    """Words of the sources."""
    phrases: str
    """The sources' words in order, one blank around each."""
    subject: frozenset[str]
    """Words of the subject's name."""


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int
    end: int
    parts: tuple[str, ...]
    """Lower case, without accents, plural and possessive: "Checkout.com" has two."""
    begins: bool
    """Begins a sentence, cell or quotation, or stands in a label."""
    labelled: bool
    follows: bool
    """Nothing but a blank or hyphen stands between it and the word before."""
    capital: bool
    """Holds a capital letter."""

    @property
    def inner_capital(self) -> bool:
        return self.text[1:] != self.text[1:].lower()


def unknown_names(sentence: Sentence, vocabulary: Vocabulary, report: ReportWords) -> list[str]:
    """Each name as it is written, with the capitalised words that touch it."""
    words = _words(sentence)
    if sentence.cut_off and words and _begins_known_word(words[-1], vocabulary):
        words = words[:-1]
    if 2 * sum(word.text.isupper() for word in words) > len(words):
        return []  # all in capitals: they tell nothing
    unknown = [_is_unknown(index, words, vocabulary, report) for index in range(len(words))]
    found = [sentence.text[start:end] for start, end in _runs(words, unknown)]
    return found + _unknown_numbers(sentence.text, words, vocabulary)


@dataclass(frozen=True, slots=True)
class ReportWords:
    """How the report itself writes its words."""

    lower: frozenset[str]
    """Those it writes in lower case somewhere."""
    inside: frozenset[str]
    """Those it writes with a capital in mid-sentence."""


def read_report_words(sentences: Iterable[Sentence]) -> ReportWords:
    lower: set[str] = set()
    inside: set[str] = set()
    for sentence in dict.fromkeys(sentences):
        for word in _words(sentence):
            if not word.capital:
                lower.update(word.parts)
            elif not word.begins:
                inside.update(word.parts)
    return ReportWords(frozenset(lower), frozenset(inside))


def _words(sentence: Sentence) -> list[_Word]:
    text = sentence.text
    words: list[_Word] = []
    for found in _TOKEN.finditer(text):
        bare = _POSSESSIVE.sub("", found[0])
        gap_start = words[-1].end if words else 0
        gap = text[gap_start : found.start()]
        in_label = found.start() < sentence.label_chars
        words.append(
            _Word(
                text=bare,
                start=found.start(),
                end=found.start() + len(bare),
                parts=_parts(bare),
                begins=not words or in_label or bool(_OPENS.search(gap[-4:])),
                labelled=in_label,
                follows=bool(words) and _ADJACENT.fullmatch(gap) is not None,
                capital=bare != bare.lower(),
            )
        )
    return words


@lru_cache(maxsize=20_000)
def _parts(word: str) -> tuple[str, ...]:
    return tuple(word_keys(word))


def _is_unknown(index: int, words: list[_Word], vocabulary: Vocabulary, report: ReportWords) -> bool:
    word = words[index]
    if not word.capital or len(word.text) == 1 or word.text[0].isdigit() or _abbreviates(index, words):
        return False
    unexplained = (part for part in word.parts if part not in vocabulary.known and not is_common(part))
    parts = [part for part in unexplained if not is_common(part.rstrip("0123456789"))]
    if not parts:
        return False
    if word.inner_capital and not word.text.isupper():
        return True
    if not report.lower.isdisjoint(parts):
        return False
    if word.begins and not word.inner_capital:
        of_subject = word.labelled and word.follows and vocabulary.subject.issuperset(words[index - 1].parts)
        return of_subject or report.inside.issuperset(parts)
    return True


def _begins_known_word(word: _Word, vocabulary: Vocabulary) -> bool:
    """Whether it may be one that the report's end cut off: "Stripe Pay" for Stripe Payments."""
    return any(known.startswith(word.parts[-1]) for known in vocabulary.known) if word.parts else False


def _abbreviates(index: int, words: list[_Word]) -> bool:
    """Whether its letters begin the words before it, as in "Total Payment Volume (TPV)"."""
    letters = words[index].text.lower()
    before = [word.text[:1].lower() for word in words[max(0, index - len(letters)) : index]]
    return len(letters) >= _INNER_CAPITAL_CHARS and "".join(before) == letters


def _runs(words: list[_Word], unknown: list[bool]) -> Iterable[tuple[int, int]]:
    """From where to where names stand: unknown words with the capitalised words that touch them."""
    start = 0
    for end in range(1, len(words) + 1):
        if end < len(words) and words[end].follows and words[end].capital and words[end - 1].capital:
            continue
        if any(unknown[start:end]):
            yield _trimmed(words[start:end], unknown[start:end])
        start = end


def _trimmed(run: list[_Word], unknown: list[bool]) -> tuple[int, int]:
    """Without a common word that only happens to stand before ("In Paris") or behind."""
    first, last = 0, len(run) - 1
    while not unknown[first] and all(map(is_common, run[first].parts)):
        first += 1
    while not unknown[last]:
        last -= 1
    return run[first].start, run[last].end


def _unknown_numbers(text: str, words: list[_Word], vocabulary: Vocabulary) -> list[str]:
    """Small numbers behind known names: "Opus 5" where the sources hold Opus, and no Opus 5."""
    found = []
    for before, number in pairwise(words):
        named = before.capital and not before.begins and not all(map(is_common, before.parts))
        beside = text[before.end : number.start] == " "
        if not (named and beside and _SMALL_NUMBER.fullmatch(number.text)):
            continue
        if all(part in vocabulary.known for part in before.parts):
            phrase = words_of(plain(f"{before.text} {number.text}"))
            if phrase not in vocabulary.phrases:
                found.append(text[before.start : number.end])
    return found
