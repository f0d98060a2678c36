"""What all results are made of: frozen models whose numbers are finite or null."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


def _finite_or_none(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value)
    return number if math.isfinite(number) else None


Number = Annotated[float | None, BeforeValidator(_finite_or_none)]


class Result(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
