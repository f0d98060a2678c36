"""Tables of single runs, of how runs ended, and of what the experiment was made of."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.result import Analysis
from analysis.tables import MISSING, Cell, Table, number, plain_cells, titled

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
    note = (
        f"The first {len(shown)} of {len(analysis.failures)}." if len(analysis.failures) > len(shown) else ""
    )
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
    columns = (r.framework, r.item, r.iteration, r.quality, r.latency_s, r.tokens, r.report_digest)
    rows = []
    for framework, item, iteration, quality, latency, tokens, digest in zip(
        *(column[:MOST_RUNS] for column in columns), strict=True
    ):
        texts = [
            item,
            str(iteration),
            number(quality),
            number(latency, 1),
            number(tokens, 0),
            digest[:8] or MISSING,
        ]
        rows.append([titled(framework, analysis.frameworks[framework]), *plain_cells(texts)])
    total = len(r.framework)
    return Table(
        "runs",
        "Completed runs",
        ("Framework", "Item", "Iteration", "Quality", "Latency (s)", "Tokens", "Digest of the report"),
        rows,
        f"The first {MOST_RUNS} of {total:,}; all are in the JSON." if total > MOST_RUNS else "",
        frozenset({1, 6}),
    )


def setup_tables(analysis: Analysis) -> Sequence[Table]:
    tables = [
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
