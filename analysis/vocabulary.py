"""What the sections of the page are made with: each name is the one that the templates use."""

from __future__ import annotations

from typing import Any

from analysis import (
    audit_tables,
    latency_tables,
    machine_tables,
    people_sentences,
    people_tables,
    run_tables,
    tables,
    texts_tables,
)
from analysis.alarm_titles import ALARM_TITLES
from analysis.audit_verdict import sentence_on
from analysis.consistency import sentences as consistency_sentences
from analysis.consistency import tables as consistency_tables
from analysis.cost import tables as cost_tables
from analysis.drift import SHORTEST_S
from analysis.estimates import pair_tables
from analysis.estimates import tables as estimate_tables
from analysis.fairness import view as fairness_view
from analysis.guide import tables as guide_tables
from analysis.mean_interval import FEWEST_ITEMS
from analysis.meter_tables import meters_table
from analysis.mixed import tables as mixed_tables
from analysis.panel import sentences as panel_sentences
from analysis.panel import tables as panel_tables
from analysis.planning import tables as planning_tables
from analysis.score import tables as score_tables
from analysis.variance import tables as variance_tables
from analysis.what_if import tables as what_if_tables
from analysis.what_if.view import what_if_data

VOCABULARY: dict[str, Any] = {
    "alarm_titles": ALARM_TITLES,
    "audit_tables": audit_tables,
    "consistency_sentences": consistency_sentences,
    "consistency_tables": consistency_tables,
    "cost_tables": cost_tables,
    "estimate_tables": estimate_tables,
    "fairness_view": fairness_view,
    "fewest_items": FEWEST_ITEMS,
    "guide_tables": guide_tables,
    "latency_tables": latency_tables,
    "machine_tables": machine_tables,
    "meters_table": meters_table,
    "mixed_tables": mixed_tables,
    "panel_sentences": panel_sentences,
    "panel_tables": panel_tables,
    "pair_tables": pair_tables,
    "people_sentences": people_sentences,
    "people_tables": people_tables,
    "planning_tables": planning_tables,
    "run_tables": run_tables,
    "score_tables": score_tables,
    "sentence_on": sentence_on,
    "shortest_ms": round(SHORTEST_S * 1000),
    "tables": tables,
    "texts_tables": texts_tables,
    "variance_tables": variance_tables,
    "what_if_data": what_if_data,
    "what_if_tables": what_if_tables,
}
