"""What in the data should be distrusted: each alarm carries its figures and is silent on clean data."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.audit_alarms import audit_alarms
from analysis.audit_result import Audit
from analysis.data_alarms import data_alarms
from analysis.evidence_alarms import noise_floor_alarms, replication_alarms
from analysis.fairness.result import Fairness
from analysis.fairness_alarms import fairness_alarms
from analysis.interference_alarms import interference_alarms
from analysis.judge_alarms import judge_alarms
from analysis.machine_alarms import machine_alarms
from analysis.meter_alarms import meter_alarms
from analysis.node_effect import node_alarms
from analysis.order_alarms import order_alarms
from analysis.panel.alarms import panel_alarms
from analysis.panel.noise_result import JudgeNoise
from analysis.panel.result import Panel
from analysis.people_alarms import people_alarms
from analysis.people_result import People
from analysis.read_runs import Runs
from analysis.result import Alarm, Replication
from analysis.score.alarms import score_alarms
from analysis.score.result import TaskScore
from analysis.significance_result import Metric, Omnibus
from analysis.wire_result import Drift, Meters, NodeEffect, NoiseFloor, QuarantinedRun


def raise_alarms(
    runs: Runs,
    replication: Replication,
    judge: JudgeNoise,
    omnibus: Mapping[Metric, Omnibus],
    *,
    floor: NoiseFloor,
    drift: Drift,
    nodes: NodeEffect,
    meters: Mapping[str, Meters],
    quarantined: list[QuarantinedRun],
    fairness: Fairness | None = None,
    judges: Mapping[str, Audit] | None = None,
    panel: Panel | None = None,
    people: People | None = None,
    score: TaskScore | None = None,
) -> list[Alarm]:
    found = [
        *fairness_alarms(fairness),
        *data_alarms(runs),
        *replication_alarms(runs, replication, omnibus),
        *noise_floor_alarms(runs, floor),
        *judge_alarms(runs, judge),
        *audit_alarms(judges or {}),
        *panel_alarms(panel),
        *people_alarms(people),
        *score_alarms(runs, score),
        *machine_alarms(runs, drift),
        *order_alarms(runs),
        *node_alarms(nodes),
        *interference_alarms(runs, quarantined),
        *meter_alarms(runs, meters),
    ]
    return sorted(found, key=lambda alarm: ("high", "medium", "low").index(alarm.severity))
