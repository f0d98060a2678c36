"""What the shop allows: data, told to the agents in words and held against what was done."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from pydantic import Field

from shared.strict import Strict


class Policy(Strict):
    """`policy.yaml`. Nothing may be refunded or cancelled before the customer's identity is confirmed."""

    refund_window_days: int = Field(ge=0)
    """After delivery."""
    refund_limit_eur: float = Field(ge=0)
    """For all refunds of one order together; more is for somebody else to decide."""
    escalation_reasons: tuple[str, ...] = Field(min_length=1)
    rules: tuple[str, ...] = Field(min_length=1)
    """In words, with the values above by name in braces."""

    def in_words(self) -> str:
        values = self.model_dump(exclude={"rules"})
        told = (rule.format(**values) for rule in self.rules)
        return "\n".join(f"{number}. {rule}" for number, rule in enumerate(told, 1))


@cache
def shop_policy() -> Policy:
    text = (Path(__file__).parent / "policy.yaml").read_text(encoding="utf-8")
    return Policy.model_validate(yaml.safe_load(text))
