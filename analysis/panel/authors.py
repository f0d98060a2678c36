"""Whose report an attempt is: what verdicts and comparisons name only by an id."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.read_runs import Runs
from analysis.subjects import Role
from shared.packing import text_digest


@dataclass(frozen=True)
class Author:
    subject: str
    framework: str
    role: Role
    item: str
    text: str
    """The report's digest."""
    node: str = ""


def authors_of(runs: Runs) -> dict[str, Author]:
    """By attempt id, of each run that counts and that a model answered."""
    if not runs.stored.runs:
        return {}
    answered = runs.answered
    columns = ["framework", "arm", "item", "iteration", "subject", "role"]
    known = {tuple(row[:4]): (row[4], row[5]) for row in answered[columns].itertuples(index=False, name=None)}
    found = {}
    for record in runs.stored.runs:
        key = record.key
        item = key.item
        if named := known.get((key.framework, key.arm, item, key.iteration)):
            subject, role = named
            found[record.attempt_id] = Author(
                subject, key.framework, role, item, text_digest(record.text), record.node
            )
    return found
