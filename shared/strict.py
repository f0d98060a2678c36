"""The base of everything that is written down or read from a file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Records and plans are immutable and refuse keys that nobody declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")
