"""The tools of customer support: a small order database, and the customer to write to. One object per run."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

from shared.contract import ToolSpec
from shared.tasks.support.case import Case, cents
from shared.tasks.support.customer import SimulatedCustomer
from shared.tasks.support.desk import ERROR, Desk
from shared.tasks.support.played import PlayedCustomer
from shared.tools.tools import Ask

_TEXTS = {
    "email": "The customer's e-mail address.",
    "order_id": "The order's number, such as A-1001.",
    "customer_id": "The customer's number, such as C-1.",
    "postcode": "The postcode that the customer gave.",
    "reason": "One of the reasons for an escalation.",
    "message": "What to write to the customer.",
}
MAX_TEXT_CHARACTERS = 10_000
MOST = 10**9
"""Numbers from there on are no amount and no postcode."""


def _spec(name: str, description: str, *arguments: str) -> ToolSpec:
    properties = {
        argument: {"type": "number", "description": "In EUR."}
        if argument == "amount_eur"
        else {"type": "string", "description": _TEXTS[argument]}
        for argument in arguments
    }
    return ToolSpec(name, description, {"type": "object", "properties": properties, "required": [*arguments]})


class Tools:
    """See `shared.tools.tools.Tools`. `data` is a `Case` as JSON; with `ask` a model plays the customer."""

    SPECS: ClassVar[tuple[ToolSpec, ...]] = (
        _spec("look_up_customer", "Shows a customer and the numbers of the customer's orders.", "email"),
        _spec("look_up_order", "Shows an order: articles, prices, status, delivery.", "order_id"),
        _spec("confirm_identity", "Compares a postcode with the records.", "customer_id", "postcode"),
        _spec("refund", "Pays money back for an order.", "order_id", "amount_eur"),
        _spec("cancel_order", "Cancels an order that has not been shipped.", "order_id"),
        _spec("escalate", "Hands the case of an order to the head of support.", "order_id", "reason"),
        _spec("reply_to_customer", "Writes to the customer. Returns the customer's answer.", "message"),
    )

    def __init__(self, data: Any, ask: Ask | None = None) -> None:
        case = Case.model_validate(data)
        self.desk = Desk(case)
        self.customer = (
            PlayedCustomer(case, self.desk, ask) if ask else SimulatedCustomer(case.customer, self.desk)
        )
        self.errors = 0
        desk = self.desk
        self._actions: dict[str, Callable[..., str]] = {
            "look_up_customer": desk.look_up_customer,
            "look_up_order": desk.look_up_order,
            "confirm_identity": desk.confirm_identity,
            "refund": lambda order_id, amount_eur: desk.refund(order_id, cents(amount_eur)),
            "cancel_order": desk.cancel,
            "escalate": desk.escalate,
            "reply_to_customer": self.customer.answer,
        }

    def call(self, name: str, arguments: dict[str, Any]) -> str:
        answer = self._answer(name, arguments)
        self.errors += answer.startswith(ERROR)
        return answer

    def close(self) -> None:
        pass

    def _answer(self, name: str, arguments: dict[str, Any]) -> str:
        spec = next(spec for spec in self.SPECS if spec.name == name)
        values = []
        for argument, schema in spec.parameters["properties"].items():
            value = (_number if schema["type"] == "number" else _text)(arguments.get(argument))
            if value is None:
                kind = "a number" if schema["type"] == "number" else "a text"
                return f'{ERROR}{name} needs {kind} "{argument}". {schema["description"]}'
            values.append(value)
        return self._actions[name](*values)


def _text(value: Any) -> str | None:
    """Numbers too: a model may write a postcode as one."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    if isinstance(value, int) and abs(value) >= MOST:
        return None
    text = str(value)[:MAX_TEXT_CHARACTERS]
    return text if text.strip() else None


def _number(value: Any) -> float | None:
    """Also as text, which small models write."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and abs(number) < MOST else None
