"""Runs -> Analysis: the order in which the parts are worked out."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.alarms import raise_alarms
from analysis.audit import audit_judges
from analysis.compare import compare_frameworks, compare_pairs
from analysis.consistency.acceptance import accepted
from analysis.consistency.examine import examine_consistency, state_criteria
from analysis.cost.measure import measure_cost, measure_spending
from analysis.cost.prices import read_prices
from analysis.cost.result import Price
from analysis.describe import (
    describe_cells,
    describe_frameworks,
    list_failures,
    present_criteria,
    rank_frameworks,
    run_columns,
)
from analysis.differences import measure_differences
from analysis.drift import measure_drift
from analysis.estimates.measure import measure_estimates
from analysis.fairness.result import Fairness
from analysis.findings import Findings
from analysis.guide.examine import make_guide
from analysis.judge_noise import measure_judge
from analysis.meters import audit_meters
from analysis.mixed.model import fit_models
from analysis.name_columns import count_names
from analysis.node_effect import measure_nodes
from analysis.noise_floor import measure_noise
from analysis.panel.examine import examine_panel
from analysis.panel.read_verdicts import read_verdicts
from analysis.people import measure_people
from analysis.planning.sizes import plan_sizes
from analysis.quarantine import list_quarantined
from analysis.read_runs import Runs
from analysis.replication import measure_replication
from analysis.report_texts import examine_texts
from analysis.result import Analysis, Setup
from analysis.score.measure import measure_score
from analysis.sentences import summarise
from analysis.variance.budget import measure_budgets
from analysis.what_if.examine import examine_what_if


def analyse(
    runs: Runs, fairness: Fairness | None = None, prices: Mapping[str, Price] | None = None
) -> Analysis:
    """`prices`: None for our own table of them."""
    prices = prices or read_prices()
    good = accepted(runs)
    frameworks = describe_frameworks(runs)
    omnibus = compare_frameworks(runs)
    floor = measure_noise(runs)
    pairs = compare_pairs(runs, floor)
    differences = measure_differences(runs, floor)
    estimates = measure_estimates(runs, floor)
    replication = measure_replication(runs)
    verdicts = read_verdicts(runs)
    judge = measure_judge(verdicts.own_of(verdicts.main), verdicts.criteria)
    panel = examine_panel(verdicts, runs.manifest.setting("llm_model"))
    drift = measure_drift(runs)
    nodes = measure_nodes(runs, drift)
    meters = audit_meters(runs)
    quarantined = list_quarantined(runs)
    judges = audit_judges(runs.stored.audits)
    people = measure_people(runs)
    score = measure_score(runs)
    alarms = raise_alarms(
        runs,
        replication,
        judge,
        omnibus,
        floor=floor,
        drift=drift,
        nodes=nodes,
        meters=meters,
        quarantined=quarantined,
        fairness=fairness,
        judges=judges,
        panel=panel,
        people=people,
        score=score,
    )
    items = sorted(str(item) for item in runs.table["item"].unique())
    iterations = (
        int(runs.table.groupby(["subject", "item"])["iteration"].nunique().max()) if len(runs.table) else 0
    )
    setup = _setup(runs)
    findings = Findings(
        frameworks=frameworks,
        items=items,
        iterations=iterations,
        omnibus=omnibus,
        pairs=pairs,
        replication=replication,
        alarms=alarms,
        setup=setup,
        floor=floor,
        differences=differences,
        estimates=estimates,
        panel=panel,
    )
    return Analysis(
        setup=setup,
        summary=summarise(findings),
        items=items,
        iterations=iterations,
        criteria=present_criteria(runs),
        statuses=count_names(runs.table["status"]),
        frameworks=frameworks,
        ranking=rank_frameworks(frameworks, pairs),
        omnibus=omnibus,
        pairs=pairs,
        cells=describe_cells(runs),
        replication=replication,
        judge=judge,
        alarms=alarms,
        failures=list_failures(runs),
        runs=run_columns(runs),
        fairness=fairness,
        differences=differences,
        noise_floor=floor,
        meters=meters,
        drift=drift,
        nodes=nodes,
        quarantined=quarantined,
        texts=examine_texts(runs),
        judges=judges,
        panel=panel,
        people=people,
        acceptance=state_criteria(runs),
        consistency=examine_consistency(runs),
        prices=dict(prices),
        spending=measure_spending(runs, good),
        cost=measure_cost(runs, prices, good),
        what_if=examine_what_if(runs),
        guide=make_guide(runs),
        mixed=fit_models(runs, verdicts),
        budgets=measure_budgets(runs, panel.budget if panel else None),
        planning=plan_sizes(runs, verdicts),
        estimates=estimates,
        score=score,
    )


def _setup(runs: Runs) -> Setup:
    return Setup(
        experiment=runs.experiment,
        created_at=runs.manifest.created_at,
        facts=runs.manifest.sections,
        versions=runs.manifest.versions,
        notes=[*runs.manifest.notes, *([runs.stored.problem] if runs.stored.problem else [])],
        planned_runs=runs.manifest.planned_runs,
        warmups=runs.stored.warmups,
    )
