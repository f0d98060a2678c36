"""Who judges, and where each judge is asked."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from shared.strict import Strict

BETWEEN = ","
"""Between two judges in one setting; a list in a plan means the same."""


class JudgeServer(Strict):
    """The service of one judge of a panel."""

    base_url: str
    api_key_variable: str | None = Field(default=None, pattern=r"^[A-Z_][A-Z0-9_]*$")
    """The environment variable that holds its key, which itself stands in no plan; None: it needs no key."""


def split_judges(judges: str | Iterable[str] | None) -> tuple[str, ...]:
    """The judges of a setting, in their order. Raises ValueError when one is named twice."""
    names = judges.split(BETWEEN) if isinstance(judges, str) else (judges or ())
    found = tuple(stripped for name in names if (stripped := name.strip()))
    repeated = sorted({name for name in found if found.count(name) > 1})
    if repeated:
        raise ValueError(f"named more than once: {', '.join(repeated)}")
    return found
