"""Sentences of a report that hold figures or names which no source knows.

The rule, in full. Headings and code fences are not read. In every other sentence these count as claims:

- Amounts with a currency, a scale or a percent sign; whole numbers above 10 and numbers with decimals; years;
  months with their year. Not counted: smaller whole numbers ("3 questions"), numbers of lists, numbers in
  words unless a scale or "percent" follows, days of a month, "24/7", numbers that touch letters ("10x",
  "1990s", "H100").
- Proper names, as `judge.names` reads them.

A figure is supported when a source holds the same figure in whatever form, or one that it rounds: up or down
to the digits shown, and at most `MAX_ROUNDING` away ("over $7 billion" for $7.2 billion, "nearly $7 billion"
for $6.8 billion; not "$2 billion" for $1.5 billion). A year is supported by any date in it, a month only by
that month. Both ends of a range are figures. A figure that the report's end may have cut off is not held
against it. Arithmetic is not followed: a difference or a sum of known figures counts as unsupported. What a
figure is said of is not compared: 100 employees are supported by 100 payment methods. So this finds
inventions and altered figures, and not everything false.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import zip_longest

from judge.figures import (
    PERCENT,
    PLAIN,
    SPELLED,
    Amount,
    WrittenAmount,
    spelled_out,
    written_amounts,
    written_months,
)
from judge.names import ReportWords, Vocabulary, read_report_words, unknown_names
from judge.passage import plain, word_keys, words_of
from judge.sentences import Sentence
from shared.records import UnsupportedClaim
from shared.yardsticks import CheckSpec

MAX_ROUNDING = 0.05
"""Relative. Our choice: the usual "about" of business prose; an altered figure is mostly further away."""
COUNTING_WORDS = 10
"""Whole numbers up to here count things in the text itself more often than in the world."""
MAX_CLAIMS = 50
"""Kept per report; how many there are is counted in full."""
MAX_CLAIM_CHARS = 400
MAX_PARTS = 10
MAX_PART_CHARS = 80

_YEARS = range(1900, 2101)
_ROUND_THE_CLOCK = re.compile(r"\b24/7\b")
_FISCAL_YEAR = re.compile(r"\bfy\s?(?=\d{2,4}\b)")
_SLASHED_DATE = re.compile(r"\b\d{1,2}/\d{1,2}/(?=\d{4}\b)")
_DAY = re.compile(
    r"\b(?:january|february|march|april|june|july|august|september|october|november|december)\s{1,3}\d{1,2}"
    r"(?:st|nd|rd|th)?\b(?![.,]?\d|\s?%)"
    r"|\b\d{1,2}(?:st|nd|rd|th)?\s{1,3}(?:of\s{1,3})?"
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december)\b"
)
_RANGE_GAP = re.compile(r"\s{0,2}(?:-|to)\s{0,2}")


@dataclass(frozen=True)
class Sources:
    """What a report may rest on, read once per yardstick."""

    text: str
    """Lower case, without accents."""
    amounts: tuple[Amount, ...]
    months: frozenset[tuple[int, int]]
    vocabulary: Vocabulary

    @cached_property
    def years(self) -> frozenset[int]:
        plain_years = {int(a.value) for a in self.amounts if a.unit == PLAIN and a.value in _YEARS}
        return frozenset(plain_years | {year for year, _ in self.months})


def unsupported_claims(sentences: list[Sentence], spec: CheckSpec) -> tuple[list[UnsupportedClaim], int]:
    """The first claims, and how many sentences hold some. Nothing is unsupported where no source is given."""
    if not spec.sources:
        return [], 0
    sources, report = read_sources(spec), read_report_words(sentences)
    kept: list[UnsupportedClaim] = []
    total = 0
    for sentence, parts in _unsupported(sentences, sources, report):
        total += 1
        if len(kept) < MAX_CLAIMS:
            kept.append(
                UnsupportedClaim(
                    sentence=cut(sentence.text, MAX_CLAIM_CHARS),
                    unsupported=[cut(part, MAX_PART_CHARS) for part in parts[:MAX_PARTS]],
                )
            )
    return kept, total


@lru_cache(maxsize=64)
def read_sources(spec: CheckSpec) -> Sources:
    text = "\n".join((*spec.sources, *spec.sections))
    simple = spelled_out(plain(text))
    words = words_of(plain(text))
    return Sources(
        text=simple,
        amounts=(*(written.amount for written in written_amounts(simple)), *_spelled_amounts(words)),
        months=frozenset(month for month, _, _ in written_months(simple)),
        vocabulary=Vocabulary(
            known=frozenset(word_keys(text)), phrases=words, subject=frozenset(word_keys(spec.subject))
        ),
    )


def cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else f"{text[: chars - 1]}…"


def _unsupported(
    sentences: list[Sentence], sources: Sources, report: ReportWords
) -> Iterator[tuple[Sentence, list[str]]]:
    """A sentence that a looping model writes a thousand times is read once."""
    read: dict[Sentence, list[str]] = {}
    for sentence in sentences:
        if sentence not in read:
            parts = [*unknown_figures(sentence, sources)]
            parts += unknown_names(sentence, sources.vocabulary, report)
            read[sentence] = list(dict.fromkeys(parts))
        if read[sentence]:
            yield sentence, read[sentence]


def unknown_figures(sentence: Sentence, sources: Sources) -> Iterator[str]:
    """As the sentence writes them, in lower case."""
    simple = spelled_out(_FISCAL_YEAR.sub("", plain(sentence.text)))
    rest = _blank(simple, _ROUND_THE_CLOCK, _SLASHED_DATE)
    for month, start, end in written_months(simple):
        rest = rest[:start] + " " * (end - start) + rest[end:]
        if month not in sources.months:
            yield simple[start:end]
    rest = _blank(rest, _DAY)
    for written in _with_range_units(rest, list(written_amounts(rest))):
        figure = rest[written.start : written.end]
        cut_off = sentence.cut_off and written.end == len(rest) and f" {figure}" in sources.text
        if _is_claim(written) and not cut_off and not _is_supported(written, sources):
            yield figure


def _blank(text: str, *patterns: re.Pattern[str]) -> str:
    """The same length, so that places in it still hold."""
    for pattern in patterns:
        text = pattern.sub(lambda found: " " * len(found[0]), text)
    return text


def _with_range_units(text: str, amounts: list[WrittenAmount]) -> Iterator[WrittenAmount]:
    """The first of "2.1 to 2.7 billion" is 2.1 billion as well; years keep to themselves."""
    for written, following in zip_longest(amounts, amounts[1:]):
        joined = following and _RANGE_GAP.fullmatch(text[written.end : following.start])
        bare = written.amount.unit == PLAIN or written.amount.value == _digits(written)
        if following and joined and bare and following.amount.unit != PLAIN and not _is_year(written):
            unit = following.amount.unit if written.amount.unit == PLAIN else written.amount.unit
            scale = following.amount.value / (_digits(following) or 1.0)
            amount = Amount(_digits(written) * scale, unit)
            yield WrittenAmount(amount, written.digits, written.start, written.end)
        else:
            yield written


def _digits(written: WrittenAmount) -> float:
    return float(written.digits.replace(",", ""))


def _is_year(written: WrittenAmount) -> bool:
    return written.amount.unit == PLAIN and len(written.digits) == 4 and written.amount.value in _YEARS


def _is_claim(written: WrittenAmount) -> bool:
    amount = written.amount
    return amount.unit != PLAIN or amount.value > COUNTING_WORDS or "." in written.digits


def _is_supported(written: WrittenAmount, sources: Sources) -> bool:
    if _is_year(written) and int(written.amount.value) in sources.years:
        return True
    return any(
        written.amount.is_same_as(known) or (not _is_year(written) and _rounds(written, known))
        for known in sources.amounts
    )


def _rounds(written: WrittenAmount, known: Amount) -> bool:
    amount = written.amount
    if not amount.compares_with(known) or not amount.value or not math.isfinite(amount.value):
        return False
    away = abs(amount.value - known.value)
    return away < _last_place(written) and away <= MAX_ROUNDING * abs(known.value)


def _last_place(written: WrittenAmount) -> float:
    """What one step in the last digit shown is worth: 0.1 billion in "$1.4 billion", 100,000 in "300,000"."""
    whole, _, decimals = written.digits.replace(",", "").partition(".")
    scale = written.amount.value / (_digits(written) or 1.0)
    if decimals:
        return float(scale * 10.0 ** -len(decimals))
    return float(scale * 10.0 ** (len(whole) - len(whole.rstrip("0"))))


def _spelled_amounts(words: str) -> list[Amount]:
    """What the sources say in words: "seven founders" supports a 7, "half of" 50%."""
    found = [Amount(float(SPELLED[word]), PLAIN) for word in words.split() if word in SPELLED]
    return [*found, *([Amount(50.0, PERCENT)] if " half " in words else [])]
