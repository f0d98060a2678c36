"""One look of a plan's stopping rule: is every pair of frameworks decided?"""

from __future__ import annotations

from math import comb
from pathlib import Path

from analysis.estimates.measure import measure_estimates
from analysis.estimates.result import PairEstimate
from analysis.noise_floor import measure_noise
from analysis.read_runs import read_runs
from shared.stopping import DecidedPair, Stopping


def decided_pairs(source: Path, rule: Stopping) -> list[DecidedPair] | None:
    """Every pair of every arm on the rule's metric; None while one is open, or where there is no pair.

    `source` is the experiment's folder: its manifest states the rule, so p values are those of its report,
    and so is the test that decides.
    """
    runs = read_runs(source)
    estimates = measure_estimates(runs, measure_noise(runs)).get(rule.metric)
    if estimates is None or not estimates.pairs:
        return None
    competing = runs.table.loc[
        ~runs.table["role"].isin(["dry", "twin"]), ["arm", "subject"]
    ].drop_duplicates()
    per_arm = competing.groupby("arm", observed=True).size()
    if len(estimates.pairs) < sum(comb(int(count), 2) for count in per_arm):
        return None  # of one without a complete run, or without an item in common, nothing is decided
    ranked = {family.arm for family in estimates.families if family.decided_by == "wilcoxon"}
    decided = [_decided(pair, by_ranks=pair.arm in ranked) for pair in estimates.pairs]
    known = [pair for pair in decided if pair]
    return known if len(known) == len(decided) else None


def _decided(pair: PairEstimate, *, by_ranks: bool) -> DecidedPair | None:
    if pair.shown:
        p = pair.p_wilcoxon_holm if by_ranks else pair.p_t_holm
        return DecidedPair(a=pair.a, b=pair.b, arm=pair.arm, found="different", p=p or 0.0)
    if pair.equal_shown:
        return DecidedPair(a=pair.a, b=pair.b, arm=pair.arm, found="equal", p=pair.p_equivalence_holm or 0.0)
    return None
