"""What a person writes for the same tables and figures: pandas, scipy and plotly, from top to bottom.

Nothing of Levelfield's is used. `python -m benchmarks.plain_report FOLDER OUT.html` reads runs.csv, or with
--records the records themselves, and writes one HTML file that opens without a network.
"""

from __future__ import annotations

import argparse
import html
import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.express as px
import plotly.graph_objects as go
from scipy import stats

CRITERIA = ["completeness", "accuracy", "structure", "insight", "readability"]
STAGES = ["queue_s", "prefill_s", "decode_s", "tool_s", "gateway_s", "framework_s"]
MEANS = ["overall", *CRITERIA, "latency_s", "prompt_tokens", "completion_tokens", "total_tokens"]
MOST_POINTS = 2000


def read(folder: Path, records: bool) -> pd.DataFrame:
    runs = read_records(folder) if records else pd.read_csv(folder / "runs.csv")
    several = len(runs["arm"].unique()) > 1
    runs["name"] = runs["framework"] + " [" + runs["arm"] + "]" if several else runs["framework"]
    return runs


def read_records(folder: Path) -> pd.DataFrame:
    verdicts = {}
    for path in folder.glob("verdicts/*/*.json"):
        body = json.loads(path.read_text())["body"]
        verdicts[body["attempt_id"]] = {**body["scores"], "overall": body["overall"]}
    rows = []
    for path in folder.glob("runs/*/attempt-*.json"):
        body = json.loads(path.read_text())["body"]
        row = {name: value for name, value in body.items() if not isinstance(value, dict | list)}
        row |= body["key"] | (body.get("parts") or {}) | verdicts.get(body["attempt_id"], {})
        row["total_tokens"] = body["prompt_tokens"] + body["completion_tokens"]
        row["report_digest"] = str(hash(body["text"]))
        rows.append(row)
    return pd.DataFrame(rows)


def tables(runs: pd.DataFrame, done: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    means = [column for column in MEANS if column in done]
    by_name = done.groupby("name")
    found = [
        ("Means", by_name[means].mean()),
        ("Distribution of scores", by_name["overall"].describe()),
        ("Latency", by_name["latency_s"].describe()),
        ("Latency by stage", by_name[[stage for stage in STAGES if stage in done]].mean()),
        ("Tokens", by_name["total_tokens"].describe()),
        ("Score per item", done.pivot_table(index="name", columns="item", values="overall")),
        ("How the runs ended", pd.crosstab(runs["name"], runs["status"])),
        ("Distinct reports", done.groupby(["name", "item"])[["report_digest"]].nunique()),
        (
            "Runs that failed",
            runs.loc[runs["status"] != "completed", ["name", "item", "iteration", "error"]].head(500),
        ),
        ("Runs", done[["name", "item", "iteration", "overall", "latency_s", "total_tokens"]].head(500)),
    ]
    for metric in ("overall", "latency_s"):
        found += [(f"Tests of {metric}", omnibus(done, metric)), (f"Pairs, {metric}", pairs(done, metric))]
    return found


def omnibus(done: pd.DataFrame, metric: str) -> pd.DataFrame:
    known = done.dropna(subset=[metric])
    groups = [rows.to_numpy() for _, rows in known.groupby("name")[metric]]
    by_item = known.pivot_table(index="item", columns="name", values=metric).dropna()
    tests: dict[str, Any] = {"Kruskal-Wallis": stats.kruskal(*groups)}
    if len(by_item) > 1 and by_item.shape[1] > 2:
        tests["Friedman"] = stats.friedmanchisquare(*(by_item[name] for name in by_item))
    return pd.DataFrame(
        {name: {"statistic": test.statistic, "p": test.pvalue} for name, test in tests.items()}
    ).T


def pairs(done: pd.DataFrame, metric: str) -> pd.DataFrame:
    values = {name: rows.dropna().to_numpy() for name, rows in done.groupby("name")[metric]}
    rows = []
    names = list(combinations([name for name in values if len(values[name])], 2))
    for a, b in names:
        u, p = stats.mannwhitneyu(values[a], values[b])
        n_a, n_b = len(values[a]), len(values[b])
        z = (u - n_a * n_b / 2) / np.sqrt(n_a * n_b * (n_a + n_b + 1) / 12)
        rows.append(
            {
                "a": a,
                "b": b,
                "difference": values[a].mean() - values[b].mean(),
                "U": u,
                "p": p,
                "p Bonferroni": min(1, p * len(names)),
                "r": abs(z) / np.sqrt(n_a + n_b),
            }
        )
    return pd.DataFrame(rows)


def figures(done: pd.DataFrame) -> list[go.Figure]:
    means = (
        done.groupby("name")[[column for column in (*MEANS, *STAGES) if column in done]].mean().reset_index()
    )
    some = done.iloc[:: 1 + len(done) // MOST_POINTS]
    criteria = [name for name in CRITERIA if name in means]
    radar = go.Figure(
        [go.Scatterpolar(r=row[criteria], theta=criteria, name=row["name"]) for _, row in means.iterrows()]
    )
    stages = [stage for stage in STAGES if stage in means]
    drift = some.assign(rate=some["completion_tokens"] / some["latency_s"])
    return [
        radar,
        px.bar(means, y="name", x=stages or "latency_s", orientation="h", title="Latency"),
        px.box(done, y="name", x="overall", points=False, title="Distribution of scores"),
        px.bar(means, y="name", x=["prompt_tokens", "completion_tokens"], orientation="h", title="Tokens"),
        px.scatter(some, x="latency_s", y="overall", color="name", title="Quality against latency"),
        px.imshow(done.pivot_table(index="name", columns="item", values="overall"), text_auto=".2f"),
        px.scatter(drift.sort_values("started_at"), x="started_at", y="rate", color="name", title="Speed"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--records", action="store_true")
    asked = parser.parse_args()
    runs = read(asked.folder, asked.records)
    done = runs[runs["status"] == "completed"]
    parts = [f"<h2>{html.escape(title)}</h2>{table.to_html()}" for title, table in tables(runs, done)]
    parts += [
        figure.to_html(full_html=False, include_plotlyjs=number == 0)
        for number, figure in enumerate(figures(done))
    ]
    asked.out.write_text(f"<!doctype html><meta charset=utf-8><h1>Report</h1>{''.join(parts)}")


if __name__ == "__main__":
    main()
