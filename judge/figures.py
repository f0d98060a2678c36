"""Amounts, percentages, years and months in a text, in forms that can be compared.

Every pattern is bounded, so that a megabyte of digits costs no more than words. They expect what
`judge.passage.plain` gives: lower case, without accents and emphasis marks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

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

SPELLED = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip

# A single letter is a scale only when it touches the number: "2024 M&A" is no amount of millions.
_SCALE_WORDS = r"(?:thousand|million|mln|mn|billion|bn|trillion|trn|tn)\b"
_AMOUNT = re.compile(
    r"(?<![\w.,])(?:(?P<currency>us\$|usd|[$€£])\s{0,2})?"
    r"(?P<digits>(?:\d{1,3}(?:,\d{3}){1,8}(?!\d)|\d{1,30})(?:\.\d{1,12})?)"
    rf"(?P<unit>[kmbt]\b|[\s-]{{0,2}}(?:%|per ?cent\b|{_SCALE_WORDS}))?"
    r"(?!\w)"
)
_SPELLED = re.compile(rf"\b({'|'.join(SPELLED)})(?=[\s-]{{1,2}}(?:per ?cent\b|{_SCALE_WORDS}))")
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_MONTH_AND_YEAR = re.compile(
    rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)?\s{{1,3}}(?:of\s{{1,3}})?)?{_MONTH}"
    r"(?:,?\s{1,3}\d{1,2}(?:st|nd|rd|th)?\b)?,?\s{1,3}(?:of\s{1,3})?(?P<year>\d{4})\b"
)
_ISO_DATE = re.compile(r"\b(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])(?:-\d{2})?\b")


@dataclass(frozen=True, slots=True)
class Amount:
    value: float
    unit: str

    def is_same_as(self, other: Amount) -> bool:
        """Whether "7 billion" is $7 billion (yes), EUR 7 billion is (no), or 7% is (no)."""
        if not self.compares_with(other):
            return False
        exact = {self.unit, other.unit} & {PLAIN, PERCENT}
        return math.isclose(self.value, other.value, rel_tol=1e-9 if exact else AMOUNT_TOLERANCE)

    def compares_with(self, other: Amount) -> bool:
        """Whether both may count the same thing: an amount with a scale may be money or not."""
        units = {self.unit, other.unit}
        return len(units) == 1 or (SCALED in units and PERCENT not in units)


@dataclass(frozen=True, slots=True)
class WrittenAmount:
    amount: Amount
    digits: str
    """As written, e.g. "7,000" or "1.10"."""
    start: int
    end: int


def spelled_out(simple: str) -> str:
    """With digits before a scale or percent: "seven billion" is "7 billion"; other number words stay."""
    return _SPELLED.sub(lambda found: str(SPELLED[found[1]]), simple)


def written_amounts(simple: str) -> Iterator[WrittenAmount]:
    for found in _AMOUNT.finditer(simple):
        yield WrittenAmount(_amount(found), found["digits"], found.start(), found.end())


def whole_amount(simple: str) -> Amount | None:
    """The amount that this text is, if it is nothing else."""
    found = _AMOUNT.fullmatch(simple)
    return _amount(found) if found else None


def written_months(simple: str) -> Iterator[tuple[tuple[int, int], int, int]]:
    """Year and month with where they stand, a day beside them included."""
    for found in _MONTH_AND_YEAR.finditer(simple):
        yield (int(found["year"]), MONTHS.index(found["month"][:3]) + 1), found.start(), found.end()
    for found in _ISO_DATE.finditer(simple):
        yield (int(found["year"]), int(found["month"])), found.start(), found.end()


def _amount(found: re.Match[str]) -> Amount:
    value = float(found["digits"].replace(",", ""))
    unit = (found["unit"] or "").strip(" \t\r\n\v\f-")
    if unit == "%" or unit.startswith("per"):
        return Amount(value, PERCENT)
    currency = (found["currency"] or "").replace("usd", "$").replace("us$", "$")
    return Amount(value * SCALES.get(unit, 1), currency or (SCALED if unit else PLAIN))
