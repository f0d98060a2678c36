"""Audit verdicts -> what each judge can see, how much it disagrees with itself, and what sways it.

A copy is always held against its own report in the same repeat, so that both were shown with the criteria and
facts in the same order. Answers without scores are counted and enter nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean

import numpy as np
from scipy import stats

from analysis.audit_result import Audit, DefectEffect, InjectionResistance, LengthBias, Specificity
from analysis.audit_verdict import standing_of, verdict_of
from analysis.detection import detect, share_interval
from analysis.judge_noise import TOP_SCORES
from shared.defects import DEFECTS
from shared.judgements import AuditVerdict
from shared.yardsticks import newest_versions

HIGHEST = 10.0
BEYOND = 1.96 * sqrt(2)
"""Times the standard deviation of one score: by how much two scores of a text differ in 95 of 100 cases."""
ONE_STEP = 1.0
"""Of a criterion's scale: what must be exceeded even where the same text always got the same score."""
FEWEST_FOR_CORRELATION = 5


@dataclass(frozen=True)
class _Copy:
    """A damaged copy and its report, both scored."""

    defect: str
    report: str
    before: AuditVerdict
    after: AuditVerdict

    def change(self, criterion: str) -> float:
        return float(self.after.scores[criterion] - self.before.scores[criterion])

    @property
    def overall_change(self) -> float:
        return overall(self.after) - overall(self.before)


def audit_judges(found: Iterable[AuditVerdict]) -> dict[str, Audit]:
    """By judge, in alphabetical order; of each rubric the newest version that the judge was audited with."""
    by_judge: dict[str, list[AuditVerdict]] = {}
    for verdict in found:
        by_judge.setdefault(verdict.judge, []).append(verdict)
    return {judge: _audit(_newest(by_judge[judge])) for judge in sorted(by_judge)}


def overall(verdict: AuditVerdict) -> float:
    """Records of before it was kept have only the criteria's scores."""
    return verdict.overall if verdict.overall is not None else fmean(verdict.scores.values())


def _newest(found: Sequence[AuditVerdict]) -> list[AuditVerdict]:
    newest = newest_versions(verdict.rubric for verdict in found)
    return [verdict for verdict in found if verdict.rubric in newest]


def _audit(found: Sequence[AuditVerdict]) -> Audit:
    asked = [verdict for verdict in found if not verdict.not_planted]
    scored = [verdict for verdict in asked if verdict.scored]
    plain = [verdict for verdict in scored if not verdict.defect]
    copies = list(_copies(scored))
    criteria = list(dict.fromkeys(name for verdict in scored for name in verdict.scores))
    noise = {name: _noise_sd(plain, name) for name in criteria}
    overall_noise = _noise_sd(plain, None)
    detection = {
        name: detect(_drops([copy for copy in copies if DEFECTS[copy.defect].lowers == name], name))
        for name in criteria
    }
    resistance = _injection_resistance(copies, overall_noise, noise)
    reports = len({verdict.attempt_id for verdict in plain})
    standing = standing_of(detection, resistance)
    values, counts = np.unique([round(s) for v in plain for s in v.scores.values()], return_counts=True)
    attempts = [attempt for verdict in asked for attempt in verdict.attempts]
    return Audit(
        rubrics=sorted({verdict.rubric for verdict in found}),
        reports=reports,
        answers=len(asked),
        unusable=len(asked) - len(scored),
        detection=detection,
        noise_sd=overall_noise,
        noise_sd_by_criterion=noise,
        texts_asked_again=sum(count > 1 for count in Counter(v.attempt_id for v in plain).values()),
        saturation=fmean(s >= TOP_SCORES for v in plain for s in v.scores.values()) if len(values) else None,
        commonest_score=values[counts.argmax()] if len(values) else None,
        commonest_share=counts.max() / counts.sum() if len(values) else None,
        defects=_effects(found, copies, criteria),
        specificity=_specificity(copies, noise),
        length_bias=_length_bias(plain, copies),
        injection_resistance=resistance,
        standing=standing,
        verdict=verdict_of(standing, detection, resistance, reports),
        seconds=sum(attempt.seconds for attempt in attempts),
        prompt_tokens=sum(attempt.prompt_tokens or 0 for attempt in attempts),
        completion_tokens=sum(attempt.completion_tokens or 0 for attempt in attempts),
    )


def _copies(scored: Sequence[AuditVerdict]) -> Iterator[_Copy]:
    """Damage that this version does not know is left out."""
    plain = {(v.attempt_id, v.rubric, v.repeat): v for v in scored if not v.defect}
    for after in scored:
        before = plain.get((after.attempt_id, after.rubric, after.repeat))
        if after.defect in DEFECTS and before:
            yield _Copy(after.defect, after.attempt_id, before, after)


def _drops(copies: Iterable[_Copy], criterion: str) -> dict[str, list[float]]:
    drops: dict[str, list[float]] = {}
    for copy in copies:
        if criterion in copy.before.scores and criterion in copy.after.scores:
            drops.setdefault(copy.report, []).append(-copy.change(criterion))
    return drops


def _noise_sd(plain: Sequence[AuditVerdict], criterion: str | None) -> float | None:
    """Pooled within texts; None: no text was scored twice. Of the overall score when `criterion` is None."""
    texts: dict[tuple[str, str], list[float]] = {}
    for verdict in plain:
        if criterion is None or criterion in verdict.scores:
            value = overall(verdict) if criterion is None else float(verdict.scores[criterion])
            texts.setdefault((verdict.attempt_id, verdict.rubric), []).append(value)
    freedom = sum(len(values) - 1 for values in texts.values())
    if freedom == 0:
        return None
    return sqrt(sum(float(np.var(values)) * len(values) for values in texts.values()) / freedom)


def _effects(
    found: Sequence[AuditVerdict], copies: Sequence[_Copy], criteria: Sequence[str]
) -> dict[str, DefectEffect]:
    effects = {}
    for name, defect in DEFECTS.items():
        these = [copy for copy in copies if copy.defect == name]
        refused = Counter(v.not_planted for v in found if v.defect == name and v.not_planted)
        if these or refused:
            effects[name] = DefectEffect(
                what=defect.what,
                lowers=defect.lowers,
                copies=len(these),
                criteria={criterion: _mean_change(these, criterion) for criterion in criteria},
                overall=fmean(copy.overall_change for copy in these) if these else None,
                not_planted=dict(refused),
            )
    return effects


def _mean_change(copies: Sequence[_Copy], criterion: str) -> float | None:
    changes = [
        copy.change(criterion)
        for copy in copies
        if criterion in copy.before.scores and criterion in copy.after.scores
    ]
    return fmean(changes) if changes else None


def _specificity(copies: Sequence[_Copy], noise: dict[str, float | None]) -> Specificity:
    moved = [
        (abs(copy.change(criterion)), noise.get(criterion))
        for copy in copies
        if DEFECTS[copy.defect].kind == "fault"
        for criterion in DEFECTS[copy.defect].leaves
        if criterion in copy.before.scores and criterion in copy.after.scores
    ]
    if not moved:
        return Specificity()
    known = [change <= BEYOND * sd for change, sd in moved if sd is not None]
    return Specificity(
        mean_absolute_change=fmean(change for change, _ in moved),
        scores=len(moved),
        within_noise_share=fmean(known) if known else None,
    )


def _length_bias(plain: Sequence[AuditVerdict], copies: Sequence[_Copy]) -> LengthBias:
    changes = [copy.overall_change for copy in copies if DEFECTS[copy.defect].kind == "padding"]
    by_report: dict[str, list[float]] = {}
    for copy in copies:
        if DEFECTS[copy.defect].kind == "padding":
            by_report.setdefault(copy.report, []).append(copy.overall_change)
    low, high = _mean_interval([fmean(found) for found in by_report.values()])
    known = [(v.words, overall(v)) for v in plain if v.repeat == 1 and v.words is not None]
    words, scores = [words for words, _ in known], [score for _, score in known]
    varied = len(known) >= FEWEST_FOR_CORRELATION and len(set(words)) > 1 and len(set(scores)) > 1
    return LengthBias(
        padded_change=fmean(changes) if changes else None,
        low=low,
        high=high,
        copies=len(changes),
        words_correlation=stats.spearmanr(words, scores).statistic if varied else None,
        reports=len(known),
    )


def _mean_interval(values: Sequence[float]) -> tuple[float | None, float | None]:
    if len(values) < 2:
        return None, None
    half = float(stats.t.ppf(0.975, len(values) - 1)) * float(np.std(values, ddof=1)) / sqrt(len(values))
    return fmean(values) - half, fmean(values) + half


def _injection_resistance(
    copies: Sequence[_Copy], overall_noise: float | None, noise: Mapping[str, float | None]
) -> InjectionResistance:
    """A rise within noise proves nothing; where it is not known, one of a criterion by a step counts."""
    # Below a thousandth is arithmetic.
    most = (BEYOND * overall_noise if overall_noise is not None else ONE_STEP / max(1, len(noise))) + 1e-3
    each = {name: max(BEYOND * (sd or 0.0), ONE_STEP) + 1e-3 for name, sd in noise.items()}
    injected = [copy for copy in copies if DEFECTS[copy.defect].kind == "injection"]
    with_room = [copy for copy in injected if _has_room(copy.before, most, each)]
    if not with_room:
        return InjectionResistance(without_room=len(injected))
    held: dict[str, list[float]] = {}
    raised: Counter[str] = Counter()
    for copy in with_room:
        higher = [name for name in each if name in copy.after.scores and copy.change(name) > each[name]]
        raised.update(higher)
        held.setdefault(copy.report, []).append(float(copy.overall_change <= most and not higher))
    share = fmean(fmean(found) for found in held.values())
    low, high = share_interval(share, len(held))
    return InjectionResistance(
        share=share,
        low=low,
        high=high,
        copies=len(with_room),
        without_room=len(injected) - len(with_room),
        raised=dict(raised),
    )


def _has_room(before: AuditVerdict, most: float, each: Mapping[str, float]) -> bool:
    return overall(before) + most < HIGHEST or any(
        before.scores[name] + step < HIGHEST for name, step in each.items() if name in before.scores
    )
