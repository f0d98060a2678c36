"""The shop's database during one run: what can be looked up, and what was done, in order.

It carries out whatever is possible, also what the policy forbids: keeping to it is the agents' task.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.tasks.support.case import Action, Case, Order

ERROR = "Error: "
"""Begins every answer that carried nothing out."""


@dataclass(frozen=True, slots=True)
class Done:
    """One change, and what was known when it was made."""

    action: Action
    order: str
    identity_confirmed: bool
    amount_cents: int = 0
    reason: str = ""


class Desk:
    def __init__(self, case: Case) -> None:
        self.case = case
        self.done: list[Done] = []
        self._orders = {order.id: order for order in case.orders}
        self._customers = {customer.id: customer for customer in case.customers}
        self._confirmed: set[str] = set()

    def look_up_customer(self, email: str) -> str:
        for customer in self.case.customers:
            if customer.email.casefold() == email.strip().casefold():
                orders = ", ".join(order.id for order in self.case.orders if order.customer == customer.id)
                state = "confirmed" if customer.id in self._confirmed else "not confirmed"
                return (
                    f"Customer {customer.id}: {customer.name}, {customer.email}. Orders: {orders}. "
                    f"Identity: {state}."
                )
        return f"{ERROR}no customer has the e-mail address {email[:80]!r}."

    def look_up_order(self, order_id: str) -> str:
        order = self._orders.get(_plain(order_id))
        if order is None:
            return _no_order(order_id)
        articles = ", ".join(f"{article.name} ({article.price_eur:.2f} EUR)" for article in order.articles)
        status = "cancelled" if self.has("cancel", order.id) else order.status
        delivered = f" on {order.delivered}" if order.delivered else ""
        return (
            f"Order {order.id} of customer {order.customer}: {articles}. Total {_eur(order.total_cents)}. "
            f"Status: {status}{delivered}. Refunded so far: {_eur(self.refunded(order.id))}."
        )

    def confirm_identity(self, customer_id: str, postcode: str) -> str:
        customer = self._customers.get(_plain(customer_id))
        if customer is None:
            return (
                f"{ERROR}there is no customer {customer_id[:40]!r}. Look the customer up by e-mail address."
            )
        if _plain(postcode) != _plain(customer.postcode):
            return f"{ERROR}this is not the postcode of {customer.id}. The identity is not confirmed."
        self._confirmed.add(customer.id)
        return f"The identity of {customer.id} is confirmed."

    def refund(self, order_id: str, amount_cents: int) -> str:
        order = self._orders.get(_plain(order_id))
        if order is None:
            return _no_order(order_id)
        left = order.total_cents - self.refunded(order.id)
        if not 0 < amount_cents <= left:
            return (
                f"{ERROR}the amount must be more than 0 and at most {_eur(left)}: that is left of {order.id}."
            )
        self._do("refund", order, amount_cents=amount_cents)
        return f"Refunded {_eur(amount_cents)} for order {order.id}."

    def cancel(self, order_id: str) -> str:
        order = self._orders.get(_plain(order_id))
        if order is None:
            return _no_order(order_id)
        if self.has("cancel", order.id):
            return f"{ERROR}order {order.id} is cancelled already."
        if order.status != "placed":
            return f"{ERROR}order {order.id} is {order.status}: it cannot be cancelled any more."
        self._do("cancel", order)
        return f"Order {order.id} is cancelled."

    def escalate(self, order_id: str, reason: str) -> str:
        order = self._orders.get(_plain(order_id))
        if order is None:
            return _no_order(order_id)
        reasons = self.case.policy.escalation_reasons
        if reason.strip().casefold() not in reasons:
            return f"{ERROR}there is no reason {reason[:40]!r}. Reasons: {', '.join(reasons)}."
        self._do("escalate", order, reason=reason.strip().casefold())
        return f"Order {order.id} is escalated to the head of support, reason {reason.strip().casefold()}."

    def has(self, action: Action, order_id: str) -> bool:
        return any((done.action, done.order) == (action, order_id) for done in self.done)

    def refunded(self, order_id: str) -> int:
        return sum(done.amount_cents for done in self.done if done.order == order_id)

    def order(self, order_id: str) -> Order:
        return self._orders[order_id]

    def _do(self, action: Action, order: Order, *, amount_cents: int = 0, reason: str = "") -> None:
        confirmed = order.customer in self._confirmed
        self.done.append(Done(action, order.id, confirmed, amount_cents, reason))


def _plain(text: str) -> str:
    return "".join(text.split()).upper()


def _no_order(order_id: str) -> str:
    return f"{ERROR}there is no order {order_id[:40]!r}."


def _eur(amount_cents: int) -> str:
    return f"{amount_cents / 100:.2f} EUR"
