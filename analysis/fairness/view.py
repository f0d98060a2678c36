"""The proof as tables and labels, for the report and the terminal alike."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.fairness.messages import NORMALISATIONS
from analysis.fairness.result import (
    Fairness,
    Finding,
    Group,
    Made,
    Parameter,
    Span,
    StepComparison,
    Treatment,
)
from analysis.tables import MISSING, Cell, Table, number, plain_cells
from analysis.wording import listing, plural
from shared.plan import framework_of

MOST_COLUMNS = 40
"""Frameworks beside each other in the table of parameters."""

LABELS = {
    "instructions": "instructions",
    "request": "request",
    "hand_over": "hand-over",
    "answer": "answer",
    "tool_call": "tool calls",
    "tool_result": "tool results",
}


def counts_table(fairness: Fairness) -> Table:
    rows = []
    for t in fairness.treatments:
        counts = (t.runs, t.calls, t.hidden_calls, t.retries, t.streamed, t.assistant_endings)
        sizes = (t.made.framing, t.made.again)
        per_run = [n / t.runs if t.made.requests else None for n in sizes]
        rows.append([_heading(fairness, t), *plain_cells(number(n, 0) for n in (*counts, *per_run))])
    return Table(
        "fairness-counts",
        "Requests on the wire",
        (
            *("Framework and arm", "Runs", "Requests", "Hidden", "Own retries", "Streamed"),
            *("End on an assistant turn", "Framing, bytes per run", "Sent again, bytes per run"),
        ),
        rows,
        "Hidden: requests that no agent's step needs. Framing: text that the framework adds. "
        "Sent again: what other agents were handed, and whatever stands twice in one request.",
    )


def made_table(fairness: Fairness) -> Table:
    rows = [
        [_heading(fairness, t), *plain_cells(number(n, 0) for n in _per_request(t.made))]
        for t in fairness.treatments
    ]
    return Table(
        "fairness-made",
        "What a request is made of, bytes on average",
        (
            *("Framework and arm", "Instructions and request", "Plan's hand-over", "Earlier answers"),
            *("Tool results", "Sent again", "Framing"),
        ),
        rows,
    )


def parameters_table(fairness: Fairness) -> Table:
    subjects = list(dict.fromkeys(p.framework for p in fairness.parameters))[:MOST_COLUMNS]
    by_place: dict[tuple[str, str], list[Parameter]] = {}
    for parameter in fairness.parameters:
        by_place.setdefault((parameter.key, parameter.framework), []).append(parameter)
    keys = list(dict.fromkeys(p.key for p in fairness.parameters))
    rows = [
        plain_cells([key, *(_values(by_place.get((key, subject), [])) for subject in subjects)])
        for key in keys
    ]
    if any(t.clients for t in fairness.treatments):
        rows.append(plain_cells(["User-Agent", *(_clients(fairness, subject) for subject in subjects)]))
    return Table(
        "fairness-parameters",
        "Parameters of the requests",
        ("Key", *(fairness.frameworks[subject] for subject in subjects)),
        rows,
        "As sent, with the number of requests where there are several values.",
        frozenset(range(1, len(subjects) + 1)),
    )


def step_title(step: StepComparison, tasks: int) -> str:
    """E.g. "writer: the same from all 6 frameworks"."""
    number_text = ""
    if step.first_number > 1:
        last = f" to {step.last_number}" if step.last_number > step.first_number else ""
        number_text = f", request {step.first_number}{last}"
    place = f"{step.task}: {step.agent}{number_text}" if tasks > 1 else f"{step.agent}{number_text}"
    frameworks = len({framework_of(name) for group in step.groups for name in group.frameworks})
    groups = len(step.groups) + step.groups_left_out
    if groups == 1:
        return f"{place}: the same messages from {plural(frameworks, 'framework')}"
    return f"{place}: {groups} different forms from {plural(frameworks, 'framework')}"


def group_title(group: Group, fairness: Fairness) -> str:
    return listing([fairness.frameworks[name] for name in group.frameworks], 12)


def span_label(span: Span) -> str:
    """What stands for a text that is where it comes from."""
    whose = f"{span.agent}'s " if span.agent else ""
    if span.source == "answer" and not span.agent:
        whose = "a hidden call's "
    if span.source in ("tool_call", "tool_result"):
        return whose + LABELS[span.source]
    changed = ", changed" if span.changed else ""
    return f"{whose}{LABELS.get(span.source, span.source)}{changed} ({plural(span.characters, 'character')})"


def findings_title(findings: Sequence[Finding], what: str) -> str:
    return f"{plural(len(findings), what)}" if findings else f"No {what}s"


def normalisations(fairness: Fairness) -> list[str]:
    """Each with the number of requests in which it came up, where that is counted."""
    counts = fairness.normalisations
    return [
        f"{text} ({plural(counts[name], 'request')})" if name in counts else text
        for name, text in NORMALISATIONS.items()
    ]


def _heading(fairness: Fairness, treatment: Treatment) -> Cell:
    return Cell(f"{fairness.frameworks[treatment.framework]}, {treatment.arm}")


def _per_request(made: Made) -> list[float | None]:
    parts = (made.brief, made.hand_over, made.answers, made.tool_results, made.again, made.framing)
    return [part / made.requests if made.requests else None for part in parts]


def _values(parameters: Sequence[Parameter]) -> str:
    """Of one key and framework, by arm where the arms differ."""
    texts = {parameter.arm: _one_arm(parameter) for parameter in parameters}
    if len({_without_counts(parameter) for parameter in parameters}) <= 1:
        return next(iter(texts.values()), MISSING)
    return "; ".join(f"{arm}: {text}" for arm, text in texts.items())


def _one_arm(parameter: Parameter) -> str:
    if not parameter.values:
        return MISSING
    several = len(parameter.values) + bool(parameter.missing) > 1
    parts = [f"{v.value} ({v.requests:,})" if several else v.value for v in parameter.values]
    if parameter.more_values:
        parts.append(f"{parameter.more_values:,} other values")
    if parameter.missing:
        parts.append(f"absent ({parameter.missing:,})")
    return ", ".join(parts)


def _without_counts(parameter: Parameter) -> tuple[object, ...]:
    return (*(value.value for value in parameter.values), parameter.more_values, bool(parameter.missing))


def _clients(fairness: Fairness, subject: str) -> str:
    named = {name: None for t in fairness.treatments if t.framework == subject for name in t.clients}
    return listing(list(named), 4) if named else MISSING
