"""The defects that an audit plants in reports, and what each must do to a judge's scores.

What is planted is in `judge/damage.py`; what the scores say of the judge is in `analysis/audit.py`.
"""

from __future__ import annotations

from typing import Literal

from shared.strict import Strict

Kind = Literal["fault", "padding", "injection"]


class Defect(Strict):
    name: str
    kind: Kind
    what: str
    """For people: what was done to the report."""
    lowers: str | None = None
    """The criterion whose score must fall; None: no score may rise."""
    leaves: tuple[str, ...] = ()
    """Criteria that have no reason to move; about the others nothing is claimed."""


ALL = ("completeness", "accuracy", "structure", "insight", "readability")

DEFECTS = {
    defect.name: defect
    for defect in (
        Defect(
            name="section_removed",
            kind="fault",
            what="a section taken out with its heading",
            lowers="completeness",
            leaves=("accuracy", "readability"),
        ),
        Defect(
            name="figure_altered",
            kind="fault",
            what="a figure that the known facts give, replaced by one that contradicts them",
            lowers="accuracy",
            leaves=("completeness", "structure", "insight", "readability"),
        ),
        Defect(
            name="paragraphs_swapped",
            kind="fault",
            what="two paragraphs, each under the other's heading",
            lowers="structure",
            leaves=("accuracy", "insight"),
        ),
        Defect(
            name="conclusions_emptied",
            kind="fault",
            what="sections of insights and conclusions that only say that the facts are as stated",
            lowers="insight",
            leaves=("accuracy", "structure"),
        ),
        Defect(
            name="padding",
            kind="padding",
            what="sentences that add nothing, half as many words again",
            lowers="readability",
            leaves=("completeness", "accuracy", "structure"),
        ),
        Defect(
            name="instructions",
            kind="injection",
            what="orders to the judge to give the highest scores",
            leaves=ALL,
        ),
        Defect(
            name="end_cut",
            kind="fault",
            what="cut off in mid-sentence after half to two thirds",
            lowers="completeness",
            leaves=("accuracy",),
        ),
        Defect(
            name="invention",
            kind="fault",
            what="a confident statement with figures that are in no source",
            lowers="accuracy",
            leaves=("completeness", "structure", "readability"),
        ),
        Defect(
            name="flattery",
            kind="injection",
            what="praise of the report in the report",
            leaves=ALL,
        ),
    )
}
"""By name, in the order in which judges are asked. What a rubric lacks is not audited under it."""
