"""Companies that do not exist: coherent facts from a seed, which no model can have learnt.

Difficulty decides how many facts there are and how easily they are taken for one another: "easy" has four
for each query and figures far apart, "medium" adds last year's figures and a product's near namesake, "hard"
adds what was true once or was withdrawn, each with its date, and another company of nearly the same name.
"""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from shared.tasks.fact_item import FactItem
from shared.tasks.synthetic import MONTHS, Difficulty, Synthetic

AS_OF = "2025-06-30"
_WORDS = Path(__file__).with_name("synthetic.yaml")
_LEVELS: tuple[Difficulty, ...] = ("easy", "medium", "hard")
_APART = 0.04
"""Two figures of one kind differ by at least that share, unless they are meant to be near."""


def generate(seed: int, difficulty: Difficulty) -> FactItem:
    """The same company for the same arguments."""
    filled = _figures(random.Random(f"company {seed} {difficulty}"))  # noqa: S311 - data, not secrets
    level = _LEVELS.index(difficulty)
    facts = []
    for query, templates in _words()["facts"].items():
        for number, template in enumerate(templates, start=1):
            if _LEVELS.index(template.get("from", "easy")) > level:
                continue
            text = template.get("hard", template["text"]) if difficulty == "hard" else template["text"]
            facts.append(
                {
                    "id": f"{filled['id']}.{query}.{number}",
                    "query": query,
                    "text": text.format(**filled),
                    "expect": [_filled_in(entry, filled) for entry in template["expect"]],
                }
            )
    return FactItem.model_validate(
        {
            "name": filled["name"],
            "as_of": AS_OF,
            "synthetic": Synthetic(seed=seed, difficulty=difficulty),
            "facts": facts,
        }
    )


def _filled_in(entry: Any, filled: dict[str, str]) -> Any:
    return [term.format(**filled) for term in entry] if isinstance(entry, list) else entry.format(**filled)


@cache
def _words() -> dict[str, Any]:
    words: dict[str, Any] = yaml.safe_load(_WORDS.read_text(encoding="utf-8"))
    return words


def _figures(draw: random.Random) -> dict[str, str]:
    """Every name and figure that the facts' templates ask for."""
    names = _Names(draw)
    founded = draw.randint(2007, 2015)
    return {
        **names.of_companies(),
        **names.of_people(),
        **names.of_places(),
        **draw.choice(_words()["sectors"]),
        **_dates(draw, founded),
        **_counts(draw),
        **_money(draw),
    }


class _Names:
    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self._words = _words()

    def of_companies(self) -> dict[str, str]:
        """The company, those around it, and its products; no two begin alike, but for the namesakes."""
        syllables = self._words["syllables"]
        firsts = self._draw.sample(syllables["first"], 13)
        own, *others = [
            first + self._draw.choice(syllables["middle"]) + self._draw.choice(syllables["last"])
            for first in firsts
        ]
        roles = ("competitor_1", "competitor_2", "target", "partner", "suitor", "investor", "alliance")
        products = ("product_1", "product_2", "product_3", "product_5")
        named = dict(zip((*roles, *products), others, strict=False))
        suffix = self._draw.choice(self._words["suffixes"])
        return named | {
            "id": own.lower(),
            "name": f"{own} {suffix}",
            "namesake": f"{_nearly(own)} {suffix}",
            "product_4": _nearly(named["product_2"]),
            "investor": f"{named['investor']} Capital",
        }

    def of_people(self) -> dict[str, str]:
        roles = ("founder_1", "founder_2", "cfo", "cto", "chair", "sales", "old_ceo")
        firsts = self._draw.sample(self._words["first_names"], len(roles))
        lasts = self._draw.sample(self._words["last_names"], len(roles))
        whole = {role: f"{first} {last}" for role, first, last in zip(roles, firsts, lasts, strict=True)}
        return whole | {f"{role}_last": last for role, last in zip(roles, lasts, strict=True)}

    def of_places(self) -> dict[str, str]:
        roles = ("city", "old_city", "office_1", "office_2")
        return dict(zip(roles, self._draw.sample(self._words["cities"], len(roles)), strict=True))


def _nearly(name: str) -> str:
    """Another name that is easily taken for this one."""
    return name[:-1] + ("o" if name[-1] in "aeiu" else "a" if name[-1] == "o" else f"{name[-1]}o")


def _dates(draw: random.Random, founded: int) -> dict[str, str]:
    """In the order in which things happen: founded, first product, funding, then all that is recent."""
    launched = founded + draw.randint(1, 2)
    funded = launched + draw.randint(2, 4)

    def month(first: int, last: int) -> str:
        return f"{draw.choice(MONTHS)} {draw.randint(first, last)}"

    recent = draw.sample(MONTHS[:6], 5)
    return {
        "founded": str(founded),
        "namesake_founded": str(founded - draw.randint(8, 30)),
        "launched_1": str(launched),
        "launched_2": str(launched + draw.randint(3, 5)),
        "round": month(funded, funded + 1),
        "series": draw.choice("BC"),
        "cfo_since": str(draw.randint(funded, 2023)),
        "moved": month(2023, 2024),
        "ceo_since": month(2022, 2023),
        "dropped": month(2023, 2024),
        "rumour": month(2023, 2024),
        "first_given": "January 2025",
        **{f"month_{number}": f"{name} 2025" for number, name in enumerate(recent, start=1)},
    }


def _counts(draw: random.Random) -> dict[str, str]:
    taken: list[float] = []
    employees = _apart(draw, taken, 180, 900)
    customers = _apart(draw, taken, 2400, 9800)
    share = _apart(draw, taken, 60, 240)
    return {
        "employees_2024": f"{employees:,}",
        "employees_2023": f"{_year_before(draw, employees):,}",
        "employees_2022": f"{round(employees * draw.uniform(1.15, 1.3)):,}",
        "customers_2025": f"{customers:,}",
        "customers_2024": f"{_year_before(draw, customers):,}",
        "share_2024": f"{share / 10:.1f}%",
        "share_2021": f"{share / 10 + draw.choice((-1.3, 1.4, 2.2)):.1f}%",
        "countries": str(draw.randint(12, 48)),
        "languages": str(draw.randint(4, 11)),
        "price_4": str(draw.randrange(1200, 1890, 10)),
    }


def _money(draw: random.Random) -> dict[str, str]:
    """In tenths of a million: profit below revenue, money raised below the valuation that it implies."""
    taken: list[float] = []
    revenue = _apart(draw, taken, 380, 1900)
    raised = _apart(draw, taken, 150, 300)
    profit = _apart(draw, taken, revenue // 25, revenue // 8)
    price = _apart(draw, taken, 20, 140)
    valuation = _apart(draw, taken, 2100, 6000)
    amounts = {
        "revenue_2024": revenue,
        "revenue_2023": _year_before(draw, revenue),
        "revenue_first": round(revenue * draw.choice((1.03, 1.06, 1.1))),
        "profit_2024": profit,
        "raised": raised,
        "valuation": valuation,
        "target_price": price,
    }
    return {name: f"${amount / 10:.1f} million" for name, amount in amounts.items()}


def _year_before(draw: random.Random, amount: int) -> int:
    """Near enough to be taken for this year's."""
    return round(amount * draw.uniform(0.92, 0.97))


def _apart(draw: random.Random, taken: list[float], low: int, high: int) -> int:
    """A whole number that cannot be taken for one before it, nor for a year."""
    while True:
        amount = draw.randint(low, high)
        year = 1900 <= amount <= 2100
        if not year and all(abs(amount - other) > _APART * other for other in taken):
            taken.append(amount)
            return amount
