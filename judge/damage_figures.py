"""Figures that contradict the known facts: one altered in a report, or several in an invented statement."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from judge.damage_plan import CannotPlant, Plan
from judge.damage_words import INVENTIONS
from judge.figures import Amount
from judge.passage import read_passage
from judge.report_parts import with_sentence, words_in

SHARED_WORDS = 2
"""That a sentence has in common with a known fact, besides the figure, to be about the same thing."""
YEARS = range(1900, 2100)
MANY_TIMES = (2.5, 7.0)
"""By how much a figure is altered: nobody takes it for rounding."""
YEARS_EARLIER = (6, 20)
MONTHS = ("January", "March", "April", "June", "September", "November")
TRIES = 50
LONGEST_UNIT_CHARS = 12

# As a report writes it: sign, digits, and what follows is left as it stands.
_DIGITS = re.compile(
    r"(?<![\w.,])(?P<sign>(?:US\$|[$€£]) ?)?"
    r"(?P<digits>(?:\d{1,3}(?:,\d{3}){1,4}|\d{1,6})(?:\.\d{1,4})?)(?![\d,.]*\d)"
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n")


@dataclass(frozen=True, slots=True)
class _Figure:
    written: str
    """Without its sign and unit, e.g. "1.4" of "$1.4 trillion"."""
    amount: Amount


def alter_figure(plan: Plan) -> str:
    """Every place that writes the figure so writes another one."""
    facts = [fact for fact in plan.evidence.split("\n") if fact.strip()]
    known = list(read_passage(plan.evidence).amounts)
    candidates = list(dict.fromkeys(_supported(plan.text, facts)))
    if not candidates:
        raise CannotPlant("no figure in it that the known facts give")
    figure = plan.drawn.choice(candidates)
    other = _another(figure, known, plan.drawn)
    return _DIGITS.sub(lambda found: _replaced(found, figure.written, other), plan.text)


def invent(plan: Plan) -> str:
    """After one of the paragraphs' last sentences."""
    parts, drawn = plan.parts, plan.drawn
    if not parts.paragraphs:
        raise CannotPlant("no paragraph")
    known = read_passage(f"{plan.evidence}\n{plan.text}").amounts
    statement = next(
        (
            wording
            for wording in (_invention(drawn) for _ in range(TRIES))
            if not any(mine.is_same_as(amount) for mine in read_passage(wording).amounts for amount in known)
        ),
        None,
    )
    if statement is None:
        raise CannotPlant("it and the known facts hold every figure that could be invented")
    last = drawn.choice(parts.paragraphs).end - 1
    lines = list(parts.lines)
    lines[last] = with_sentence(lines[last], statement)
    return "\n".join(lines)


def _invention(drawn: random.Random) -> str:
    return drawn.choice(INVENTIONS).format(
        month=drawn.choice(MONTHS),
        year=drawn.randrange(2012, 2024),
        large=round(drawn.uniform(2, 90), 1),
        percent=drawn.randrange(31, 97),
    )


def _supported(text: str, facts: Sequence[str]) -> Iterator[_Figure]:
    """Figures in sentences that are about the same thing as a known fact with that figure."""
    read = [(read_passage(fact).amounts, set(words_in(fact))) for fact in facts]
    for sentence in _SENTENCE_END.split(text):
        words = {word for word in words_in(sentence) if not word.isdigit()}
        for found in _DIGITS.finditer(sentence):
            amounts = read_passage(sentence[found.start() : found.end() + LONGEST_UNIT_CHARS]).amounts
            if not amounts:
                continue
            if any(
                len(words & about) >= SHARED_WORDS and any(amounts[0].is_same_as(known) for known in given)
                for given, about in read
            ):
                yield _Figure(found["digits"], amounts[0])


def _another(figure: _Figure, known: Sequence[Amount], drawn: random.Random) -> str:
    """In the same form, and no amount that a known fact gives."""
    before = _value(figure.written)
    for _ in range(TRIES if before else 0):
        other = _altered(figure, drawn)
        value = _value(other)
        amount = Amount(figure.amount.value * value / before, figure.amount.unit)
        if value != before and not any(amount.is_same_as(fact) for fact in known):
            return other
    raise CannotPlant("no other figure that contradicts the known facts")


def _altered(figure: _Figure, drawn: random.Random) -> str:
    value = _value(figure.written)
    if figure.amount.unit == "" and value in YEARS and "," not in figure.written:
        return str(int(value) - drawn.randint(*YEARS_EARLIER))
    factor = drawn.uniform(*MANY_TIMES)
    changed = value / factor if figure.amount.unit == "%" and value * factor > 100 else value * factor
    decimals = len(figure.written.partition(".")[2])
    return f"{changed:{',' if ',' in figure.written else ''}.{decimals}f}"


def _value(written: str) -> float:
    return float(written.replace(",", ""))


def _replaced(found: re.Match[str], written: str, other: str) -> str:
    return f"{found['sign'] or ''}{other}" if found["digits"] == written else found[0]
