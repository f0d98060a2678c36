"""Each judge's leniency and spread removed, and the panel's score per framework."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from analysis.panel.estimate import mean_over_items
from analysis.panel.read_verdicts import TEXT, Verdicts
from analysis.panel.result import Estimate, PanelScore
from analysis.wording import listing, plural

FEWEST_TEXTS = 3
"""Fewer shared texts give no spread worth dividing by."""
NO_SPREAD = 0.05
"""Points. A judge that writes one score for all has less, also where its scores are weighed."""


@dataclass(frozen=True)
class Adjusted:
    """`scores`: a row per text, a column per judge in the panel; empty where `words` says why."""

    scores: pd.DataFrame
    words: str
    left_out: dict[str, str] = field(default_factory=dict)
    """Judge -> why it has no part in the panel's score."""


def adjust_scores(verdicts: Verdicts) -> Adjusted:
    """Per judge, on the texts that all of them scored: less its mean, over its standard deviation, then
    brought to the mean of the judges' means and the mean of their standard deviations.

    A judge that gives all texts one score has no spread: it is left out.
    """
    scores = verdicts.by_text("overall")
    constant = [j for j in scores if not scores[j].dropna().std() > NO_SPREAD]
    left_out = {str(judge): "it gives all texts one score" for judge in constant}
    varied = scores.drop(columns=constant)
    shared = varied.dropna()
    flat = [j for j in varied if len(shared) >= FEWEST_TEXTS and not shared[j].std() > NO_SPREAD]
    left_out |= {str(judge): "it gives the texts that all judges scored one score" for judge in flat}
    varied, shared = varied.drop(columns=flat), shared.drop(columns=flat)
    if varied.shape[1] < 2:
        return Adjusted(varied.iloc[:, :0], _alone(scores, left_out), left_out)
    if len(shared) < FEWEST_TEXTS:
        few = (
            f"Only {plural(len(shared), 'text')} were scored by all judges, too few to remove their leniency."
        )
        return Adjusted(varied.iloc[:, :0], few, left_out)
    means, spreads = shared.mean(), shared.std(ddof=1)
    adjusted = (varied - means) / spreads * spreads.mean() + means.mean()
    return Adjusted(adjusted, _words(len(shared), left_out), left_out)


def score_frameworks(verdicts: Verdicts, adjusted: Adjusted) -> list[PanelScore]:
    """In alphabetical order of names: an order that ranks nobody."""
    scores = verdicts.by_text("overall")
    panel = adjusted.scores.mean(axis=1)
    found = []
    for subject, runs in verdicts.runs[verdicts.runs["role"] != "dry"].groupby("subject", sort=True):
        index = pd.MultiIndex.from_frame(runs[TEXT])
        own = scores.reindex(index)
        found.append(
            PanelScore(
                framework=str(subject),
                runs=len(runs),
                by_judge={judge: own[judge].mean() if judge in own else None for judge in verdicts.judges},
                panel=_panel_score(panel.reindex(index).dropna(), adjusted),
            )
        )
    return found


def _panel_score(known: pd.Series, adjusted: Adjusted) -> Estimate:
    if adjusted.scores.empty:
        return Estimate(reason=adjusted.words)
    if known.empty:
        return Estimate(reason="none of its texts was scored by the panel")
    return mean_over_items(known.index.get_level_values("item"), known.to_numpy(dtype=float))


def _alone(scores: pd.DataFrame, left_out: dict[str, str]) -> str:
    if scores.shape[1] < 2:
        return "One judge is no panel: its leniency cannot be told from the reports' quality."
    return f"No panel's score: {_left_out_words(left_out)}, and that leaves fewer than two judges."


def _words(texts: int, left_out: dict[str, str]) -> str:
    words = (
        f"Each judge's scores less its mean, over its standard deviation on the {plural(texts, 'text')} that "
        "all of these judges scored, brought back to their mean scale, then averaged over the judges."
    )
    return f"{words} Left out: {_left_out_words(left_out)}." if left_out else words


def _left_out_words(left_out: dict[str, str]) -> str:
    return listing([f"{judge} ({why})" for judge, why in left_out.items()])
