"""Made-up runs in which it is known who is best: rows of a runs.csv, and maturity facts beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analysis.guide.examine import guide_from
from analysis.guide.result import Guide, MaturityFacts, Priority
from analysis.read_runs import read_runs
from shared.maturity import DistributionFacts, FrameworkFacts, Maturity, Releases
from tests.unit.analysis_rows import clean_rows, write_rows

FRAMEWORKS = ("autogen", "crewai", "langgraph")
SPREAD = 0.1
"""Standard deviation of the logarithm of what one run takes."""


def made_rows(
    seed: int,
    *,
    n_items: int = 6,
    iterations: int = 2,
    frameworks: Sequence[str] = FRAMEWORKS,
    factor: Mapping[str, float] | None = None,
) -> list[dict[str, Any]]:
    """Lognormal latency and tokens; items differ by far more than frameworks. `factor`: what one takes more."""
    noise = np.random.default_rng(seed)
    items = tuple(f"item-{number}" for number in range(n_items))
    size = {item: float(noise.lognormal(0, 0.5)) for item in items}
    rows = clean_rows(tuple(frameworks), items, iterations)
    for row in rows:
        times = (factor or {}).get(row["framework"], 1.0) * size[row["item"]]
        row["latency_s"] = 20 * times * float(noise.lognormal(0, SPREAD))
        row["total_tokens"] = round(3000 * times * float(noise.lognormal(0, SPREAD)))
        row["framework_s"] = 0.3 * float(noise.lognormal(0, SPREAD))
        row["overall"] = float(np.clip(noise.normal(6, 1), 1, 10))
    return rows


def guide_of(
    folder: Path, rows: list[dict[str, Any]], facts: Mapping[str, FrameworkFacts] | None = None
) -> Guide:
    return guide_from(
        read_runs(write_rows(folder, rows)),
        MaturityFacts(gathered_at="2026-03-04", index="asked", frameworks=dict(facts or {})),
    )


def priority(guide: Guide, name: str) -> Priority:
    return next(each for each in guide.priorities if each.name == name)


def facts_of(
    version: str = "1.2.0", *, megabytes: float = 50, dependencies: int = 20, **fields: Any
) -> FrameworkFacts:
    return FrameworkFacts(
        distributions=[
            DistributionFacts(
                **{
                    "name": "thing", "version": version, "pre_release": False, "below_one": version < "1",
                    "status": None, "licence": "MIT", "extras": 2,
                    "releases": Releases(
                        released_at="2026-01-02", newest="1.3.0", newest_released_at="2026-02-03",
                        in_12_months=9, pre_releases_in_12_months=1,
                    ),
                }
                | fields
            )
        ],
        dependencies=dependencies, installed_bytes=int(megabytes * 1e6), openai_version="3.54.0",
        openai_requirements={"thing": ">=3"},
    )  # fmt: skip


def maturity_of(frameworks: Mapping[str, FrameworkFacts]) -> Maturity:
    return Maturity(
        gathered_at="2026-03-04T05:06:07+00:00", python="3.11.7", platform="linux-x86_64", index="asked",
        frameworks=dict(frameworks),
    )  # fmt: skip
