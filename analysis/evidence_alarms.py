"""Where the data is less evidence than it looks: copies counted as runs, no noise floor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from analysis.alarm import alarm
from analysis.compare import compared_runs
from analysis.name_columns import has_report
from analysis.read_runs import Runs
from analysis.result import Alarm, Replication
from analysis.significance_result import Metric, Omnibus
from analysis.wire_result import NoiseFloor
from analysis.wording import p_text, plural


def replication_alarms(
    runs: Runs, replication: Replication, omnibus: Mapping[Metric, Omnibus]
) -> Iterator[Alarm]:
    distinct, completed = replication.distinct_outputs, replication.completed
    known = int(has_report(runs.completed).sum())
    # Frameworks that get the same messages may well write the same text: only a framework's own copies count.
    if distinct is None or sum(replication.distinct_by_framework.values()) >= known:
        return
    quality = omnibus["quality"]
    by_run, by_item = quality.kruskal_wallis.p, quality.kruskal_wallis_item_means.p
    yield alarm(
        "pseudo_replication",
        "high",
        f"{completed} completed runs hold only {plural(distinct, 'distinct report')}: the repeats are "
        f"copies, so n is about {replication.effective_n:.0f} per framework. Tests that count every run "
        f"as new evidence say too much.{_other_p(by_run, by_item, quality.friedman.p)}",
        rows=completed,
        distinct_outputs=distinct,
        effective_n=replication.effective_n,
        quality_p_all_runs=by_run,
        quality_p_item_means=by_item,
        quality_p_friedman=quality.friedman.p,
    )


def _other_p(by_run: float | None, by_item: float | None, blocked: float | None) -> str:
    if by_run is None or by_item is None:
        return ""
    friedman = "" if blocked is None else f", item by item (Friedman) {p_text(blocked)}"
    return f" On quality {p_text(by_run)} over all runs; over one mean per item {p_text(by_item)}{friedman}."


def noise_floor_alarms(runs: Runs, floor: NoiseFloor) -> Iterator[Alarm]:
    """A table from elsewhere cannot be blamed for what no plan of ours asked for."""
    subjects = compared_runs(runs)["subject"].nunique()
    if runs.manifest.levelfield and subjects > 1 and not floor.pairs:
        yield alarm(
            "noise_floor_missing",
            "medium",
            "No framework ran against itself, so nobody can say which differences are noise. Name one in the "
            "plan's key aa.",
            compared=subjects,
        )
