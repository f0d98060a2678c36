"""What guide.js works with."""

from __future__ import annotations

from typing import Any

from analysis.guide.tables import titles
from analysis.guide.weigh import FEWEST_BEST
from analysis.result import Analysis


def guide_data(analysis: Analysis) -> dict[str, Any] | None:
    weighing = analysis.guide.weighing
    if weighing is None:
        return None
    named = titles(analysis)
    return weighing.model_dump(exclude={"items", "metrics"}) | {
        "titles": [named.get(name, name) for name in weighing.frameworks],
        "fewest_best": FEWEST_BEST,
    }
