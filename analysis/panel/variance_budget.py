"""The variance of quality, taken apart into task, framework, run and judge."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import lsqr

from analysis.compare import RANK_DECIMALS
from analysis.panel.read_verdicts import Verdicts
from analysis.panel.result import VarianceBudget, VarianceShare

NOISE = "judge_noise"
LENIENCY = "judge_leniency"
COLUMN = {"task": "item", "framework": "subject", "run": "report", LENIENCY: "judge"}


def take_variance_apart(verdicts: Verdicts, left_out: Collection[str] = ()) -> VarianceBudget:
    """Variance components of the overall scores, all effects random, without the judges `left_out`.

    judge_noise is the variance within a text once each judge's leniency is taken out. The others are
    estimated from their quadratic forms with zero prior weights (MINQUE(0): Rao, J. Multivariate Anal. 1
    (1971) 445), which are unbiased for unequal groups: sum over a factor's levels of the squared sum of
    deviations, set equal to its expectation. Negative estimates become 0.
    """
    rows = _rows(verdicts)
    if not rows["judge"].isin(left_out).all():
        rows = rows[~rows["judge"].isin(left_out)]
    sizes = {
        "verdicts": len(rows),
        "texts": rows["report"].nunique(),
        "items": rows["item"].nunique(),
    }
    if reason := _refusal(rows):
        return VarianceBudget(**sizes, reason=reason)
    noise = _within_text(rows)
    if noise is None:
        return VarianceBudget(
            **sizes, reason="no text was judged twice, so a judge cannot be told from a run"
        )
    factors = {name: column for name, column in COLUMN.items() if len(rows[column].unique()) > 1}
    estimates = _components(rows, list(factors.values()), noise)
    found = dict(zip(factors, estimates, strict=True)) | {NOISE: noise}
    return _budget(sizes, found)


def _budget(sizes: dict[str, int], found: dict[str, float]) -> VarianceBudget:
    kept = {name: max(0.0, value) for name, value in found.items()}
    total = sum(kept.values())
    if total <= 0:
        return VarianceBudget(**sizes, reason="every component is estimated as 0")
    parts = {name: VarianceShare(variance=value, share=value / total) for name, value in kept.items()}
    below = [name for name, value in found.items() if value < 0]
    notes = [f"The estimate of {name.replace('_', ' ')} was negative and is shown as 0." for name in below]
    for name, word in (("task", "item"), ("framework", "framework")):
        if name not in parts:
            notes.append(f"With one {word} its part of the variance cannot be told.")
    return VarianceBudget(
        **sizes,
        parts=parts,
        judge_share=sum(parts[name].share for name in (LENIENCY, NOISE) if name in parts),
        notes=notes,
    )


def _rows(verdicts: Verdicts) -> pd.DataFrame:
    """A text that several frameworks wrote belongs to all of them together: a level of its own."""
    rows = verdicts.own[["item", "judge", "text", "overall"]].copy()
    wrote = [
        ", ".join(verdicts.writers.get(text, [])) for text in zip(rows["item"], rows["text"], strict=True)
    ]
    rows = rows.assign(subject=wrote)
    rows = rows[rows["subject"] != ""]
    rows["report"] = [f"{item}\n{text}" for item, text in zip(rows["item"], rows["text"], strict=True)]
    return rows.assign(overall=rows["overall"].round(RANK_DECIMALS))


def _refusal(rows: pd.DataFrame) -> str | None:
    if rows["report"].nunique() < 2:
        return "fewer than two texts were scored"
    if rows["overall"].nunique() < 2:
        return "all scores are equal, so there is no variance to take apart"
    return None


def _within_text(rows: pd.DataFrame) -> float | None:
    """Residual variance of scores = text + judge; None without a degree of freedom for it."""
    texts, judges = (pd.factorize(rows[column])[0] for column in ("report", "judge"))
    n_texts, n_judges = texts.max() + 1, judges.max() + 1
    # A judge that shares no text with another adds no parameter of its own.
    edges = csr_array(
        (np.ones(len(rows)), (texts, n_texts + judges)), shape=(n_texts + n_judges, n_texts + n_judges)
    )
    rank = n_texts + n_judges - connected_components(edges, directed=False)[0]
    if (free := len(rows) - rank) < 1:
        return None
    place = np.arange(len(rows))
    design = coo_array(
        (np.ones(2 * len(rows)), (np.tile(place, 2), np.concatenate([texts, n_texts + judges]))),
        shape=(len(rows), n_texts + n_judges),
    ).tocsr()
    scores = rows["overall"].to_numpy(dtype=float)
    residual = lsqr(design, scores - scores.mean(), atol=1e-12, btol=1e-12)[3]
    return float(residual**2 / free)


def _components(rows: pd.DataFrame, factors: list[str], noise: float) -> np.ndarray:
    """Solve q_k = sum_l C_kl variance_l + C_ke noise for the variances of `factors`.

    With M centring and Z_k the indicators of k: q_k = |Z_k' M y|^2, C_kl = |Z_k' M Z_l|^2, C_ke = |M Z_k|^2.
    """
    n = len(rows)
    apart = rows["overall"] - rows["overall"].mean()
    forms = np.array([float((apart.groupby(rows[k]).sum() ** 2).sum()) for k in factors])
    counts = {k: rows[k].value_counts() for k in factors}
    of_noise = np.array([float((counts[k] - counts[k] ** 2 / n).sum()) for k in factors])
    cross = np.array([[_cross(rows, k, m, counts) for m in factors] for k in factors])
    return np.asarray(np.linalg.lstsq(cross, forms - of_noise * noise, rcond=None)[0])


def _cross(rows: pd.DataFrame, k: str, m: str, counts: dict[str, pd.Series]) -> float:
    """Sum over levels a of k and b of m of (n_ab - n_a n_b / n)^2, from the pairs that occur."""
    n = len(rows)
    together = rows.groupby([rows[k].rename("a"), rows[m].rename("b")]).size()
    sizes = together.to_numpy(dtype=float)
    n_a = counts[k].reindex(together.index.get_level_values("a")).to_numpy(dtype=float)
    n_b = counts[m].reindex(together.index.get_level_values("b")).to_numpy(dtype=float)
    squares = float((counts[k] ** 2).sum()) * float((counts[m] ** 2).sum())
    return float((sizes**2).sum() - 2 / n * (sizes * n_a * n_b).sum() + squares / n**2)
