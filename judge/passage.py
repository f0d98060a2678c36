"""What a paragraph says, freed of its formatting: words, amounts and dates that can be compared.

"$7 billion", "US$7bn", "7,000 million", "seven billion" and "**$7.0B**" are one amount; "March 2025",
"3 Mar. 2025" and "2025-03-03" name one month.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from judge.figures import Amount, spelled_out, whole_amount, written_amounts, written_months

_WORD = re.compile(r"[^\W_]+")
_VARIANTS = str.maketrans({"\u2010": "-", "\u2011": "-", "\u2013": "-", "*": "", "`": "", "&": " and "})


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
    amounts = tuple(written.amount for written in written_amounts(spelled_out(simple)))
    return Passage(words_of(simple), amounts, _months(simple))


def plain(text: str) -> str:
    """Lower case without accents, emphasis marks and typographic variants."""
    simple = text.translate(_VARIANTS).lower()
    if simple.isascii():
        return simple
    decomposed = unicodedata.normalize("NFKD", simple)
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def words_of(simple: str) -> str:
    return f" {' '.join(_WORD.findall(simple))} "


def word_keys(text: str) -> list[str]:
    """The words of a text in the form in which single words are compared: as above, without a plural "s"."""
    return [word.removesuffix("s") if len(word) > 3 else word for word in words_of(plain(text)).split()]


@cache
def _read_term(term: str) -> Amount | frozenset[tuple[int, int]] | str:
    """A term is an amount when it is nothing else, a month when it names one, otherwise a phrase."""
    simple = plain(term).strip()
    return whole_amount(simple) or _months(simple) or words_of(simple)


def _months(simple: str) -> frozenset[tuple[int, int]]:
    return frozenset(month for month, _, _ in written_months(simple))
