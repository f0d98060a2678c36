"""Tables of single runs, of how runs ended, and of what the experiment was made of."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.result import Analysis
from analysis.tables import MISSING, Cell, Table, digits_for, number, plain_cells, titled

MOST_RUNS = 500


def status_table(analysis: Analysis) -> Table:
    statuses = sorted(analysis.statuses, key=lambda status: (status != "completed", status))
    rows = [
        [
            titled(name, f),
            *plain_cells([number(f.rows, 0), *(number(f.statuses.get(s, 0), 0) for s in statuses)]),
        ]
        for name, f in analysis.frameworks.items()
    ]
    return Table(
        "statuses",
        "How the runs ended",
        ("Framework", "Runs", *(s.replace("_", " ") for s in statuses)),
        rows,
    )


def failures_table(analysis: Analysis) -> Table | None:
    if not analysis.failures:
        return None
    shown = analysis.failures[:MOST_RUNS]
    rows = []
    for failure in shown:
        title = analysis.frameworks[failure.framework].title
        cells = plain_cells(
            [failure.item, str(failure.iteration), failure.status.replace("_", " "), failure.error or MISSING]
        )
        rows.append([Cell(title, swatch=failure.framework), *cells])
    failed = analysis.replication.rows - analysis.replication.completed
    note = f"The first {len(shown)} of {failed:,}." if failed > len(shown) else ""
    return Table(
        "failures",
        "Runs that did not complete",
        ("Framework", "Item", "Iteration", "Status", "Error"),
        rows,
        note,
        frozenset({1, 3, 4}),
    )


def runs_table(analysis: Analysis) -> Table:
    r = analysis.runs
    columns = (
        r.framework,
        r.item,
        r.iteration,
        r.quality,
        r.latency_s,
        r.quarantine,
        r.tokens,
        r.decode_rate,
    )
    digits = digits_for(r.latency_s)
    rows = []
    for (framework, item, iteration, quality, latency, quarantine, tokens, rate), digest in zip(
        zip(*(column[:MOST_RUNS] for column in columns), strict=True),
        r.report_digest[:MOST_RUNS],
        strict=True,
    ):
        texts = [
            item,
            str(iteration),
            number(quality),
            quarantine or number(latency, digits),
            number(tokens, 0),
            number(rate, 1),
            digest[:8] or MISSING,
        ]
        rows.append([titled(framework, analysis.frameworks[framework]), *plain_cells(texts)])
    total = analysis.replication.completed
    first = "The first" if r.every == 1 else f"Of every {r.every}th run the first"
    return Table(
        "runs",
        "Completed runs",
        (
            *("Framework", "Item", "Iteration", "Quality", "Latency (s)", "Tokens", "Output tokens/s"),
            "Digest of the report",
        ),
        rows,
        f"{first} {MOST_RUNS} of {total:,}; all are in runs.csv." if total > MOST_RUNS else "",
        frozenset({1, 7}),
    )


def measurement_table(analysis: Analysis) -> Table | None:
    """What was done around the runs; None where no records tell."""
    if analysis.setup.warmups is None:
        return None
    probes = analysis.drift.probes
    facts = {
        "Warm-up runs, in no figure": str(analysis.setup.warmups),
        "Probes of the model's speed": str(probes.n if probes else 0),
        "Attempts in quarantine": str(len(analysis.quarantined)),
        "Second names, for the noise floor": str(
            sum(f.twin_of is not None for f in analysis.frameworks.values())
        ),
    }
    return Table(
        "setup-measurement", "Measurement", ("Name", "Value"), [plain_cells(pair) for pair in facts.items()]
    )


def setup_tables(analysis: Analysis) -> Sequence[Table]:
    measurement = measurement_table(analysis)
    tables = [measurement] if measurement else []
    tables += [
        Table(
            f"setup-{section}",
            section.capitalize(),
            ("Name", "Value"),
            [plain_cells(pair) for pair in facts.items()],
            text_columns=frozenset({1}),
        )
        for section, facts in analysis.setup.facts.items()
        if facts
    ]
    versions = [
        plain_cells(
            [
                analysis.frameworks[n].title if n in analysis.frameworks else n,
                ", ".join(f"{d} {v}" for d, v in found.items()),
            ]
        )
        for n, found in analysis.setup.versions.items()
        if found
    ]
    if versions:
        tables.append(
            Table(
                "setup-versions",
                "Versions",
                ("Framework", "Distributions"),
                versions,
                text_columns=frozenset({1}),
            )
        )
    return tables
