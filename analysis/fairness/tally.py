"""What is kept of an experiment while its runs pass by: counts and a few examples, whatever its size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from analysis.fairness.compose import Part
from analysis.fairness.messages import as_json
from analysis.fairness.result import Code, Evidence, Made, Severity, Where
from analysis.fairness.template import Template
from analysis.fairness.tool_checks import Difference, offered_names
from analysis.fairness.visible import visible

MOST_EVIDENCE = 3
MOST_DETAILS = 20
MOST_TEMPLATES = 12
"""That one subject brings into a step. One that sends the time of day makes a new one with each request."""
MOST_KEYS = 100
"""Kept per subject and arm."""
MOST_VALUES = 20
"""Kept per key."""

Treated = tuple[str, str]
"""Subject and arm."""
StepKey = tuple[str, str, str, int]
"""Task, arm, agent, number of the request within the step."""


@dataclass
class Findings:
    """All observations of one kind about one subject in one arm."""

    count: int = 0
    details: Counter[str] = field(default_factory=Counter)
    evidence: list[Evidence] = field(default_factory=list)

    def add(self, difference: Difference, where: Where | None = None, count: int = 1) -> None:
        self.count += count
        if difference.what and (difference.what in self.details or len(self.details) < MOST_DETAILS):
            self.details[difference.what] += count
        if where and len(self.evidence) < MOST_EVIDENCE:
            self.evidence.append(self._evidence(difference, where))

    def _evidence(self, difference: Difference, where: Where) -> Evidence:
        """What is the same as in an earlier one is not shown again."""
        told = (difference.expected, difference.seen, difference.diff())
        if told in ((one.expected, one.seen, one.diff) for one in self.evidence):
            return Evidence(**where.model_dump())
        return Evidence(**where.model_dump(), expected=told[0], seen=told[1], diff=told[2])


@dataclass
class TreatmentCounts:
    """Becomes a Treatment."""

    runs: int = 0
    calls: int = 0
    hidden_calls: int = 0
    retries: int = 0
    streamed: int = 0
    assistant_endings: int = 0
    tool_calls: int = 0
    agents: dict[str, Made] = field(default_factory=dict)
    clients: Counter[str] = field(default_factory=Counter)

    def add_client(self, client: str) -> None:
        if client in self.clients or len(self.clients) < MOST_VALUES:
            self.clients[client] += 1

    def add_made(self, agent: str, made: Made) -> None:
        self.agents[agent] = sum_made([self.agents.get(agent, Made()), made])


@dataclass
class KeyValues:
    """What was sent for one key."""

    requests: int = 0
    values: Counter[str] = field(default_factory=Counter)
    more: set[int] = field(default_factory=set)
    """Hashes of values beyond those kept."""
    where: Where | None = None
    """The first request with the key."""

    def add(self, key: str, value: Any, where: Where) -> None:
        self.where = self.where or where
        self.requests += 1
        told = as_json(offered_names(value) if key == "tools" else value)
        shown = visible(told, 80)
        if shown in self.values or len(self.values) < MOST_VALUES:
            self.values[shown] += 1
        elif len(self.more) < 1_000:
            self.more.add(hash(told))


@dataclass
class Alike:
    """Requests with the same template."""

    parts: tuple[Part, ...]
    """Of the first of them."""
    frameworks: Counter[str] = field(default_factory=Counter)
    where: dict[str, Where] = field(default_factory=dict)
    """Subject -> its first request."""


@dataclass
class StepCounts:
    """The requests of all frameworks at one place."""

    requests: int = 0
    items: set[str] = field(default_factory=set)
    alike: dict[Template, Alike] = field(default_factory=dict)
    brought: Counter[str] = field(default_factory=Counter)
    """Subject -> templates that it was the first to send."""
    unkept: Counter[str] = field(default_factory=Counter)
    """Subject -> requests with templates beyond those kept."""

    def add(self, subject: str, item: str, template: Template, parts: tuple[Part, ...], where: Where) -> None:
        self.requests += 1
        self.items.add(item)
        found = self.alike.get(template)
        if found is None and self.brought[subject] >= MOST_TEMPLATES:
            self.unkept[subject] += 1
            return
        if found is None:
            self.brought[subject] += 1
            found = self.alike[template] = Alike(parts)
        found.frameworks[subject] += 1
        found.where.setdefault(subject, where)

    @property
    def subjects(self) -> set[str]:
        return {subject for alike in self.alike.values() for subject in alike.frameworks}


@dataclass
class Served:
    """What one tool answered to one question about one item: it should be one text."""

    subjects: dict[str, Counter[Treated]] = field(default_factory=dict)
    """Digest of the text -> who got it."""
    where: dict[tuple[str, Treated], Where] = field(default_factory=dict)
    """The first call of each."""


class Tally:
    """Of one experiment."""

    def __init__(self) -> None:
        self.treatments: dict[Treated, TreatmentCounts] = {}
        self.parameters: dict[tuple[str, str, str], KeyValues] = {}
        self.keys: Counter[Treated] = Counter()
        """How many keys are kept."""
        self.chats: Counter[Treated] = Counter()
        """Chat completions, which alone have parameters."""
        self.findings: dict[tuple[Code, str | None, str | None, Severity], Findings] = {}
        self.steps: dict[StepKey, StepCounts] = {}
        self.served: dict[tuple[str, str, str], Served] = {}
        """By task and item, tool, arguments."""
        self.normalised: Counter[str] = Counter()
        self.unchecked: Counter[str] = Counter()
        """Why -> how many runs, or requests, as the words say."""
        self.silent: Counter[str] = Counter()
        """Subject -> runs without any model request."""

    def treatment(self, treated: Treated) -> TreatmentCounts:
        return self.treatments.setdefault(treated, TreatmentCounts())

    def step(self, key: StepKey) -> StepCounts:
        return self.steps.setdefault(key, StepCounts())

    def add_value(self, treated: Treated, key: str, value: Any, where: Where) -> None:
        place = (*treated, key)
        if place not in self.parameters:
            if self.keys[treated] >= MOST_KEYS:
                return
            self.keys[treated] += 1
            self.parameters[place] = KeyValues()
        self.parameters[place].add(key, value, where)

    def find(
        self,
        code: Code,
        severity: Severity,
        treated: Treated | tuple[None, None],
        difference: Difference,
        *,
        where: Where | None = None,
        count: int = 1,
    ) -> None:
        key = (code, *treated, severity)
        self.findings.setdefault(key, Findings()).add(difference, where, count)

    def keys_of(self, treated: Treated) -> Iterator[tuple[str, KeyValues]]:
        return (
            (key, found)
            for (subject, arm, key), found in self.parameters.items()
            if (subject, arm) == treated
        )


def sum_made(parts: list[Made]) -> Made:
    return Made(**{name: sum(getattr(part, name) for part in parts) for name in Made.model_fields})
