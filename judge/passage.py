"""What a paragraph says, freed of its formatting: words, amounts and dates that can be compared.

"$7 billion", "US$7bn", "7,000 million" and "**$7.0B**" are one amount; "March 2025", "3 Mar. 2025" and
"2025-03-03" name one month. Every pattern is bounded, so that a megabyte of digits costs no more than words.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from functools import cache

AMOUNT_TOLERANCE = 0.005
"""Relative, for money and amounts with a scale: $183.7 million and $184 million are the same figure."""

SCALES = {
    "k": 1e3, "thousand": 1e3,
    "m": 1e6, "mn": 1e6, "mln": 1e6, "million": 1e6,
    "b": 1e9, "bn": 1e9, "billion": 1e9,
    "t": 1e12, "tn": 1e12, "trn": 1e12, "trillion": 1e12,
}  # fmt: skip

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

PERCENT, SCALED, PLAIN = "%", "scaled", ""
"""Units besides the signs of currencies; SCALED is "7 billion" of nobody says what."""

# A single letter is a scale only when it touches the number: "2024 M&A" is no amount of millions.
_AMOUNT = re.compile(
    r"(?<![\w.,])(?:(?P<currency>us\$|usd|[$€£])\s{0,2})?"
    r"(?P<digits>(?:\d{1,3}(?:,\d{3}){1,8}(?!\d)|\d{1,30})(?:\.\d{1,12})?)"
    r"(?P<unit>[kmbt]\b"
    r"|[\s-]{0,2}(?:%|per ?cent\b|(?:thousand|million|mln|mn|billion|bn|trillion|trn|tn)\b))?"
    r"(?!\w)"
)
_MONTH_AND_YEAR = re.compile(
    r"\b(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?,?\s{1,3}"
    r"(?:\d{1,2}(?:st|nd|rd|th)?,?\s{1,3})?(?:of\s{1,3})?(?P<year>\d{4})\b"
)
_ISO_DATE = re.compile(r"\b(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])(?:-\d{2})?\b")
_WORD = re.compile(r"[^\W_]+")
_VARIANTS = str.maketrans({"\u2010": "-", "\u2011": "-", "\u2013": "-", "*": "", "`": "", "&": " and "})


@dataclass(frozen=True, slots=True)
class Amount:
    value: float
    unit: str

    def is_same_as(self, other: Amount) -> bool:
        """Whether "7 billion" is $7 billion (yes), EUR 7 billion is (no), or 7% is (no)."""
        units = {self.unit, other.unit}
        if len(units) == 2 and (SCALED not in units or PERCENT in units):
            return False
        exact = units & {PLAIN, PERCENT}
        return math.isclose(self.value, other.value, rel_tol=1e-9 if exact else AMOUNT_TOLERANCE)


@dataclass(frozen=True, slots=True)
class Passage:
    words: str
    """Lower case, without accents and punctuation, one blank around each word."""
    amounts: tuple[Amount, ...]
    months: frozenset[tuple[int, int]]
    """Year and month."""

    def states(self, term: str) -> bool:
        """Whether it holds this amount ("$7 billion", "83%", "2010"), month ("May 2025") or phrase."""
        wanted = _read_term(term)
        if isinstance(wanted, Amount):
            return any(amount.is_same_as(wanted) for amount in self.amounts)
        if isinstance(wanted, frozenset):
            return wanted <= self.months
        return wanted in self.words


def read_passage(text: str) -> Passage:
    simple = plain(text)
    return Passage(words_of(simple), tuple(_amounts(simple)), frozenset(_months(simple)))


def plain(text: str) -> str:
    """Lower case without accents, emphasis marks and typographic variants."""
    simple = text.translate(_VARIANTS).lower()
    if simple.isascii():
        return simple
    decomposed = unicodedata.normalize("NFKD", simple)
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def words_of(simple: str) -> str:
    return f" {' '.join(_WORD.findall(simple))} "


@cache
def _read_term(term: str) -> Amount | frozenset[tuple[int, int]] | str:
    """A term is an amount when it is nothing else, a month when it names one, otherwise a phrase."""
    simple = plain(term).strip()
    whole = _AMOUNT.fullmatch(simple)
    if whole:
        return _amount(whole)
    return frozenset(_months(simple)) or words_of(simple)


def _amounts(simple: str) -> list[Amount]:
    return [_amount(found) for found in _AMOUNT.finditer(simple)]


def _amount(found: re.Match[str]) -> Amount:
    value = float(found["digits"].replace(",", ""))
    unit = (found["unit"] or "").strip(" \t\r\n\v\f-")
    if unit == "%" or unit.startswith("per"):
        return Amount(value, PERCENT)
    currency = (found["currency"] or "").replace("usd", "$").replace("us$", "$")
    return Amount(value * SCALES.get(unit, 1), currency or (SCALED if unit else PLAIN))


def _months(simple: str) -> list[tuple[int, int]]:
    named = [
        (int(found["year"]), MONTHS.index(found["month"]) + 1) for found in _MONTH_AND_YEAR.finditer(simple)
    ]
    return named + [(int(found["year"]), int(found["month"])) for found in _ISO_DATE.finditer(simple)]
