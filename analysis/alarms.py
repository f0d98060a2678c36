"""What in the data should be distrusted: each alarm carries its figures and is silent on clean data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from analysis.compare import compared_runs
from analysis.describe import present_criteria, title_of
from analysis.fairness.result import Fairness
from analysis.read_runs import Runs
from analysis.result import Alarm, JudgeNoise, Metric, Omnibus, Replication
from analysis.wording import plural

SATURATED_SHARE = 0.9
CONSTANT_SHARE = 0.95
NOISY_SHARE = 0.1
"""Judge noise below this share of the variance is not worth a warning."""
DRIFT_RATIO = 2.0
"""Tokens per second vary a little with the length of the context; twice is another machine or load."""
SAME_TEXT_LATENCY_RATIO = 1.2
METER_TOLERANCE = 0.01
ORDER_P = 0.001
SCALE = (1.0, 10.0)
ROUNDING = 0.051
"""Scores given with one decimal differ from the exact mean by up to 0.05."""


def raise_alarms(
    runs: Runs,
    replication: Replication,
    judge: JudgeNoise,
    omnibus: dict[Metric, Omnibus],
    fairness: Fairness | None = None,
) -> list[Alarm]:
    found = [
        *_fairness_alarms(fairness),
        *_data_alarms(runs),
        *_replication_alarms(runs, replication, omnibus),
        *_judge_alarms(runs, judge),
        *_machine_alarms(runs),
    ]
    return sorted(found, key=lambda alarm: ("high", "medium", "low").index(alarm.severity))


def _alarm(code: str, severity: Literal["high", "medium", "low"], text: str, **evidence: Any) -> Alarm:
    return Alarm(code=code, severity=severity, text=text, evidence=evidence)


def _fairness_alarms(fairness: Fairness | None) -> Iterator[Alarm]:
    broken = fairness.violations if fairness else []
    if fairness and broken:
        counts = Counter(finding.code for finding in broken)
        yield _alarm("unequal_treatment", "high", fairness.verdict, violations=dict(counts))


def _replication_alarms(
    runs: Runs, replication: Replication, omnibus: dict[Metric, Omnibus]
) -> Iterator[Alarm]:
    distinct, completed = replication.distinct_outputs, replication.completed
    known = int((runs.completed["report_digest"] != "").sum())
    if distinct is None or distinct >= known:
        return
    quality = omnibus["quality"]
    yield _alarm(
        "pseudo_replication",
        "high",
        f"{completed} completed runs hold only {plural(distinct, 'distinct report')}: the repeats are "
        "copies, so n is "
        f"about {replication.effective_n:.0f} per framework. Tests that count every run as new evidence "
        "say too much.",
        rows=completed,
        distinct_outputs=distinct,
        effective_n=replication.effective_n,
        quality_p_all_runs=quality.kruskal_wallis.p,
        quality_p_item_means=quality.kruskal_wallis_item_means.p,
        quality_p_friedman=quality.friedman.p,
    )


def _judge_alarms(runs: Runs, judge: JudgeNoise) -> Iterator[Alarm]:
    if judge.commonest_share is not None and judge.commonest_share >= CONSTANT_SHARE:
        yield _alarm(
            "judge_constant",
            "high",
            f"The judge gave {judge.commonest_score:g} for {judge.commonest_share:.0%} of all criterion "
            "scores: "
            "it does not tell reports apart.",
            score=judge.commonest_score,
            share=judge.commonest_share,
        )
    elif judge.top_share is not None and judge.top_share >= SATURATED_SHARE:
        yield _alarm(
            "judge_saturation",
            "high",
            f"{judge.top_share:.0%} of the criterion scores are 9 or 10: the scale is used up, and real "
            "differences "
            "in quality would not show.",
            top_share=judge.top_share,
        )
    if judge.within_text_share is not None and judge.within_text_share >= NOISY_SHARE:
        yield _alarm(
            "judge_noise",
            "high",
            f"The same text was scored up to {judge.largest_range:.2g} apart, and "
            f"{judge.within_text_share:.0%} of the "
            "variance of quality lies within identical texts: there, the spread of scores is the judge's, "
            "not the "
            "framework's.",
            largest_range=judge.largest_range,
            within_text_share=judge.within_text_share,
            within_text_share_of_squares=judge.within_text_share_of_squares,
            texts_judged_again=judge.texts_judged_again,
        )
    yield from _score_alarms(runs)
    model = runs.manifest.setting("llm_model")
    # An experiment that names no judge uses the model itself.
    if model and judge.commonest_share is not None and runs.manifest.setting("judge_model") in ("", model):
        yield _alarm(
            "judge_is_subject",
            "medium",
            f"The judge is the model under test ({model}): it grades its own writing.",
            model=model,
        )


def _score_alarms(runs: Runs) -> Iterator[Alarm]:
    done = compared_runs(runs)
    unscored = int(done["overall"].isna().sum())
    if unscored:
        yield _alarm(
            "missing_scores",
            "medium",
            f"{plural(unscored, 'completed run')} of {len(done)} have no score: no usable answer from the "
            "judge. "
            "Quality is taken over the others.",
            missing=unscored,
            completed=len(done),
        )
    criteria = present_criteria(runs)
    scores = done[[*criteria, "overall"]]
    outside = int(((scores < SCALE[0]) | (scores > SCALE[1])).to_numpy().sum())
    if outside:
        yield _alarm(
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
        yield _alarm(
            "overall_is_not_mean",
            "low",
            f"In {plural(apart, 'run')} the overall score differs from the mean of the criteria, by up to "
            f"{gap.max():.1f}. Quality here is the overall score as given.",
            runs=apart,
            largest_gap=float(gap.max()),
        )


def _machine_alarms(runs: Runs) -> Iterator[Alarm]:
    done = compared_runs(runs)
    # Where the model's own time is known, framework and tool time do not dilute the rate.
    seconds = done["model_s"].where(done["model_s"] > 0, done["latency_s"])
    rate = (
        (done["completion_tokens"] / seconds.where(seconds > 0)).where(done["completion_tokens"] > 0).dropna()
    )
    if len(rate) > 1 and rate.max() / rate.min() >= DRIFT_RATIO:
        yield _alarm(
            "decode_rate_drift",
            "high",
            f"The implied decode rate runs from {rate.min():.1f} to {rate.max():.1f} tokens/s on what is "
            "said to be "
            "one model: latency compares loads or machines as well as frameworks.",
            slowest_tokens_per_s=float(rate.min()),
            fastest_tokens_per_s=float(rate.max()),
            ratio=float(rate.max() / rate.min()),
        )
    yield from _same_text_latency(runs, done)
    yield from _meter_mismatch(runs)
    yield from _order(done)


def _same_text_latency(runs: Runs, done: pd.DataFrame) -> Iterator[Alarm]:
    same = done[(done["report_digest"] != "") & (done["latency_s"] > 0)]
    times = same.groupby(["subject", "item", "report_digest"])["latency_s"].agg(["size", "min", "max"])
    times = times[times["size"] > 1]
    if times.empty:
        return
    ratio = (times["max"] / times["min"]).rename("ratio")
    if ratio.max() < SAME_TEXT_LATENCY_RATIO:
        return
    worst = ratio.reset_index().sort_values("ratio").iloc[-1]
    subject, item = str(worst["subject"]), str(worst["item"])
    yield _alarm(
        "same_text_latency",
        "medium",
        f"Byte-identical outputs took up to {ratio.max():.2f} times as long ({title_of(runs, subject)}, "
        f"{item}): differences in "
        "latency smaller than that may be the machine's.",
        ratio=float(ratio.max()),
        framework=subject,
        item=item,
    )


def _meter_mismatch(runs: Runs) -> Iterator[Alarm]:
    for subject, rows in compared_runs(runs).groupby("subject", sort=True):
        counted = rows.dropna(subset=["native_prompt_tokens", "native_completion_tokens", "total_tokens"])
        wire = counted["total_tokens"].sum()
        own = counted["native_prompt_tokens"].sum() + counted["native_completion_tokens"].sum()
        if wire and abs(own - wire) / wire > METER_TOLERANCE:
            yield _alarm(
                "meter_mismatch",
                "medium",
                f"{title_of(runs, str(subject))} counts {own:,.0f} tokens by its own meter where the wire "
                f"saw {wire:,.0f} "
                f"({own / wire - 1:+.0%}). Every figure here is the wire's.",
                framework=str(subject),
                own=float(own),
                wire=float(wire),
            )


def _order(done: pd.DataFrame) -> Iterator[Alarm]:
    positions = [rows["position"].dropna().to_numpy() for _, rows in done.groupby("subject", sort=True)]
    positions = [group for group in positions if len(group)]
    if len(positions) < 2 or len(np.unique(np.concatenate(positions))) < 2:
        return
    p = float(stats.kruskal(*positions).pvalue)
    if p < ORDER_P:
        yield _alarm(
            "order_confounded",
            "high",
            "The frameworks ran at different stages of the experiment, so drift of the machine counts as a "
            "difference between frameworks.",
            p=p,
        )


def _data_alarms(runs: Runs) -> Iterator[Alarm]:
    statuses = {str(k): int(v) for k, v in runs.table["status"].value_counts().items() if k != "completed"}
    if statuses:
        words = ", ".join(f"{status} {count}" for status, count in statuses.items())
        yield _alarm(
            "runs_not_completed",
            "medium",
            f"{sum(statuses.values())} of {plural(len(runs.table), 'run')} did not complete ({words}). "
            "They are listed "
            "below and are in no mean.",
            statuses=statuses,
        )
    done = runs.completed
    sizes = done.groupby(["subject", "item"]).size()
    cells = runs.table["subject"].nunique() * runs.table["item"].nunique()
    if len(done) and (len(sizes) < cells or sizes.min() < sizes.max()):
        yield _alarm(
            "unbalanced",
            "medium",
            f"The frameworks do not have the same completed runs of each item (from "
            f"{0 if len(sizes) < cells else sizes.min()} to {sizes.max()} per cell), so means over all "
            "runs weigh "
            "items differently.",
            fewest=int(0 if len(sizes) < cells else sizes.min()),
            most=int(sizes.max()),
        )
    cut = int((done["limits_hit"].str.strip("[] ") != "").sum())
    if cut:
        yield _alarm(
            "limits_hit",
            "medium",
            f"{plural(cut, 'completed run')} of {len(done)} ran into a limit of the plan (answers cut "
            "short): "
            "quality, tokens and latency are those of cut answers.",
            runs=cut,
        )
    repeated = int(runs.table.duplicated(["subject", "item", "iteration", "attempt"]).sum())
    if repeated:
        yield _alarm(
            "duplicate_rows",
            "medium",
            f"{plural(repeated, 'row')} repeat the framework, item, iteration and attempt of an earlier one.",
            rows=repeated,
        )
    if runs.unreadable:
        words = ", ".join(f"{column} ({count})" for column, count in runs.unreadable.items())
        yield _alarm(
            "unreadable_values",
            "medium",
            f"Cells that hold no finite number were read as missing: {words}.",
            cells=dict(runs.unreadable),
        )
