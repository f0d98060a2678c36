"""Table of the meters' audit: tokens by the framework's own meter, on the wire, by the server's counters."""

from __future__ import annotations

from analysis.result import Analysis
from analysis.tables import MISSING, Table, number, plain_cells, titled
from analysis.wire_result import MeterCheck, Meters


def meters_table(analysis: Analysis) -> Table | None:
    rows = []
    for name, f in analysis.frameworks.items():
        if meters := analysis.meters.get(name):
            rows.append([titled(name, f), *plain_cells(_row(meters))])
    if all(not m.own and not m.server for m in analysis.meters.values()):
        return None
    return Table(
        "meters",
        "Audit of the meters: tokens over all completed runs",
        (
            *("Framework", "Runs", "Wire, input", "Wire, output", "Of the input, cached"),
            *("Own meter, input", "over wire", "Own meter, output", "over wire"),
            *(
                "Server, input",
                "over wire",
                "Server, output",
                "over wire",
                "Repeated requests",
                "Their tokens",
            ),
        ),
        rows,
        "Each ratio is over the runs that both meters know; the server's counters are compared in runs "
        "without repeated requests, whose cost to the server no wire shows. Some servers count only the "
        "input that they had not cached.",
    )


def _row(meters: Meters) -> list[str]:
    wire = meters.wire
    return [
        str(meters.runs),
        number(wire.prompt if wire else None, 0),
        number(wire.completion if wire else None, 0),
        number(meters.cached, 0),
        *_check(meters.own),
        *_check(meters.server),
        number(meters.retried_calls, 0),
        number(meters.retried_tokens, 0),
    ]


def _check(check: MeterCheck | None) -> list[str]:
    if check is None:
        return [MISSING] * 4
    return [
        number(check.counted.prompt, 0),
        number(check.prompt_ratio, 3),
        number(check.counted.completion, 0),
        number(check.completion_ratio, 3),
    ]
