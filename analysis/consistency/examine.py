"""Runs -> how consistent each framework is: the order in which the parts are worked out."""

from __future__ import annotations

from analysis.consistency.acceptance import MOST, criteria
from analysis.consistency.outcomes import measure_outcomes
from analysis.consistency.outputs import measure_outputs
from analysis.consistency.result import StatedCriterion, SubjectConsistency, Variations
from analysis.consistency.variation import measure_variations
from analysis.read_runs import Runs


def state_criteria(runs: Runs) -> list[StatedCriterion]:
    return [
        StatedCriterion(
            column=criterion.column,
            kind="most" if criterion.column in MOST else "least",
            bound=criterion.bound,
            known=criterion.known,
        )
        for criterion in criteria(runs)
    ]


def examine_consistency(runs: Runs) -> dict[str, SubjectConsistency]:
    """By subject: every one that a model answers and that has a trial.

    No judge's score enters, unless a criterion is stated on it.
    """
    outputs = measure_outputs(runs)
    latency, tokens = (measure_variations(runs, column) for column in ("latency_s", "total_tokens"))
    return {
        subject: SubjectConsistency(
            **outcome,
            **outputs.get(subject, {}),
            latency=latency.get(subject, Variations()),
            tokens=tokens.get(subject, Variations()),
        )
        for subject, outcome in sorted(measure_outcomes(runs).items())
    }
