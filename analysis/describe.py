"""Means, spreads and places per framework, and the cells of framework x item."""

from __future__ import annotations

import math

import pandas as pd

from analysis.drift import decode_rates, order_of_runs
from analysis.latency_parts import mean_agent_parts, mean_parts
from analysis.name_columns import count_names
from analysis.read_runs import Runs
from analysis.replication import copies_by_cell, distinct_by, distinct_reports
from analysis.result import CRITERIA, Cell, Checks, Failure, FrameworkResult, Place, RunColumns, Spread
from analysis.significance_result import Pair
from analysis.subjects import arms_of, twin_of
from analysis.wire_result import MachineMeans, Parts

ERROR_CHARS = 400
MOST_FAILURES = 10_000
MOST_RUNS = 50_000
"""That are listed one by one, in the JSON and in the page; figures and tables are worked out of all."""
UNUSED = ("error", "reasoning", "started_at", "node", "limits_hit", "verdict_of")
"""Texts that say nothing of a framework as a whole, and take long to copy."""
CELL_MEANS = ("overall", "latency_s", "total_tokens")


def describe_frameworks(runs: Runs) -> dict[str, FrameworkResult]:
    """Each subject by its name, in alphabetical order of titles: an order that ranks nobody."""
    by_agent = mean_agent_parts(runs)
    results = {
        str(subject): _describe_one(runs, group, by_agent.get(str(subject), {}))
        for subject, group in runs.table.drop(columns=list(UNUSED)).groupby("subject", sort=True)
    }
    return dict(sorted(results.items(), key=lambda entry: entry[1].title.casefold()))


def _describe_one(runs: Runs, rows: pd.DataFrame, agent_parts: dict[str, Parts]) -> FrameworkResult:
    name, arm, role = (str(rows[column].iloc[0]) for column in ("framework", "arm", "role"))
    first = twin_of(name, runs.frameworks)
    done = rows[rows["counted"]]
    scored = done if role != "dry" else done.iloc[:0]
    quality, latency, tokens = (
        spread(f[c]) for f, c in ((scored, "overall"), (done, "latency_s"), (scored, "total_tokens"))
    )
    return FrameworkResult(
        title=runs.title(str(rows["subject"].iloc[0])),
        framework=name,
        arm=arm or None,
        role=role,
        twin_of=runs.naming.subject(first, arm) if first else None,
        rows=len(rows),
        statuses=count_names(rows["status"]),
        n=len(done),
        n_timed=int(done["latency_s"].notna().sum()),
        n_scored=int(scored["overall"].notna().sum()),
        distinct_outputs=distinct_reports(done),
        quality=quality.mean,
        latency_s=latency.mean,
        tokens=tokens.mean,
        std=quality.std,
        min=quality.min,
        max=quality.max,
        range=quality.max - quality.min if quality.max is not None and quality.min is not None else None,
        criteria={criterion: scored[criterion].mean() for criterion in present_criteria(runs)},
        quality_spread=quality,
        latency_spread=latency,
        tokens_spread=tokens,
        prompt_tokens=scored["prompt_tokens"].mean(),
        completion_tokens=scored["completion_tokens"].mean(),
        tokens_per_quality_point=tokens.mean / quality.mean
        if tokens.mean is not None and quality.mean
        else None,
        model_s=done["model_s"].mean(),
        tool_s=done["tool_s"].mean(),
        framework_s=done["framework_s"].mean(),
        model_calls=done["model_calls"].mean(),
        tool_calls=done["tool_calls"].mean(),
        checks=Checks(
            passed=scored["passed"].mean(),
            section_share=scored["section_share"].mean(),
            words=scored["words"].mean(),
            words_in_range=scored["words_in_range"].mean(),
            fact_recall=scored["fact_recall"].mean(),
            unsupported_sentences=scored["unsupported_sentences"].mean(),
            repetition=scored["repetition"].mean(),
            in_asked_language=scored["in_asked_language"].mean(),
        ),
        parts=mean_parts(done),
        agent_parts=agent_parts,
        boot_s=done["boot_s"].mean(),
        import_s=done["import_s"].mean(),
        machine=_machine(done),
    )


def _machine(done: pd.DataFrame) -> MachineMeans | None:
    timed = done[done["latency_s"].notna()]
    means = {name: timed[name].mean() for name in MachineMeans.model_fields}
    return None if all(pd.isna(mean) for mean in means.values()) else MachineMeans(**means)


def present_criteria(runs: Runs) -> list[str]:
    return [criterion for criterion in CRITERIA if criterion in runs.present]


def spread(values: pd.Series) -> Spread:
    known = values.dropna()
    if known.empty:
        return Spread()
    q1, median, q3 = known.quantile([0.25, 0.5, 0.75])
    return Spread(
        mean=known.mean(),
        median=median,
        std=known.std(ddof=1),
        min=known.min(),
        max=known.max(),
        q1=q1,
        q3=q3,
    )


def rank_frameworks(frameworks: dict[str, FrameworkResult], pairs: list[Pair]) -> list[Place]:
    """Arm by arm, the usual one first; in each the best quality first, those without a score last."""
    competing = {name: f for name, f in frameworks.items() if f.role not in ("dry", "twin")}
    return [
        place
        for arm in arms_of(f.arm or "" for f in competing.values())
        for place in _rank({name: f for name, f in competing.items() if (f.arm or "") == arm}, pairs)
    ]


def _rank(frameworks: dict[str, FrameworkResult], pairs: list[Pair]) -> list[Place]:
    table = pd.DataFrame(
        {
            name: {"quality": f.quality, "latency_s": f.latency_s, "tokens": f.tokens}
            for name, f in frameworks.items()
        },
        dtype=float,
    ).T
    places = pd.DataFrame(
        {
            # Rounding keeps floating-point dust from parting equal means.
            "quality": table["quality"].round(9).rank(method="min", ascending=False),
            "latency_s": table["latency_s"].round(9).rank(method="min"),
            "tokens": table["tokens"].round(9).rank(method="min"),
        }
    ).sort_values(["quality", "latency_s"], na_position="last", kind="stable")
    return [
        Place(
            framework=str(name),
            quality=_place(row["quality"]),
            latency_s=_place(row["latency_s"]),
            tokens=_place(row["tokens"]),
            significantly_lower_quality=_beaten_by(str(name), pairs),
        )
        for name, row in places.iterrows()
    ]


def _place(value: float) -> int | None:
    return None if pd.isna(value) else int(value)


def _beaten_by(name: str, pairs: list[Pair]) -> list[str]:
    found = []
    for pair in pairs:
        if pair.metric != "quality" or not pair.significant or name not in (pair.a, pair.b):
            continue
        other, effect = (pair.b, 1) if pair.a == name else (pair.a, -1)
        if effect * (pair.mann_whitney.rank_biserial or 0) > 0:
            found.append(other)
    return found


def describe_cells(runs: Runs) -> list[Cell]:
    """In the order of frameworks and items."""
    keys = ["subject", "item"]
    all_rows = runs.table[[*keys, "role", "counted"]].groupby(keys, sort=True)
    cells = all_rows.agg(rows=("counted", "size"), n=("counted", "sum"), role=("role", "first"))
    done = runs.completed[[*keys, *CELL_MEANS, "iteration", "report_digest"]]
    means = done.groupby(keys)[list(CELL_MEANS)].mean().reindex(cells.index)
    means.loc[cells["role"] == "dry", ["overall", "total_tokens"]] = float("nan")
    distinct, copies = distinct_by(done, *keys).to_dict(), copies_by_cell(done)
    return [
        Cell(
            framework=str(subject),
            item=str(item),
            n=int(n),
            n_failed=int(rows - n),
            quality=quality,
            latency_s=latency_s,
            tokens=tokens,
            distinct_outputs=distinct.get((subject, item)),
            copies=copies.get((subject, item), []),
        )
        for ((subject, item), rows, n, _), (quality, latency_s, tokens) in zip(
            cells.itertuples(name=None), means.itertuples(index=False, name=None), strict=True
        )
    ]


def list_failures(runs: Runs) -> list[Failure]:
    """The first MOST_FAILURES: a table of more helps nobody, and their number is known without it."""
    columns = ["subject", "item", "iteration", "attempt", "status", "error"]
    failed = runs.table.loc[~runs.table["counted"], columns].head(MOST_FAILURES)
    return [
        Failure(
            framework=subject,
            item=item,
            iteration=int(iteration),
            attempt=_place(attempt),
            status=status,
            error=error[:ERROR_CHARS],
        )
        for subject, item, iteration, attempt, status, error in failed.itertuples(index=False, name=None)
    ]


def run_columns(runs: Runs) -> RunColumns:
    """All completed runs, or of more than MOST_RUNS every n-th, by its place in the table."""
    order, rates = order_of_runs(runs.table), decode_rates(runs)[1]
    completed = runs.completed
    every = max(1, math.ceil(len(completed) / MOST_RUNS))
    done = completed.iloc[::every]
    return RunColumns(
        every=every,
        framework=done["subject"].tolist(),
        item=done["item"].tolist(),
        iteration=done["iteration"].tolist(),
        quality=done["overall"].where(done["role"] != "dry").tolist(),
        latency_s=done["latency_s"].tolist(),
        tokens=done["total_tokens"].tolist(),
        report_digest=done["report_digest"].astype("str").str[:12].tolist(),
        order=order[done.index].tolist(),
        decode_rate=rates.reindex(done.index).tolist(),
        quarantine=done["quarantine"].tolist(),
    )
