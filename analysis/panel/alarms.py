"""What to distrust in what judges say together."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.alarm import alarm
from analysis.krippendorff import LOWEST_USABLE
from analysis.panel.result import Panel, Tournament
from analysis.panel.tournament import decided_by_order
from analysis.result import Alarm
from analysis.wording import listing


def panel_alarms(panel: Panel | None) -> Iterator[Alarm]:
    if panel is None:
        return
    if panel.not_audited:
        yield alarm(
            "judge_not_audited",
            "medium",
            f"Not audited: {listing(panel.not_audited)}. Nothing here shows that scores fall when a "
            "report gets worse.",
            judges=panel.not_audited,
        )
    yield from _disagreement(panel)
    for tournament in decided_by_order(panel.tournaments):
        yield _order(tournament)


def _disagreement(panel: Panel) -> Iterator[Alarm]:
    overall = panel.agreement.get("overall")
    alpha = overall.alpha_interval.value if overall else None
    if overall and alpha is not None and alpha < LOWEST_USABLE:
        yield alarm(
            "judges_disagree",
            "medium",
            f"The judges agree with alpha = {alpha:.2f} on {overall.texts} texts. Below {LOWEST_USABLE} no "
            "conclusion should rest on such scores.",
            alpha=alpha,
            texts=overall.texts,
            judges=[judge.judge for judge in panel.judges],
        )


def _order(tournament: Tournament) -> Alarm:
    share = tournament.first_wins.value or 0.0
    return alarm(
        "judge_order",
        "medium",
        f"{tournament.judge} prefers the report shown {'first' if share > 0.5 else 'second'}: the first "
        f"one wins {share:.0%} of its decided comparisons. The strengths allow for that.",
        judge=tournament.judge,
        first_wins=share,
        comparisons=tournament.comparisons,
    )
