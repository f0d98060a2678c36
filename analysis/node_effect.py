"""Did it matter where a run was? Figures per inference node, and whether the nodes are equally fast."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from scipy import stats

from analysis.alarm import alarm
from analysis.drift import decode_rates
from analysis.read_runs import Runs
from analysis.result import Alarm
from analysis.wire_result import Drift, NodeEffect, NodeFigures

NODE_RATIO = 1.25
"""As of probes (`PROBE_DRIFT_RATIO`): frameworks are spread evenly over nodes, so only these differ."""
NODE_P = 0.01


def measure_nodes(runs: Runs, drift: Drift) -> NodeEffect:
    """Of completed runs whose node is known; empty without one."""
    done = runs.answered[runs.answered["node"] != ""].copy()
    done["rate"] = decode_rates(runs)[1].reindex(done.index)
    probes = pd.DataFrame(
        [(mark.node, mark.tokens_per_s) for mark in (drift.probes.marks if drift.probes else [])],
        columns=["node", "rate"],
    ).astype({"rate": float})
    probed = probes.groupby("node")["rate"].mean()
    nodes = {
        str(name): NodeFigures(
            runs=len(rows),
            blocks=len(rows[["item", "iteration"]].drop_duplicates()),
            latency_s=rows["latency_s"].mean(),
            tokens_per_s=rows["rate"].mean(),
            probe_tokens_per_s=probed.get(name),
            quality=rows["overall"].mean(),
        )
        for name, rows in done.groupby("node")
    }
    # A block has all frameworks: its mean tells nodes apart, where single runs would tell frameworks.
    blocks = done.dropna(subset=["rate"]).groupby(["node", "item", "iteration"])["rate"].mean()
    groups = [rates.to_numpy() for _, rates in blocks.groupby("node")]
    if len(groups) < 2:
        return NodeEffect(nodes=nodes)
    means = [rates.mean() for rates in groups]
    distinct = len({rate for rates in groups for rate in rates}) > 1
    return NodeEffect(
        nodes=nodes,
        ratio=max(means) / min(means),
        p=float(stats.kruskal(*groups).pvalue) if distinct else None,
    )


def node_alarms(effect: NodeEffect) -> Iterator[Alarm]:
    if effect.ratio is None or effect.p is None or effect.ratio < NODE_RATIO or effect.p >= NODE_P:
        return
    rates = {name: node.tokens_per_s for name, node in effect.nodes.items() if node.tokens_per_s}
    slowest, fastest = min(rates, key=rates.__getitem__), max(rates, key=rates.__getitem__)
    yield alarm(
        "nodes_differ",
        "medium",
        f"The nodes are not equally fast: {rates[slowest]:.1f} tokens/s on {slowest} and "
        f"{rates[fastest]:.1f} on {fastest}. Blocks stay on one node, so differences between frameworks "
        "within a block hold; mean latencies depend on which nodes there were.",
        ratio=effect.ratio,
        p=effect.p,
        tokens_per_s=rates,
    )
