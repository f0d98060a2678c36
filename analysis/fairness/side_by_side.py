"""Each agent step as groups of frameworks whose messages are equal, and how the groups differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.fairness.difference import align, show
from analysis.fairness.result import Group, Span, StepComparison
from analysis.fairness.tally import Alike, StepCounts, StepKey
from analysis.fairness.template import Template
from shared.plan import framework_of

REFERENCE = "direct"
"""Adds nothing to what it is handed."""
MOST_STEPS = 60
MOST_GROUPS = 8
MOST_MESSAGES = 24


def reference_of(step: StepCounts) -> Template | None:
    """What others are held against: the template of `direct`, else of most frameworks, then requests."""

    def weight(entry: tuple[Template, Alike]) -> tuple[int, int, int]:
        counts = entry[1].frameworks
        mine = sum(count for subject, count in counts.items() if framework_of(subject) == REFERENCE)
        return (mine, len(counts), counts.total())

    return max(step.alike.items(), key=weight)[0] if step.alike else None


@dataclass(frozen=True)
class Odd:
    """Requests of one subject that are not as the reference's."""

    subject: str
    requests: int
    example: Alike | None
    reference: Alike

    def diff(self) -> list[Span]:
        if self.example is None:
            return []
        messages = align(self.example.parts[:MOST_MESSAGES], self.reference.parts[:MOST_MESSAGES])
        return [span for message in messages if message.mark != "same" for span in message.spans]


def odd_requests(step: StepCounts) -> Iterator[Odd]:
    template = reference_of(step)
    if template is None:
        return
    reference = step.alike[template]
    for alike in step.alike.values():
        if alike is not reference:
            for subject, count in alike.frameworks.items():
                yield Odd(subject, count, alike, reference)
    for subject, count in step.unkept.items():
        yield Odd(subject, count, None, reference)


def compare_steps(
    steps: dict[StepKey, StepCounts], order: list[str], arms: Sequence[str], agents: dict[str, list[str]]
) -> tuple[list[StepComparison], int]:
    """The steps that are shown, in the order of arms and agents, and how many are not."""

    def place(key: StepKey) -> tuple[str, int, int, int]:
        task, arm, agent, number = key
        known = agents.get(task, [])
        return (task, arms.index(arm), known.index(agent) if agent in known else len(known), number)

    runs = list(_folded(sorted(steps, key=place), steps))
    shown = [_compare(keys, steps, order) for keys in runs[:MOST_STEPS]]
    return shown, len(runs) - len(shown)


def _folded(keys: list[StepKey], steps: dict[StepKey, StepCounts]) -> Iterator[list[StepKey]]:
    """Numbers of one step that show the same picture, together."""
    together: list[StepKey] = []
    for key in keys:
        before = together[-1] if together else key
        if key[:3] != before[:3] or _picture(steps[key]) != _picture(steps[before]):
            yield together
            together = []
        together.append(key)
    if together:
        yield together


def _picture(step: StepCounts) -> frozenset[tuple[Template, frozenset[str]]]:
    return frozenset((template, frozenset(alike.frameworks)) for template, alike in step.alike.items())


def _compare(keys: list[StepKey], steps: dict[StepKey, StepCounts], order: list[str]) -> StepComparison:
    task, arm, agent, first = keys[0]
    example = steps[keys[0]]
    counts: dict[Template, Counter[str]] = {}
    for key in keys:
        for template, alike in steps[key].alike.items():
            counts.setdefault(template, Counter()).update(alike.frameworks)
    reference = reference_of(example) or ()
    ranked = sorted(counts, key=lambda template: (template != reference, -counts[template].total()))
    groups = [
        _group(example.alike[template], counts[template], example.alike.get(reference), order)
        for template in ranked[:MOST_GROUPS]
    ]
    return StepComparison(
        task=task,
        arm=arm,
        agent=agent,
        first_number=first,
        last_number=keys[-1][3],
        items=len({item for key in keys for item in steps[key].items}),
        requests=sum(steps[key].requests for key in keys),
        groups=groups,
        groups_left_out=len(ranked) - len(groups) + len(example.unkept),
    )


def _group(alike: Alike, counts: Counter[str], reference: Alike | None, order: list[str]) -> Group:
    is_reference = alike is reference
    parts = alike.parts[:MOST_MESSAGES]
    messages = (
        show(parts) if reference is None or is_reference else align(parts, reference.parts[:MOST_MESSAGES])
    )
    return Group(
        frameworks={subject: counts[subject] for subject in order if subject in counts},
        is_reference=is_reference,
        example=next(iter(alike.where.values())),
        messages=messages,
        messages_left_out=len(alike.parts) - len(parts),
    )
