"""What every step of a run works with."""

from __future__ import annotations

from dataclasses import dataclass

from cluster.experiment import Experiment
from cluster.interrupts import Interrupts
from cluster.progress import RunProgress
from shared.settings import BenchmarkSettings
from shared.store import Store


@dataclass(frozen=True)
class Workspace:
    """One experiment in progress: what it is, where it is kept, who watches, who may stop it."""

    experiment: Experiment
    store: Store
    progress: RunProgress
    interrupts: Interrupts
    extends: bool = False
    """Whether the plan may add runs to what the store holds."""

    @property
    def settings(self) -> BenchmarkSettings:
        return self.experiment.settings
