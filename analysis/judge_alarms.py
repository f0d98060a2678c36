"""What to distrust in the judge's scores."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from analysis.alarm import alarm
from analysis.describe import present_criteria
from analysis.panel.noise_result import JudgeNoise
from analysis.read_runs import Runs
from analysis.result import Alarm
from analysis.wording import plural

SATURATED_SHARE = 0.9
CONSTANT_SHARE = 0.95
NOISY_SHARE = 0.1
"""Judge noise below this share of the variance is not worth a warning."""
SCALE = (1.0, 10.0)
ROUNDING = 0.051
"""Scores given with one decimal differ from the exact mean by up to 0.05."""


def judge_alarms(runs: Runs, judge: JudgeNoise) -> Iterator[Alarm]:
    yield from _scale(judge)
    if judge.within_text_share is not None and judge.within_text_share >= NOISY_SHARE:
        yield alarm(
            "judge_noise",
            "high",
            f"The same text was scored up to {judge.largest_range:.2g} apart, and "
            f"{judge.within_text_share:.0%} of the variance of quality lies within identical texts: there, "
            "the spread of scores is the judge's, not the framework's.",
            largest_range=judge.largest_range,
            within_text_share=judge.within_text_share,
            within_text_share_of_squares=judge.within_text_share_of_squares,
            texts_judged_again=judge.texts_judged_again,
        )
    yield from _score_alarms(runs)
    model = runs.manifest.setting("llm_model")
    # An experiment that names no judge uses the model itself.
    if model and judge.commonest_share is not None and _main_judge(runs) in ("", model):
        yield alarm(
            "judge_is_subject",
            "medium",
            f"The judge is the model under test ({model}): it grades its own writing.",
            model=model,
        )


def _main_judge(runs: Runs) -> str:
    """Of a panel the first: its scores are the quality here."""
    return next(iter(runs.manifest.judges), "")


def _scale(judge: JudgeNoise) -> Iterator[Alarm]:
    if judge.commonest_share is not None and judge.commonest_share >= CONSTANT_SHARE:
        yield alarm(
            "judge_constant",
            "high",
            f"The judge gave {judge.commonest_score:g} for {judge.commonest_share:.0%} of all criterion "
            "scores: it does not tell reports apart.",
            score=judge.commonest_score,
            share=judge.commonest_share,
        )
    elif judge.top_share is not None and judge.top_share >= SATURATED_SHARE:
        yield alarm(
            "judge_saturation",
            "high",
            f"{judge.top_share:.0%} of the criterion scores are 9 or 10: the scale is used up, and real "
            "differences in quality would not show.",
            top_share=judge.top_share,
        )


def _score_alarms(runs: Runs) -> Iterator[Alarm]:
    done = runs.answered
    unscored = int(done["overall"].isna().sum())
    no_judge = not runs.stored.verdicts and unscored == len(done) and bool(done["passed"].notna().any())
    if unscored and not no_judge:
        yield alarm(
            "missing_scores",
            "medium",
            f"{plural(unscored, 'completed run')} of {len(done)} have no score: no usable answer from the "
            "judge. Quality is taken over the others.",
            missing=unscored,
            completed=len(done),
        )
    criteria = present_criteria(runs)
    scores = done[[*criteria, "overall"]]
    outside = int(((scores < SCALE[0]) | (scores > SCALE[1])).to_numpy().sum())
    if outside:
        yield alarm(
            "scores_out_of_range",
            "high",
            f"{plural(outside, 'score')} outside 1 to 10 went into the means as given.",
            count=outside,
        )
    gap = (
        (done["overall"] - done[criteria].mean(axis=1, skipna=False)).abs()
        if criteria
        else pd.Series(dtype=float)
    )
    apart = int((gap > ROUNDING).sum())
    if apart:
        yield alarm(
            "overall_is_not_mean",
            "low",
            f"In {plural(apart, 'run')} the overall score differs from the mean of the criteria, by up to "
            f"{gap.max():.1f}. Quality here is the overall score as given.",
            runs=apart,
            largest_gap=float(gap.max()),
        )
