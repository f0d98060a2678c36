"""Runs and maturity facts -> the decision guide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from analysis.guide.choose import Title, choose
from analysis.guide.maturity import read_maturity
from analysis.guide.priorities import OWN, PRIORITIES, SLIDER_TITLES, SLIDERS, Wanted
from analysis.guide.result import Guide, MaturityFacts, MetricName, Priority, Weighable, Weighing
from analysis.guide.scores import FEWEST_SHARE, Scores, Selection, read_scores, select
from analysis.guide.weigh import critical_t, item_draws
from analysis.mean_interval import FEWEST_ITEMS
from analysis.read_runs import Runs
from analysis.subjects import title_of
from shared.maturity import FrameworkFacts


def make_guide(runs: Runs) -> Guide:
    """Among frameworks in their own natural way (the idiomatic arm, where it ran), never floor or twins."""
    folder = runs.stored.store.folder if runs.stored.store else None
    return guide_from(runs, read_maturity(folder, runs.manifest.versions))


def guide_from(runs: Runs, maturity: MaturityFacts) -> Guide:
    scores = read_scores(runs, maturity.frameworks)
    known = runs.frameworks
    titles = {name: title_of(name, known, runs.manifest.titles) for name in known}
    wanted = [choose(scores, each, maturity.frameworks, titles.__getitem__) for each in PRIORITIES]
    chosen = weighable(scores)
    return Guide(
        arm=scores.arm,
        compared=scores.frameworks,
        priorities=[*wanted, _own(scores, chosen, maturity.frameworks, titles.__getitem__)],
        maturity=maturity,
        weighing=_weighing(scores, chosen),
    )


def weighable(scores: Scores) -> Selection:
    """As many of the sliders' metrics as leave items enough, in their order; for all who take part."""
    chosen = select(scores, ["tokens"]) if "tokens" in scores.logs else select(scores, ["latency_s"])
    columns = chosen.columns
    kept: list[MetricName] = []
    fewest: float = FEWEST_ITEMS
    for metric in SLIDERS:
        tried = select(scores, [*kept, metric], columns)
        if metric in tried.metrics and not tried.left_out and len(tried.rows) >= fewest:
            kept.append(metric)
            fewest = max(FEWEST_ITEMS, FEWEST_SHARE * len(tried.rows))
    return select(scores, kept, columns)


def _own(scores: Scores, chosen: Selection, facts: Mapping[str, FrameworkFacts], title: Title) -> Priority:
    """With the sliders as they stand at first, on the very items that they are on."""
    at_first = {metric: SLIDERS[metric] for metric in chosen.metrics if SLIDERS[metric]}
    weights = at_first or {metric: weight for metric, weight in SLIDERS.items() if weight}
    same = replace(chosen, metrics=tuple(at_first)) if at_first else None
    return choose(scores, Wanted(OWN.name, OWN.title, OWN.asks, weights), facts, title, same)


def _weighing(scores: Scores, chosen: Selection) -> Weighing | None:
    if not chosen.metrics or len(chosen.columns) < 2:
        return None
    cells = np.ix_(chosen.rows, chosen.columns)
    logs = np.stack([scores.logs[metric][cells] for metric in chosen.metrics], axis=1)
    twins = np.stack([scores.twins[metric] for metric in chosen.metrics], axis=1)
    return Weighing(
        frameworks=[scores.frameworks[place] for place in chosen.columns],
        items=[scores.items[row] for row in chosen.rows],
        metrics=[
            Weighable(metric=metric, title=SLIDER_TITLES[metric], weight=SLIDERS[metric])
            for metric in chosen.metrics
        ],
        logs=logs.astype(int).tolist(),
        draws=item_draws(len(chosen.rows)).tolist(),
        twins=[[int(cell) if np.isfinite(cell) else None for cell in row] for row in twins],
        critical_t=critical_t(len(chosen.rows), len(chosen.columns)).tolist(),
    )
