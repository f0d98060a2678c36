"""Questions drawn from a seed, each on a shop of its own."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, get_args

from shared.tasks.data_analysis.item import Item
from shared.tasks.data_analysis.questions import Question
from shared.tasks.data_analysis.shop import Category, Channel, City, Country, Status
from shared.tasks.synthetic import Difficulty

KINDS: dict[Difficulty, tuple[str, ...]] = {
    "easy": ("customers_without_country", "highest_list_price", "orders_with_status"),
    "medium": ("customers_from", "guest_share", "never_sold", "category_revenue", "orders_at_night"),
    "hard": (
        *("best_store", "median_order_value", "returning_customers"),
        *("revenue_growth", "top_product_of_country", "longest_pause"),
    ),
}
_PARAMETERS: dict[str, Sequence[Any]] = {
    "category": get_args(Category),
    "city": get_args(City),
    "country": get_args(Country),
    "channel": get_args(Channel),
    "status": get_args(Status),
    "month": range(1, 13),
    "months": range(2, 6),
}
_MODELS = {
    get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(get_args(Question)[0])
}


def generate(seed: int, difficulty: Difficulty) -> Item:
    """The same question on the same data for the same arguments."""
    draw = random.Random(f"question {seed} {difficulty}")  # noqa: S311 - data, not secrets
    return Item.model_validate(
        {
            "name": f"Question {seed}, {difficulty}",
            "seed": seed,
            "orders": draw.randrange(200, 600, 50),
            "difficulty": difficulty,
            "question": draw_question(draw.choice(KINDS[difficulty]), draw),
        }
    )


def draw_question(kind: str, draw: random.Random) -> dict[str, Any]:
    """A question of that kind with drawn parameters, as an item file states it."""
    wanted = [name for name in _MODELS[kind].model_fields if name != "kind"]
    return {"kind": kind} | {name: draw.choice(_PARAMETERS[name]) for name in wanted}
