"""Figures per inference node, from a table of runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.machine_tables import nodes_table
from analysis.result import Analysis
from tests.unit.analysis_rows import ITEMS, analyse_rows, clean_rows, other_alarms


def analysed(folder: Path, slower: float, nodes: int = 2) -> Analysis:
    """Blocks go round the nodes; all but the first take `slower` times as long to decode."""
    rows: list[dict[str, Any]] = clean_rows()
    for row in rows:
        number = (ITEMS.index(row["item"]) + row["iteration"]) % nodes
        row["node"] = f"machine/{number}"
        if number:
            row["decode_s"] *= slower
    return analyse_rows(folder, rows)


def test_each_node_has_its_own_means(tmp_path: Path) -> None:
    """Blocks, runs and rates are counted by node, and the report has a row for each."""
    analysis = analysed(tmp_path, 1.4)
    first, second = analysis.nodes.nodes["machine/0"], analysis.nodes.nodes["machine/1"]
    assert (first.blocks, first.runs) == (second.blocks, second.runs) == (6, 24)
    assert (first.tokens_per_s, second.tokens_per_s) == (pytest.approx(25), pytest.approx(25 / 1.4))
    table = nodes_table(analysis)
    assert table
    assert [row[0].text for row in table.rows] == ["machine/0", "machine/1"]
    assert "fastest node over slowest: 1.40" in table.note


def test_a_small_difference_is_shown_and_raises_nothing(tmp_path: Path) -> None:
    """A tenth is in the table and no alarm; equal nodes have a ratio of one."""
    small = analysed(tmp_path, 1.1)
    assert small.nodes.ratio == pytest.approx(1.1)
    assert other_alarms(small) == []
    assert analysed(tmp_path, 1.0).nodes.ratio == pytest.approx(1)


def test_one_node_is_no_comparison(tmp_path: Path) -> None:
    """With a single node there is nothing to tell apart, and no table."""
    alone = analysed(tmp_path, 1.0, nodes=1)
    assert (list(alone.nodes.nodes), alone.nodes.ratio) == (["machine/0"], None)
    assert nodes_table(alone) is None
