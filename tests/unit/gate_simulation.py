"""How often a gate fails, on made-up experiments whose truth is known: `python -m tests.unit.gate_simulation`.

Each experiment has items of their own size, a framework's change that differs a little from item to item, and
noise of runs; its noise floor comes from a twin, as in real ones. What decides is the product's own code.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from analysis.change.changes import Pair, Steps
from analysis.change.decide import Ground, decide
from analysis.change.held import Held, corrected
from analysis.change.side import step

PAIR = Pair(("x", ""), ("x", ""))


@dataclass(frozen=True)
class Truth:
    n_items: int
    change: float
    """Of head over base, less 1: the true one."""
    run_noise: float
    """Standard deviation of a run's value, as a share of it."""
    between_items: float = 0.0
    """Standard deviation of the change from item to item."""
    margin: float = 0.05
    comparisons: int = 1
    """Gated together, all with this truth."""
    heavy_tails: bool = False
    """Noise of Student's t with 3 degrees of freedom, scaled to the same standard deviation."""


def statuses(truth: Truth, experiments: int, seed: int) -> list[list[str]]:
    """For each made-up experiment, the status of each comparison."""
    random = np.random.default_rng(seed)
    return [_experiment(truth, random) for _ in range(experiments)]


def share_failing(truth: Truth, experiments: int, seed: int = 1) -> float:
    """Of the experiments, those with a regression in any comparison."""
    return float(np.mean(["regression" in found for found in statuses(truth, experiments, seed)]))


def _experiment(truth: Truth, random: np.random.Generator) -> list[str]:
    held, floors = [], []
    for _ in range(truth.comparisons):
        size = np.exp(random.normal(6.0, 0.5, truth.n_items))
        true = np.log1p(truth.change) + random.normal(0, truth.between_items, truth.n_items)
        base, twin, head, head_twin = (
            size * np.exp(shift + _noise(truth, random)) for shift in (0.0, 0.0, true, true)
        )
        at = Steps([str(n) for n in range(truth.n_items)], base, head, step("tokens", base, head))
        held.append(Held(PAIR, "tokens", truth.margin, at, []))
        floors.append(
            tuple(float(np.abs(step("tokens", *two)).mean()) for two in ((base, twin), (head, head_twin)))
        )
    tested = corrected(held)
    family = sum(one.p_holm is not None for one in tested)
    return [decide(one, Ground(noise, 0.0, family))[0] for one, noise in zip(tested, floors, strict=True)]


def _noise(truth: Truth, random: np.random.Generator) -> np.ndarray:
    if truth.heavy_tails:
        return random.standard_t(3, truth.n_items) / np.sqrt(3) * truth.run_noise
    return random.normal(0, truth.run_noise, truth.n_items)


def main(experiments: int) -> None:
    print("false failures: true change, margin, noise, tails, items, comparisons -> share failing")
    for n_items in (5, 6, 12, 20):
        for change, margin in ((0.0, 0.0), (0.05, 0.05), (0.0, 0.05)):
            for heavy in (False, True):
                for comparisons in (1, 6):
                    truth = Truth(n_items, change, 0.05, 0.02, margin, comparisons, heavy)
                    print(n_items, change, margin, heavy, comparisons, share_failing(truth, experiments))
    print("power at a margin of 5 %: noise, items, comparisons -> share failing at +10 %, +20 %")
    for run_noise in (0.0, 0.02, 0.05, 0.1):
        for n_items in (5, 6, 8, 12, 20):
            for comparisons in (1, 3):
                found = [
                    share_failing(Truth(n_items, change, run_noise, 0.02, 0.05, comparisons), experiments)
                    for change in (0.1, 0.2)
                ]
                print(run_noise, n_items, comparisons, *found)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)
