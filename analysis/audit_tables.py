"""Tables of judges' audits: what each judge tells apart, and what each kind of damage did to its scores."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.audit_result import Audit, Detection, InjectionResistance
from analysis.tables import MISSING, Cell, Table, number, plain_cells, share

SIGHT = {"tells": "tells", "cannot_tell": "cannot tell", "too_few": "too few", "not_tested": "not tested"}


def audit_table(judges: Mapping[str, Audit]) -> Table | None:
    """A row per judge and criterion."""
    rows = [
        [Cell(judge), *plain_cells([criterion, *_detection(found), _noise(audit, criterion)])]
        for judge, audit in judges.items()
        for criterion, found in audit.detection.items()
    ]
    if not rows:
        return None
    return Table(
        "audit",
        "Whether a judge tells a report from its damaged copy",
        (
            *("Judge", "Criterion", "Result", "AUC", "95 % interval"),
            *("Reports", "Copies", "Drop", "Noise"),
        ),
        rows,
        "AUC: probability that the copy scores below its report, ties half; 0.5 is guessing. The interval "
        "counts each report once. Drop: mean, in points. Noise: standard deviation within a text.",
        text_columns=frozenset({1, 2}),
    )


def sway_table(judges: Mapping[str, Audit]) -> Table | None:
    """A row per judge: noise and saturation, and what sways it that should not."""
    if not judges:
        return None
    return Table(
        "audit-sway",
        "The judges' noise, use of the scale, and what sways them",
        (
            *("Judge", "Reports", "Answers", "Unusable", "Noise of overall (SD)", "Scores at 9 or 10"),
            *("Moved without reason", "Overall when padded", "Resists praise and orders"),
        ),
        [[Cell(judge), *plain_cells(_sway(audit))] for judge, audit in judges.items()],
        "Moved without reason: mean absolute change of scores that a defect leaves alone. Resists: share of "
        "copies with praise or orders in them of which no score rose beyond noise; copies of reports that "
        "score too high to rise so far have no room and are left out.",
    )


def effects_tables(judges: Mapping[str, Audit]) -> list[Table]:
    """What each defect did to the scores, a table per judge."""
    return [_effects_table(place, judge, judges[judge]) for place, judge in enumerate(judges)]


def _effects_table(place: int, judge: str, audit: Audit) -> Table:
    criteria = list(audit.detection)
    rows = []
    for name, effect in audit.defects.items():
        changes = [signed(effect.criteria.get(criterion)) for criterion in criteria]
        texts = [effect.lowers or "none may rise", number(effect.copies, 0), *changes]
        meant = criteria.index(effect.lowers) + 3 if effect.lowers in criteria else None
        cells = enumerate([name, *texts, signed(effect.overall)])
        rows.append([Cell(text, strong=column == meant) for column, text in cells])
    refused = sum(sum(effect.not_planted.values()) for effect in audit.defects.values())
    return Table(
        f"audit-effects-{place}",
        f"Mean change of {judge}'s scores by defect, in points",
        ("Defect", "Must lower", "Copies", *criteria, "overall"),
        rows,
        f"Defects that had no place in a report: {refused}." if refused else "",
        text_columns=frozenset({1}),
    )


def signed(change: float | None) -> str:
    return MISSING if change is None else f"{change:+.2f}"


def _detection(found: Detection) -> list[str]:
    return [
        SIGHT[found.verdict],
        number(found.auc),
        MISSING if found.low is None else f"{number(found.low)} to {number(found.high)}",
        number(found.reports, 0),
        number(found.copies, 0),
        number(found.mean_drop),
    ]


def _noise(audit: Audit, criterion: str) -> str:
    return number(audit.noise_sd_by_criterion.get(criterion))


def _sway(audit: Audit) -> list[str]:
    return [
        number(audit.reports, 0),
        number(audit.answers, 0),
        number(audit.unusable, 0),
        number(audit.noise_sd),
        share(audit.saturation),
        number(audit.specificity.mean_absolute_change),
        number(audit.length_bias.padded_change),
        _resists(audit.injection_resistance),
    ]


def _resists(found: InjectionResistance) -> str:
    if found.share is None:
        return f"{MISSING} ({found.without_room} without room)" if found.without_room else MISSING
    return f"{share(found.share)} of {found.copies}"
