"""`levelfield diff A B`: two experiments -> what differs, in how they were made and in what they found."""

from __future__ import annotations

from analysis.change.changes import compare_texts, match_cells, measure_changes, same_names
from analysis.change.made import comparable, made_differently
from analysis.change.result import Diff
from analysis.change.side import Side
from analysis.wording import plural

UNKNOWN = "{name} does not say how it was made, so nobody knows whether they may be compared."
NO_FLOOR = "{name} has no noise floor: no framework ran against itself (`aa` in a plan)."
NOTHING_SHARED = "They share no framework and item, so nothing can be compared."


def diff(base: Side, head: Side) -> Diff:
    pairs = same_names(base, head)
    made = made_differently(base, head)
    cells = match_cells(base, head)
    changes = measure_changes(base, head, pairs)
    return Diff(
        base=base.info,
        head=head.info,
        comparable=comparable(base, head, made),
        made=made,
        cells=cells,
        changes=changes,
        texts=compare_texts(base, head, pairs),
        notes=notes(base, head) + ([] if cells.both else [NOTHING_SHARED]),
    )


def notes(base: Side, head: Side) -> list[str]:
    """What limits every comparison of the two."""
    sides = [base] if base.runs is head.runs else [base, head]
    found = []
    for side in sides:
        name = side.runs.experiment
        if not side.runs.manifest.identity:
            found.append(UNKNOWN.format(name=name))
        if side.noise("latency_s") is None:
            found.append(NO_FLOOR.format(name=name))
        failed = int((side.table["failed"] == 1).sum())
        if failed:
            found.append(
                f"{name}: {plural(failed, 'run')} of {len(side.table)} failed and enter `failures` alone."
            )
    return found
