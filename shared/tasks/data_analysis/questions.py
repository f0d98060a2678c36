"""The kinds of question that an item can ask, each with its wording and its answer from the shop itself.

Money is added up in hundredths of a cent as whole numbers, so every answer is exact until it is rounded.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field

from shared.strict import Strict
from shared.tasks.data_analysis.answer import Name, Number, RightAnswer
from shared.tasks.data_analysis.shop import YEAR, Category, Channel, City, Country, Order, Shop, Status
from shared.tasks.synthetic import MONTHS

Month = Annotated[int, Field(ge=1, le=12)]

HUNDREDTHS = 10_000
"""Of a cent in a euro."""

_NIGHT = (22, 23, 0, 1)
_WHOLE = "The answer is a whole number."
_EUROS = "The answer is in euros, rounded to two decimals."
_PERCENT = "The answer is in percent, rounded to one decimal."
_NAMED = "Where several are equal, take the first by name. The answer is the name as it is in the data."


class CustomersWithoutCountry(Strict):
    kind: Literal["customers_without_country"]

    def text(self) -> str:
        return f"Of how many customers is the country unknown? {_WHOLE}"

    def answer(self, shop: Shop) -> RightAnswer:
        return _count(customer for customer in shop.customers if customer.country is None)


class HighestListPrice(Strict):
    kind: Literal["highest_list_price"]
    category: Category

    def text(self) -> str:
        return f"What is the name of the product with the highest list price in {self.category}? {_NAMED}"

    def answer(self, shop: Shop) -> RightAnswer:
        return _largest({p.name: p.later_price_cents for p in shop.products if p.category == self.category})


class OrdersWithStatus(Strict):
    kind: Literal["orders_with_status"]
    status: Status

    def text(self) -> str:
        return f"How many orders are {self.status}? {_WHOLE}"

    def answer(self, shop: Shop) -> RightAnswer:
        return _count(order for order in shop.orders if order.status == self.status)


class CustomersFrom(Strict):
    kind: Literal["customers_from"]
    country: Country

    def text(self) -> str:
        return f"How many customers are from the country {self.country}? {_WHOLE}"

    def answer(self, shop: Shop) -> RightAnswer:
        return _count(customer for customer in shop.customers if customer.country == self.country)


class GuestShare(Strict):
    kind: Literal["guest_share"]
    channel: Channel

    def text(self) -> str:
        return (
            f"Of all paid orders of the channel '{self.channel}', what share was placed by guests? {_PERCENT}"
        )

    def answer(self, shop: Shop) -> RightAnswer:
        orders = [order for order in shop.paid if order.channel == self.channel]
        return _percent(sum(order.customer is None for order in orders), len(orders))


class CategoryRevenue(Strict):
    kind: Literal["category_revenue"]
    category: Category

    def text(self) -> str:
        return f"What is the revenue from products of the category {self.category}? {_EUROS}"

    def answer(self, shop: Shop) -> RightAnswer:
        lines = [line for order in shop.paid for line in order.lines]
        return _euros(sum(line.value for line in lines if line.product.category == self.category))


class OrdersAtNight(Strict):
    kind: Literal["orders_at_night"]
    city: City

    def text(self) -> str:
        return (
            f"How many orders, whatever their status, did the store in {self.city} have at night, from 22:00 "
            f"until before 02:00 in its local time? {_WHOLE}"
        )

    def answer(self, shop: Shop) -> RightAnswer:
        return _count(
            order
            for order in shop.orders
            if order.store.city == self.city and order.local_time.hour in _NIGHT
        )


class NeverSold(Strict):
    kind: Literal["never_sold"]

    def text(self) -> str:
        return f"How many products are in no paid order? {_WHOLE}"

    def answer(self, shop: Shop) -> RightAnswer:
        sold = {line.product.id for order in shop.paid for line in order.lines}
        return _count(product for product in shop.products if product.id not in sold)


class BestStore(Strict):
    kind: Literal["best_store"]
    month: Month

    def text(self) -> str:
        return (
            f"In which city is the store with the highest revenue in {_month(self.month)}, "
            f"in each store's local time? {_NAMED}"
        )

    def answer(self, shop: Shop) -> RightAnswer:
        revenue = {store.city: 0 for store in shop.stores}
        for order in _in_month(shop.paid, self.month):
            revenue[order.store.city] += order.value
        return _largest(revenue)


class MedianOrderValue(Strict):
    kind: Literal["median_order_value"]
    month: Month

    def text(self) -> str:
        return (
            f"What is the median value of the paid orders of {_month(self.month)}, in local time? "
            f"With an even number of orders it is the mean of the middle two. {_EUROS}"
        )

    def answer(self, shop: Shop) -> RightAnswer:
        values = sorted(order.value for order in _in_month(shop.paid, self.month))
        if not values:
            raise ValueError("that month has no paid order: take another seed or more orders")
        middle = len(values) // 2
        return Number((values[middle] + values[-middle - 1]) / 2 / HUNDREDTHS, decimals=2)


class ReturningCustomers(Strict):
    kind: Literal["returning_customers"]
    months: Annotated[int, Field(ge=2, le=12)]

    def text(self) -> str:
        return (
            f"How many customers had paid orders in at least {self.months} different months of {YEAR}, "
            f"in local time? {_WHOLE}"
        )

    def answer(self, shop: Shop) -> RightAnswer:
        seen = {(order.customer.id, order.local_time.month) for order in shop.paid if order.customer}
        months = Counter(customer for customer, _ in seen)
        return _count(customer for customer, count in months.items() if count >= self.months)


class RevenueGrowth(Strict):
    kind: Literal["revenue_growth"]
    category: Category

    def text(self) -> str:
        return (
            f"By how much did the revenue from products of the category {self.category} change from the "
            f"first half of {YEAR} to the second, in local time? A fall is negative. {_PERCENT}"
        )

    def answer(self, shop: Shop) -> RightAnswer:
        halves = [0, 0]
        for order in shop.paid:
            its_lines = [line for line in order.lines if line.product.category == self.category]
            halves[order.local_time.month > 6] += sum(line.value for line in its_lines)
        return _percent(halves[1] - halves[0], halves[0])


class TopProductOfCountry(Strict):
    kind: Literal["top_product_of_country"]
    country: Country

    def text(self) -> str:
        return (
            f"Of which product did customers from the country {self.country} buy the most pieces in paid "
            f"orders? {_NAMED}"
        )

    def answer(self, shop: Shop) -> RightAnswer:
        pieces = Counter({product.name: 0 for product in shop.products})
        for order in shop.paid:
            if order.customer and order.customer.country == self.country:
                pieces.update({line.product.name: line.quantity for line in order.lines})
        return _largest(pieces)


class LongestPause(Strict):
    kind: Literal["longest_pause"]
    city: City

    def text(self) -> str:
        return (
            f"For the store in {self.city}: what is the largest number of days between one day with a paid "
            f"order and the next such day, in local time? From 3 May to 5 May it is 2 days. {_WHOLE}"
        )

    def answer(self, shop: Shop) -> RightAnswer:
        days = sorted({order.local_time.date() for order in shop.paid if order.store.city == self.city})
        pauses = [later - earlier for earlier, later in pairwise(days)]
        return Number(max(pauses, default=dt.timedelta()).days, decimals=0)


Question = Annotated[
    CustomersWithoutCountry
    | HighestListPrice
    | OrdersWithStatus
    | CustomersFrom
    | GuestShare
    | CategoryRevenue
    | OrdersAtNight
    | NeverSold
    | BestStore
    | MedianOrderValue
    | ReturningCustomers
    | RevenueGrowth
    | TopProductOfCountry
    | LongestPause,
    Field(discriminator="kind"),
]


def _count(found: Iterable[object]) -> Number:
    return Number(sum(1 for _ in found), decimals=0)


def _euros(hundredths_of_cents: int) -> Number:
    return Number(hundredths_of_cents / HUNDREDTHS, decimals=2)


def _percent(part: int, whole: int) -> Number:
    if not whole:
        raise ValueError("no share can be given on this data: take another seed or more orders")
    return Number(100 * part / whole, decimals=1)


def _largest(amounts: dict[str, int]) -> Name:
    return Name(min(amounts, key=lambda name: (-amounts[name], name)))


def _in_month(orders: Iterable[Order], month: int) -> list[Order]:
    return [order for order in orders if order.local_time.month == month]


def _month(month: int) -> str:
    return f"{MONTHS[month - 1]} {YEAR}"
