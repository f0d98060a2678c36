"""What people's ratings tell: the order in which it is worked out."""

from __future__ import annotations

from statistics import fmean

import pandas as pd

from analysis.calibration import calibrate
from analysis.corrected_quality import compare_corrected, correct, plainly_chosen, score_reports
from analysis.people_records import Opinions, read_opinions
from analysis.people_result import OVERALL, JudgeAgainstPeople, People, Scope
from analysis.preferred import agree_on_pairs, count_preferences
from analysis.rater_agreement import Consensus, agree, among_raters, describe_raters
from analysis.rating_plan import plan_ratings
from analysis.read_runs import Runs
from shared.errors import LevelfieldError


def measure_people(runs: Runs) -> People | None:
    """None where nobody rated anything, and for a plain table of runs."""
    if runs.stored.store is None:
        return None
    try:
        opinions = read_opinions(runs, runs.stored.store)
    except LevelfieldError as error:
        return _nothing(f"The ratings could not be read, so nothing is said of them ({error})")
    return None if opinions is None else tell(opinions)


def tell(opinions: Opinions) -> People:
    consensus = agree(opinions)
    return People(
        ratings=len(opinions.ratings),
        ignored=opinions.ignored,
        reports_rated=int(opinions.ratings["report"].nunique()),
        criteria=opinions.criteria,
        raters=describe_raters(opinions),
        agreement=among_raters(opinions, consensus) if len(opinions.ratings) else {},
        treatment=consensus.treatment,
        treatment_reason=consensus.reason,
        judges={
            str(judge): _judge(opinions, consensus, rows.set_index("report"))
            for judge, rows in opinions.verdicts.groupby("judge", sort=True)
            if len(consensus.scores.index.intersection(rows["report"].tolist()))
        },
        preferences=count_preferences(opinions.preferences, opinions.subjects),
        comparisons={
            judge: found
            for judge, compared in sorted(opinions.comparisons.items())
            if (found := agree_on_pairs(compared, opinions.preferences)).pairs
        },
    )


def _judge(opinions: Opinions, consensus: Consensus, scores: pd.DataFrame) -> JudgeAgainstPeople:
    people = consensus.scores
    by_subject, scope = score_reports(opinions.reports, scores[OVERALL], people[OVERALL])
    clusters = _clusters(opinions, scope)
    corrected = {subject: correct(scored) for subject, scored in by_subject.items()}
    twins = set(opinions.reports.loc[opinions.reports["twin"], "subject"])
    frameworks = {subject: figures for subject, (figures, _) in corrected.items()}
    differences = compare_corrected(
        {subject: mean for subject, (_, mean) in corrected.items() if mean and subject not in twins},
        frameworks,
    )
    widths = [width for found in differences if (width := found.tuned.half_width) is not None]
    plan = plan_ratings(
        _pairs(opinions, consensus, scores),
        consensus.noise_variance[OVERALL],
        fmean(widths) if widths else None,
    )
    return JudgeAgainstPeople(
        scope=scope,
        criteria={
            name: calibrate(scores[name], people[name], clusters)
            for name in (*opinions.criteria, OVERALL)
            if name in scores and name in people
        },
        frameworks=frameworks,
        differences=differences,
        plan=None if isinstance(plan, str) else plan,
        plan_reason=plan if isinstance(plan, str) else None,
        chosen=plainly_chosen(opinions.reports, scores[OVERALL], people[OVERALL]),
    )


def _clusters(opinions: Opinions, scope: Scope) -> pd.Series:
    """By report."""
    items = opinions.reports.drop_duplicates("report").set_index("report")["item"]
    return items if scope == "items" else pd.Series(items.index, index=items.index)


def _pairs(opinions: Opinions, consensus: Consensus, scores: pd.DataFrame) -> pd.DataFrame:
    """Competing frameworks' reports with the judge's and people's overall scores."""
    reports = opinions.reports[~opinions.reports["twin"]]
    return reports.assign(
        judge=reports["report"].map(scores[OVERALL]).astype(float),
        people=reports["report"].map(consensus.scores[OVERALL]).astype(float),
        raters=reports["report"].map(consensus.scores["raters"]).astype(float),
    )


def _nothing(problem: str) -> People:
    return People(
        ratings=0,
        ignored={},
        reports_rated=0,
        criteria=[],
        raters={},
        agreement={},
        treatment="mean",
        treatment_reason="",
        judges={},
        preferences={},
        comparisons={},
        problem=problem,
    )
