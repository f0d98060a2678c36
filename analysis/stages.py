"""The stages of a run's time as a reader meets them: order, names and colours, the same in every figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analysis.figure import FLOOR_COLOUR, PALETTE


@dataclass(frozen=True)
class Stage:
    field: str
    """In `Parts`; without "_s" the stage's name in `shared.latency`."""
    name: str
    colour: str
    hatched: bool = False
    """A second sign where two stages share a colour."""

    @property
    def marker(self) -> dict[str, Any]:
        return {"color": self.colour} | ({"pattern": {"shape": "/"}} if self.hatched else {})


STAGES = (
    Stage("queue_s", "Waiting at the server", PALETTE[3]),
    Stage("prefill_s", "Prefill", PALETTE[4]),
    Stage("decode_s", "Decode", PALETTE[0]),
    Stage("model_s", "Model, not split", PALETTE[0], hatched=True),
    Stage("tool_s", "Tools", PALETTE[2]),
    Stage("gateway_s", "Gateway (ours)", FLOOR_COLOUR),
    Stage("framework_s", "Framework itself", PALETTE[1]),
)
