"""One priority -> the choice, or who is left, with the evidence for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.guide.maturity import why_not_final
from analysis.guide.metrics import METRICS, SCALE
from analysis.guide.priorities import Wanted
from analysis.guide.result import Certainty, Evidence, Margin, MetricName, Priority
from analysis.guide.scores import Scores, Selection, select, twin_noise, weighted
from analysis.guide.weigh import Weighed, item_draws, ratio_interval, weigh
from analysis.guide.words import (
    first_of_facts,
    found_none,
    found_one,
    left_out,
    only_one,
    too_few_items,
    unmeasured,
)
from analysis.mean_interval import FEWEST_ITEMS
from shared.maturity import FrameworkFacts

Title = Callable[[str], str]


@dataclass(frozen=True)
class _Question:
    """A priority, and what it can be answered from."""

    wanted: Wanted
    scores: Scores
    chosen: Selection
    facts: Mapping[str, FrameworkFacts]
    title: Title

    @property
    def names(self) -> list[str]:
        return [self.scores.frameworks[place] for place in self.chosen.columns]

    @property
    def weights(self) -> dict[MetricName, float]:
        return {metric: self.wanted.weights[metric] for metric in self.chosen.metrics}

    @property
    def scale(self) -> float:
        """A score of several metrics is shown as their weighted mean ratio: weights have no unit."""
        return SCALE * sum(self.weights.values())


def choose(
    scores: Scores,
    wanted: Wanted,
    facts: Mapping[str, FrameworkFacts],
    title: Title,
    chosen: Selection | None = None,
) -> Priority:
    """`chosen`: the frameworks and items to use; None for all that have what the priority needs."""
    chosen = chosen or select(scores, [metric for metric, weight in wanted.weights.items() if weight])
    asked = _Question(wanted, scores, chosen, facts, title)
    out = _left_out(scores, chosen) if chosen.metrics else {}
    found = _decide(asked) if len(asked.names) > 1 and len(chosen.rows) >= FEWEST_ITEMS else _undecided(asked)
    known: dict[str, Any] = {
        "name": wanted.name,
        "title": wanted.title,
        "asks": wanted.asks,
        "n_items": len(chosen.rows),
        "candidates": asked.names,
        "evidence": gather_evidence(scores, chosen, wanted),
        "left_out": out,
    }
    return Priority(**known | found | {"says": found["says"] + left_out(out, title)})


def _undecided(asked: _Question) -> dict[str, Any]:
    if not asked.names:
        says = unmeasured(asked.wanted, recorded=bool(asked.chosen.metrics))
        return {"certainty": "not_measured", "says": says}
    if len(asked.names) == 1:
        return {"certainty": "one_framework", "says": only_one(asked.title(asked.names[0]))}
    return {"certainty": "too_few_items", "says": too_few_items(len(asked.chosen.rows))}


def _decide(asked: _Question) -> dict[str, Any]:
    names = asked.names
    points = weighted(asked.scores, asked.chosen, asked.weights)
    draws = item_draws(len(points))
    noise = twin_noise(asked.scores, asked.weights)
    found = weigh(points, draws, noise)
    margin = _margin(asked, found, points, noise)
    left = [names[place] for place in found.candidates]
    best = float(found.probability[found.leader])
    same = not np.ptp(points[:, found.candidates], axis=1).any()
    says = (
        found_one(margin, asked.title)
        if found.chosen
        else found_none(left, margin, best, asked.title, same=same)
    )
    certainty: Certainty = "shown" if found.chosen else "no_difference_shown"
    if asked.wanted.by_release and not found.chosen:
        final, early = _by_release(left, asked.facts)
        if early and final:
            says = first_of_facts(final, early, says, asked.title)
            left, certainty = final, "by_facts" if len(final) == 1 else certainty
    return {
        "candidates": left,
        "choice": None if certainty == "no_difference_shown" else left[0],
        "certainty": certainty,
        "says": says,
        "margin": margin,
        "probability_best": dict(zip(names, map(float, found.probability), strict=True)),
    }


def _by_release(left: list[str], facts: Mapping[str, FrameworkFacts]) -> tuple[list[str], list[str]]:
    """Those of the candidates that are final, and why each other is not; ([], []) where one has no facts."""
    if not all(name in facts for name in left):
        return [], []
    why = {name: why_not_final(facts[name]) for name in left}
    return [name for name in left if why[name] is None], [reason for reason in why.values() if reason]


def _margin(asked: _Question, found: Weighed, points: np.ndarray, noise: float | None) -> Margin:
    rival = found.leader if found.rival is None else found.rival
    ratio, low, high = ratio_interval(points[:, rival] - points[:, found.leader], asked.scale)
    return Margin(
        leader=asked.names[found.leader],
        rival=asked.names[rival],
        ratio=ratio,
        low=low,
        high=high,
        noise=None if noise is None else float(np.exp(noise / asked.scale)),
    )


def gather_evidence(scores: Scores, chosen: Selection, wanted: Wanted) -> list[Evidence]:
    """Means in real units over the items that the choice is made on; all items where there is no choice."""
    names = scores.frameworks
    rows = chosen.rows or list(range(len(scores.items)))
    shown: list[MetricName] = [metric for metric, weight in wanted.weights.items() if weight]
    return [
        Evidence(
            metric=metric,
            title=METRICS[metric].title,
            unit=METRICS[metric].unit,
            digits=METRICS[metric].digits,
            weight=wanted.weights.get(metric, 0),
            values=dict(zip(names, _means(scores.values[metric][rows]), strict=True)),
            floor=_means(scores.floor[metric][rows, np.newaxis])[0] if metric in scores.floor else None,
        )
        for metric in (*shown, *wanted.beside)
        if metric in scores.values
    ]


def _means(cells: np.ndarray) -> list[float | None]:
    known = np.isfinite(cells)
    counts = known.sum(axis=0)
    sums = np.where(known, cells, 0.0).sum(axis=0)
    return [float(total / count) if count else None for total, count in zip(sums, counts, strict=True)]


def _left_out(scores: Scores, chosen: Selection) -> dict[str, str]:
    few = "what this needs is known on less than half of the items"
    return dict.fromkeys(scores.failed, "no completed run") | {
        scores.frameworks[place]: few for place in chosen.left_out
    }
