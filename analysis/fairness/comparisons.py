"""Findings that no request shows by itself: what one framework does and others do not."""

from __future__ import annotations

from analysis.fairness.rules import PLANNED_KEYS, severity_of, severity_of_key
from analysis.fairness.side_by_side import odd_requests
from analysis.fairness.tally import Tally, Treated
from analysis.fairness.tool_checks import Difference


def compare_frameworks(tally: Tally) -> None:
    for arm in sorted({arm for _, arm in tally.treatments}):
        treated = [(subject, its) for subject, its in tally.treatments if its == arm]
        _compare_streaming(tally, treated)
        _compare_keys(tally, treated)
    _compare_prompts(tally)
    _compare_results(tally)


def _compare_prompts(tally: Tally) -> None:
    """Where everybody is to send the same messages."""
    for (_, arm, agent, number), step in tally.steps.items():
        if arm != "equalised":
            continue
        what = f"the {agent}'s request" if number == 1 else f"the {agent}'s requests after tool calls"
        severity = severity_of("prompts_differ", arm)
        for odd in odd_requests(step):
            where = odd.example.where[odd.subject] if odd.example else None
            what_differs = Difference(what, diff=odd.diff)
            tally.find(
                "prompts_differ", severity, (odd.subject, arm), what_differs, where=where, count=odd.requests
            )


def _compare_results(tally: Tally) -> None:
    """A tool is asked the same and should say the same, whoever asks."""
    for (_, path, _), served in tally.served.items():
        if len(served.subjects) < 2:
            continue
        usual = max(served.subjects, key=lambda digest: sum(served.subjects[digest].values()))
        for digest, whom in served.subjects.items():
            if digest == usual:
                continue
            for treated, count in whom.items():
                what = Difference(f"{path} answered the same question otherwise than it usually does")
                severity = severity_of("tool_results_differ", treated[1])
                where = served.where[digest, treated]
                tally.find("tool_results_differ", severity, treated, what, where=where, count=count)


def _compare_streaming(tally: Tally, treated: list[Treated]) -> None:
    counts = {whose: tally.treatments[whose] for whose in treated}
    if all(found.streamed == found.calls for found in counts.values()):
        return
    for whose, found in counts.items():
        if found.streamed:
            tally.find(
                "streaming_differs",
                severity_of("streaming_differs", whose[1]),
                whose,
                Difference(""),
                count=found.streamed,
            )


def _compare_keys(tally: Tally, treated: list[Treated]) -> None:
    """Keys beyond the plan's that not everybody sends with the same values."""
    sent = {whose: dict(tally.keys_of(whose)) for whose in treated if tally.chats[whose]}
    for whose, keys in sent.items():
        for key, found in keys.items():
            if key in PLANNED_KEYS or (key == "stream" and set(found.values) != {"false"}):
                continue
            others = [dict(other).get(key) for other in sent.values()]
            if all(other and set(other.values) == set(found.values) for other in others):
                continue
            shown = ", ".join(list(found.values)[:3])
            tally.find(
                "extra_parameters",
                severity_of_key(key, found.values),
                whose,
                Difference(f"{key} = {shown}"),
                where=found.where,
                count=found.requests,
            )
