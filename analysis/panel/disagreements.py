"""The texts on which judges, or one judge's repeats, differ most."""

from __future__ import annotations

import pandas as pd

from analysis.panel.adjust import Adjusted
from analysis.panel.read_verdicts import TEXT, Verdicts
from analysis.panel.result import Disagreement, JudgeSays

MOST = 5
REASONING_CHARS = 600
MOST_REASONS = 3
EXCERPT_CHARS = 1_500
LEAST_SPREAD = 1e-6


def list_disagreements(verdicts: Verdicts, adjusted: Adjusted) -> list[Disagreement]:
    """The largest spread first; texts on which all say the same are not listed."""
    spread = _spread(verdicts, adjusted)
    widest = spread[spread > LEAST_SPREAD].sort_values(ascending=False, kind="stable").head(MOST)
    items, texts = (widest.index.get_level_values(name) for name in TEXT)
    return [
        _disagreement(verdicts, str(item), str(text), float(value))
        for item, text, value in zip(items, texts, widest, strict=True)
    ]


def _spread(verdicts: Verdicts, adjusted: Adjusted) -> pd.Series:
    """Between judges, leniency removed where that was possible; with one judge, between its repeats."""
    scores = adjusted.scores if not adjusted.scores.empty else verdicts.by_text("overall")
    if scores.shape[1] < 2:
        by_text = verdicts.own.groupby(TEXT)["overall"]
        return by_text.max() - by_text.min()
    return (scores.max(axis=1) - scores.min(axis=1)).dropna()


def _disagreement(verdicts: Verdicts, item: str, text: str, spread: float) -> Disagreement:
    own = verdicts.own
    here = own[(own["item"] == item) & (own["text"] == text)]
    runs = verdicts.runs
    wrote = runs.loc[(runs["item"] == item) & (runs["text"] == text), "subject"]
    return Disagreement(
        frameworks=sorted(map(str, wrote.unique())),
        item=item,
        spread=spread,
        says=[
            _says(verdicts, judge, here[here["judge"] == judge])
            for judge in verdicts.judges
            if (here["judge"] == judge).any()
        ],
        excerpt=_cut(verdicts.reports.get((item, text), ""), EXCERPT_CHARS),
    )


def _says(verdicts: Verdicts, judge: str, rows: pd.DataFrame) -> JudgeSays:
    means = rows[list(verdicts.criteria)].mean().dropna()
    reasons = [_cut(text, REASONING_CHARS) for text in dict.fromkeys(rows["reasoning"]) if text]
    return JudgeSays(
        judge=judge,
        overall=[float(value) for value in rows["overall"]],
        scores={str(name): float(value) for name, value in means.items()},
        reasoning=reasons[:MOST_REASONS],
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most].rstrip()} [cut]"
