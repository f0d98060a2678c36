"""What a case is opened with: the shop's records and the customer's part, as data."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field

from shared.strict import Strict
from shared.tasks.support.policy import Policy

ORDER_ID = r"^A-\d{4}$"
Action = Literal["refund", "cancel", "escalate"]
Ending = Literal["satisfied", "refused", "gave_up", "open"]
"""How the customer left: with what it wanted, with a no that it took, out of patience, or not at all."""


class Customer(Strict):
    id: str = Field(pattern=r"^C-\d+$")
    name: str
    email: str
    postcode: str
    """What its identity is confirmed by: no tool shows it."""


class Article(Strict):
    name: str
    price_eur: float = Field(gt=0)


class Order(Strict):
    id: str = Field(pattern=ORDER_ID)
    customer: str
    """Its id."""
    articles: tuple[Article, ...] = Field(min_length=1)
    status: Literal["placed", "shipped", "delivered"]
    delivered: dt.date | None = None

    @property
    def total_cents(self) -> int:
        return sum(cents(article.price_eur) for article in self.articles)


class Known(Strict):
    """Something that the customer says when it is asked."""

    ask: tuple[str, ...] = Field(min_length=1)
    """Words that ask for it; one is enough."""
    say: str


class Script(Strict):
    """The customer's part after the first letter."""

    wants: dict[str, tuple[Action, ...]] = Field(min_length=1)
    """Order -> what contents the customer about it, any of these."""
    knows: tuple[Known, ...] = ()
    wish: str
    """Said when nothing else fits."""
    insists: tuple[str, ...] = ()
    """Said one after the other to a no, before it is taken."""
    thanks: str = "Thank you, that is all I needed."
    takes_no: str = "I see. Then I will leave it at that."
    gives_up: str = "This takes too long. Goodbye."
    patience: int = Field(default=6, ge=1)
    """Messages that it answers before it gives up."""


class Case(Strict):
    today: dt.date
    letter: str
    """What the customer wrote first."""
    policy: Policy
    customers: tuple[Customer, ...] = Field(min_length=1)
    orders: tuple[Order, ...] = Field(min_length=1)
    customer: Script


def cents(amount_eur: float) -> int:
    return round(amount_eur * 100)
