"""Strengths of frameworks from comparisons of their reports, and how much the order shown decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from analysis.bradley_terry import fit_strengths
from analysis.item_bootstrap import draw_items, percentile_interval
from analysis.mean_interval import FEWEST_ITEMS
from analysis.panel.estimate import mean_over_items
from analysis.panel.read_verdicts import Verdicts
from analysis.panel.result import Estimate, Strength, Tournament
from analysis.wording import listing, plural

VIRTUAL_TIES = 1.0
"""Per pair of frameworks that met: keeps the strength of one that won everything finite."""
FEWEST_PER_FRAMEWORK = 2
POINTS = {"first": 1.0, "tie": 0.5, "second": 0.0}


def hold_tournaments(verdicts: Verdicts) -> list[Tournament]:
    """One per judge, then one of all judges together when there are several."""
    meetings = _meetings(verdicts)
    judges = sorted(meetings["judge"].unique(), key=lambda name: (name != verdicts.main, name))
    found = [_tournament(judge, meetings[meetings["judge"] == judge]) for judge in judges]
    return [*found, _tournament("", meetings)] if len(judges) > 1 else found


def _meetings(verdicts: Verdicts) -> pd.DataFrame:
    """A row per comparison and per pair of frameworks that wrote the two texts.

    A text that several frameworks wrote was judged for each of them. `number` names the comparison.
    """
    columns = ["number", "judge", "item", "pair", "turned", "repeat", "first", "second", "points"]
    rows = list(_rows(verdicts))
    return pd.DataFrame(rows, columns=columns).astype({"points": float})


def _rows(verdicts: Verdicts) -> Iterator[tuple[object, ...]]:
    for number, found in enumerate(verdicts.comparisons):
        a, b = verdicts.authors[found.first_attempt_id], verdicts.authors[found.second_attempt_id]
        pair = tuple(sorted(((a.item, a.text), (b.item, b.text))))
        points = POINTS[found.winner] if found.winner else float("nan")
        about = (number, found.judge, a.item, pair, pair[0] != (a.item, a.text), found.repeat)
        for first in verdicts.writers.get((a.item, a.text), []):
            for second in verdicts.writers.get((b.item, b.text), []):
                if first != second:
                    yield (*about, first, second, points)


@dataclass(frozen=True)
class _Score:
    """Points and games per item: [item, shown first, shown second]."""

    items: list[str]
    names: list[str]
    points: np.ndarray
    games: np.ndarray

    @cached_property
    def connected(self) -> int:
        met = self.games.sum(axis=0)
        return int(connected_components(csr_array(met + met.T), directed=False)[0])

    def strengths(self, drawn: np.ndarray | slice = slice(None)) -> tuple[np.ndarray, float]:
        points, games = self.points[drawn].sum(axis=0), self.games[drawn].sum(axis=0)
        return fit_strengths(points, games, virtual_ties=VIRTUAL_TIES)


def _tournament(judge: str, meetings: pd.DataFrame) -> Tournament:
    once = meetings.drop_duplicates("number")
    usable = meetings.dropna(subset=["points"])
    asked = once.dropna(subset=["points"])
    both, same = _both_orders(asked)
    score = _score(usable)
    reason = _refusal(score, len(asked))
    order = None if reason else score.strengths()[1]
    return Tournament(
        judge=judge,
        comparisons=len(asked),
        failed=len(once) - len(asked),
        ties=int((asked["points"] == POINTS["tie"]).sum()),
        items=asked["item"].nunique(),
        strengths=[] if reason else _strengths(score, usable),
        reason=reason,
        first_wins=_first_wins(asked),
        order_effect=order,
        asked_both_ways=both,
        same_in_both_orders=same / both if both else None,
    )


def _score(usable: pd.DataFrame) -> _Score:
    items = sorted(usable["item"].unique())
    names = sorted({*usable["first"], *usable["second"]})
    shape = (len(items), len(names), len(names))
    points, games = np.zeros(shape), np.zeros(shape)
    place = (
        usable["item"].map(items.index).to_numpy(dtype=int),
        usable["first"].map(names.index).to_numpy(dtype=int),
        usable["second"].map(names.index).to_numpy(dtype=int),
    )
    np.add.at(points, place, usable["points"].to_numpy(dtype=float))
    np.add.at(games, place, 1.0)
    return _Score(items, names, points, games)


def _refusal(score: _Score, comparisons: int) -> str | None:
    if len(score.names) < 2:
        return "no usable comparison of two frameworks"
    if comparisons < FEWEST_PER_FRAMEWORK * len(score.names):
        return f"{plural(comparisons, 'comparison')} of {len(score.names)} frameworks are too few"
    if score.connected > 1:
        return (
            "the frameworks fall into groups that never met, so they have no common scale "
            f"({listing(score.names)})"
        )
    return None


def _strengths(score: _Score, usable: pd.DataFrame) -> list[Strength]:
    values, _ = score.strengths()
    drawn = draw_items(len(score.items)) if len(score.items) >= FEWEST_ITEMS else ()
    again = np.array([score.strengths(some)[0] for some in drawn])
    found = []
    for place, name in enumerate(score.names):
        interval = percentile_interval(list(again[:, place]), len(score.items)) if len(again) else None
        reason = None if interval else f"no interval below {FEWEST_ITEMS} items"
        won = [
            *usable.loc[usable["first"] == name, "points"],
            *(1 - usable.loc[usable["second"] == name, "points"]),
        ]
        found.append(
            Strength(
                framework=name,
                strength=Estimate(value=values[place], interval=interval, reason=reason),
                points=np.mean(won),
                comparisons=len(won),
            )
        )
    return sorted(found, key=lambda strength: -(strength.strength.value or 0.0))


def _first_wins(asked: pd.DataFrame) -> Estimate:
    decided = asked[asked["points"] != POINTS["tie"]]
    if decided.empty:
        return Estimate(reason="no comparison was decided")
    return mean_over_items(decided["item"], decided["points"].to_numpy(dtype=float))


def _both_orders(asked: pd.DataFrame) -> tuple[int, int]:
    """Pairs of texts asked both ways, and how many of them got the same answer."""
    # From the view of one of the two texts, whichever was shown first.
    seen = asked["points"].where(~asked["turned"].astype(bool), 1 - asked["points"])
    rows = asked.assign(seen=seen).groupby(["judge", "pair", "repeat"])
    both = rows.filter(lambda group: group["turned"].nunique() == 2).groupby(["judge", "pair", "repeat"])
    answers = both["seen"].nunique()
    return len(answers), int((answers == 1).sum())


def decided_by_order(tournaments: Sequence[Tournament]) -> list[Tournament]:
    """Those of one judge whose interval of the first one's wins excludes one half."""
    return [
        t
        for t in tournaments
        if t.judge and (i := t.first_wins.interval) is not None and not i.low <= 0.5 <= i.high
    ]
