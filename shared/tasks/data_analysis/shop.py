"""A small chain of tea shops as it really was in one year, made from a seed by pure code.

Every order is here once, in its shop's own time. What agents can query is derived from this in `tables.py`,
with gaps and duplicates; the answers to questions are worked out from this (`questions.py`), so that no query
can be wrong in the same way.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from typing import Literal, get_args

YEAR = 2024
"""All orders are of this year, in their shop's time."""

Category = Literal["Black tea", "Green tea", "Herbal tea", "Teaware", "Gifts"]
City = Literal["Lisbon", "Lima", "Kathmandu", "Auckland", "Denver", "Nairobi"]
Country = Literal["AT", "BR", "CA", "DE", "FR", "IN", "JP", "PE"]
Channel = Literal["shop", "web", "phone"]
Status = Literal["paid", "cancelled", "refunded"]

CATEGORIES: tuple[Category, ...] = get_args(Category)
COUNTRIES: tuple[Country, ...] = get_args(Country)
CHANNELS: tuple[Channel, ...] = get_args(Channel)
CITIES: dict[City, int] = {
    "Lisbon": 0,
    "Lima": -300,
    "Kathmandu": 345,
    "Auckland": 720,
    "Denver": -420,
    "Nairobi": 180,
}
"""City -> minutes before UTC, the whole year: the chain keeps no summer time."""

_FIRST_NAMES = (
    "Ada",
    "Bela",
    "Chidi",
    "Dora",
    "Emil",
    "Farah",
    "Goro",
    "Hana",
    "Ines",
    "Jonas",
    "Kofi",
    "Lena",
)
_LAST_NAMES = ("Adler", "Brandt", "Costa", "Diaz", "Eriksen", "Fodor", "Gupta", "Hayashi", "Ivanov", "Jensen")
_PLACES = ("Amber", "Birch", "Cedar", "Dune", "Elder", "Fern", "Grove", "Harbour", "Iris", "Juniper", "Lotus")
_GOODS = {
    "Black tea": ("Assam", "Breakfast", "Ceylon"),
    "Green tea": ("Sencha", "Jasmine", "Gunpowder"),
    "Herbal tea": ("Mint", "Camomile", "Rooibos"),
    "Teaware": ("Pot", "Cup", "Strainer"),
    "Gifts": ("Box", "Basket", "Card"),
}
_PRICE_RISE = 1.08
"""On 1 July, on about half of the products: what was paid differs from the list price of today."""
_CUSTOMERS_PER_ORDER = 0.2
_MOST_UNSOLD = 4
"""Products that nobody ever bought, none of them of the same category; at least one."""


@dataclass(frozen=True, slots=True)
class Store:
    id: int
    city: str
    utc_offset_minutes: int
    opened_on: dt.date


@dataclass(frozen=True, slots=True)
class Product:
    id: int
    name: str
    category: str
    price_cents: int
    """Until 30 June."""
    later_price_cents: int
    """From 1 July on; the list price."""

    def price_on(self, day: dt.date) -> int:
        return self.price_cents if day < dt.date(YEAR, 7, 1) else self.later_price_cents


@dataclass(frozen=True, slots=True)
class Customer:
    id: int
    name: str
    country: str | None
    joined_on: dt.date


@dataclass(frozen=True, slots=True)
class Line:
    product: Product
    quantity: int
    price_cents: int
    """For one piece, before the discount."""
    discount_percent: int | None

    @property
    def value(self) -> int:
        """In hundredths of a cent, exact."""
        return self.quantity * self.price_cents * (100 - (self.discount_percent or 0))


@dataclass(frozen=True, slots=True)
class Order:
    id: int
    store: Store
    customer: Customer | None
    """None: a guest."""
    local_time: dt.datetime
    """On the clock of the store."""
    channel: str
    status: str
    lines: tuple[Line, ...]

    @property
    def value(self) -> int:
        """In hundredths of a cent."""
        return sum(line.value for line in self.lines)


@dataclass(frozen=True, slots=True)
class Shop:
    stores: tuple[Store, ...]
    products: tuple[Product, ...]
    customers: tuple[Customer, ...]
    orders: tuple[Order, ...]

    @property
    def paid(self) -> tuple[Order, ...]:
        return tuple(order for order in self.orders if order.status == "paid")


def make_shop(seed: int, orders: int) -> Shop:
    """The same shop for the same arguments, on every machine."""
    draw = random.Random(f"shop {seed}")  # noqa: S311 - data, not secrets
    stores = _stores(draw)
    products = _products(draw)
    customers = _customers(draw, round(orders * _CUSTOMERS_PER_ORDER))
    unsold = {
        draw.choice([product.id for product in products if product.category == category])
        for category in draw.sample(CATEGORIES, draw.randint(1, _MOST_UNSOLD))
    }
    sold = tuple(product for product in products if product.id not in unsold)
    made = [_order(draw, stores, sold, customers) for _ in range(orders)]
    made.sort(key=lambda order: order[1])
    numbered = tuple(
        Order(1000 + place, store, customer, time, channel, status, lines)
        for place, (store, time, customer, channel, status, lines) in enumerate(made)
    )
    return Shop(stores, products, customers, numbered)


def _stores(draw: random.Random) -> tuple[Store, ...]:
    first = dt.date(2015, 1, 1)
    return tuple(
        Store(number, city, offset, first + dt.timedelta(days=draw.randrange(3000)))
        for number, (city, offset) in enumerate(CITIES.items(), start=1)
    )


def _products(draw: random.Random) -> tuple[Product, ...]:
    named = [(category, good) for category in CATEGORIES for good in _GOODS[category]]
    numbers = draw.sample(range(100, 100 + len(named) * 3), len(named))
    products = []
    for number, (category, good) in zip(numbers, named, strict=True):
        price = draw.randrange(250, 4000, 5)
        later = round(price * _PRICE_RISE) if draw.random() < 0.5 else price
        products.append(Product(number, f"{draw.choice(_PLACES)} {good}", category, price, later))
    return tuple(sorted(products, key=lambda product: product.id))


def _customers(draw: random.Random, count: int) -> tuple[Customer, ...]:
    first = dt.date(YEAR - 3, 1, 1)
    return tuple(
        Customer(
            number,
            f"{draw.choice(_FIRST_NAMES)} {draw.choice(_LAST_NAMES)}",
            draw.choice(COUNTRIES) if draw.random() < 0.85 else None,
            first + dt.timedelta(days=draw.randrange(3 * 365)),
        )
        for number in range(1, count + 1)
    )


def _order(
    draw: random.Random,
    stores: tuple[Store, ...],
    products: tuple[Product, ...],
    customers: tuple[Customer, ...],
) -> tuple[Store, dt.datetime, Customer | None, str, str, tuple[Line, ...]]:
    day = dt.date(YEAR, 1, 1) + dt.timedelta(days=draw.randrange(366))
    hour = draw.choice((0, 1, 22, 23)) if draw.random() < 0.25 else draw.randrange(8, 22)
    time = dt.datetime.combine(day, dt.time(hour, draw.randrange(60), draw.randrange(60)))
    customer = draw.choice(customers) if draw.random() < 0.75 else None
    lines = tuple(
        Line(
            product,
            draw.randint(1, 5),
            product.price_on(day),
            draw.choice((5, 10, 20)) if draw.random() < 0.3 else None,
        )
        for product in draw.sample(products, draw.randint(1, 3))
    )
    status = draw.choices(get_args(Status), (85, 9, 6))[0]
    return draw.choice(stores), time, customer, draw.choice(CHANNELS), status, lines
