"""One judge beside itself, as typed data."""

from __future__ import annotations

from analysis.result_model import Number, Result


class JudgeNoise(Result):
    """What the judge does with a text that it has seen before."""

    texts_judged_again: int
    largest_range: Number
    within_text_share: Number
    """Variance component within identical texts over the total (one-way random effects)."""
    within_text_share_of_squares: Number
    top_share: Number
    """Share of criterion scores at 9 or 10."""
    commonest_score: Number
    commonest_share: Number
    within_text_sd: Number = None
    """Standard deviation of scores of the same text, pooled over texts judged again."""
