"""Runs -> paired estimates of each metric, arm by arm."""

from __future__ import annotations

from analysis.compare import compared_runs
from analysis.estimates.family import compare_family
from analysis.estimates.margins import margin_of
from analysis.estimates.result import MetricEstimates
from analysis.noise_floor import COLUMNS, item_means
from analysis.read_runs import Runs
from analysis.subjects import arms_of
from analysis.wire_result import DifferenceMetric, NoiseFloor


def measure_estimates(runs: Runs, floor: NoiseFloor) -> dict[DifferenceMetric, MetricEstimates]:
    """By metric; one that no two subjects of an arm have on a common item has no families."""
    done = compared_runs(runs)
    found = {metric: MetricEstimates(metric=metric) for metric in COLUMNS}
    for arm in arms_of(done["arm"].unique()):
        rows = done[done["arm"] == arm]
        means = {metric: item_means(rows, column) for metric, column in COLUMNS.items()}
        medians = {metric: float(table.mean().median()) for metric, table in means.items() if table.size}
        without = sorted(rows.loc[rows["role"] == "floor", "subject"].unique())
        for metric, table in means.items():
            compared = compare_family(
                metric,
                arm or None,
                table,
                margin=margin_of(metric, medians),
                noise=floor.metrics.get(metric),
                floor=str(without[0]) if without else None,
                looks=runs.manifest.looks,
            )
            if compared:
                found[metric].families.append(compared.family)
                found[metric].pairs.extend(compared.pairs)
                found[metric].groups.extend(compared.groups)
                found[metric].best.update(compared.best)
    return found
