"""What agents can query of a shop: the tables as its systems left them, with their peculiarities.

Planted: times in UTC, an import that ran twice for some orders, customers without a country or with it in
small letters, no discount as NULL, guests as NULL, list prices of today beside the prices paid. `NOTES` tells
of each, so that nobody has to guess what a question means.
"""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from shared.tasks.data_analysis.shop import YEAR, Shop

COLUMNS: dict[str, dict[str, str]] = {
    "stores": {"store_id": "INTEGER", "city": "TEXT", "utc_offset_minutes": "INTEGER", "opened_on": "DATE"},
    "products": {"product_id": "INTEGER", "name": "TEXT", "category": "TEXT", "list_price": "DECIMAL(10,2)"},
    "customers": {"customer_id": "INTEGER", "name": "TEXT", "country": "TEXT", "joined_on": "DATE"},
    "orders": {
        "order_id": "INTEGER",
        "store_id": "INTEGER",
        "customer_id": "INTEGER",
        "ordered_at": "TIMESTAMP",
        "channel": "TEXT",
        "status": "TEXT",
    },
    "order_lines": {
        "order_id": "INTEGER",
        "line_no": "INTEGER",
        "product_id": "INTEGER",
        "quantity": "INTEGER",
        "unit_price": "DECIMAL(10,2)",
        "discount_percent": "INTEGER",
    },
}
"""Table -> column -> type, as DuckDB names it."""

NOTES = f"""\
- An import ran twice for some orders: their rows in orders and in order_lines are there twice, exactly \
alike. Such an order is one order, and each of its lines one line.
- orders.ordered_at is in UTC. The local time of an order is ordered_at plus utc_offset_minutes of its \
store. In local time all orders are of {YEAR}.
- orders.status is 'paid', 'cancelled' or 'refunded'. orders.channel is 'shop', 'web' or 'phone'.
- orders.customer_id is NULL for a guest.
- order_lines.unit_price is what one piece cost then, before the discount; products.list_price is today's. \
discount_percent is NULL where there was none.
- The value of an order is the sum of quantity * unit_price * (1 - discount_percent / 100) over its lines. \
Revenue is the value of all paid orders.
- customers.country is a code of two letters, in some rows in small letters, and NULL where it is unknown."""

_IMPORTED_TWICE = 0.07
_SMALL_LETTERS = 0.25


def tables_of(shop: Shop, seed: int) -> dict[str, list[list[Any]]]:
    """Table -> rows, JSON-compatible: dates and times as ISO text, prices as text with two decimals."""
    draw = random.Random(f"tables {seed}")  # noqa: S311 - data, not secrets
    twice = {
        order.id for order in draw.sample(shop.orders, max(1, round(len(shop.orders) * _IMPORTED_TWICE)))
    }
    orders: list[list[Any]] = []
    lines: list[list[Any]] = []
    for order in shop.orders:
        utc = order.local_time - dt.timedelta(minutes=order.store.utc_offset_minutes)
        customer = order.customer.id if order.customer else None
        row = [order.id, order.store.id, customer, utc.isoformat(" "), order.channel, order.status]
        its_lines = [
            [
                order.id,
                number,
                line.product.id,
                line.quantity,
                _euros(line.price_cents),
                line.discount_percent,
            ]
            for number, line in enumerate(order.lines, start=1)
        ]
        times = 2 if order.id in twice else 1
        orders += [row] * times
        lines += its_lines * times
    draw.shuffle(orders)
    draw.shuffle(lines)
    return {
        "stores": [
            [store.id, store.city, store.utc_offset_minutes, store.opened_on.isoformat()]
            for store in shop.stores
        ],
        "products": [
            [product.id, product.name, product.category, _euros(product.later_price_cents)]
            for product in shop.products
        ],
        "customers": [
            [customer.id, customer.name, _country(customer.country, draw), customer.joined_on.isoformat()]
            for customer in shop.customers
        ],
        "orders": orders,
        "order_lines": lines,
    }


def schema() -> str:
    """The tables and their columns, for people and models."""
    return "\n".join(
        f"{table}({', '.join(f'{column} {kind}' for column, kind in columns.items())})"
        for table, columns in COLUMNS.items()
    )


def _euros(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _country(country: str | None, draw: random.Random) -> str | None:
    return country.lower() if country and draw.random() < _SMALL_LETTERS else country
