"""What the analysis says, as typed data: the JSON file and the report's HTML both come from `Analysis`.

Keys are public: later versions add some and rename none. A number that does not exist is null, never NaN.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from analysis.audit_result import Audit
from analysis.consistency.result import StatedCriterion, SubjectConsistency
from analysis.cost.result import Cost, Price, Spending
from analysis.estimates.result import MetricEstimates
from analysis.fairness.result import Fairness
from analysis.guide.result import Guide
from analysis.mixed.result import MixedModel
from analysis.panel.noise_result import JudgeNoise
from analysis.panel.result import Panel
from analysis.people_result import People
from analysis.planning.result import SizePlan
from analysis.result_model import Number, Result
from analysis.score.result import TaskScore
from analysis.significance_result import Metric, Omnibus, Pair
from analysis.texts_result import ReportTexts
from analysis.variance.result import VarianceBudget
from analysis.what_if.result import WhatIf
from analysis.wire_result import (
    Difference,
    DifferenceMetric,
    Drift,
    MachineMeans,
    Meters,
    NodeEffect,
    NoiseFloor,
    Parts,
    QuarantinedRun,
)

ANALYSIS_SCHEMA_VERSION = 1

CRITERIA = ("completeness", "accuracy", "structure", "insight", "readability")
SIGNIFICANCE_LEVEL = 0.05


class Spread(Result):
    mean: Number = None
    median: Number = None
    std: Number = None
    """With n - 1 in the denominator; null for a single value."""
    min: Number = None
    max: Number = None
    q1: Number = None
    q3: Number = None


class Checks(Result):
    """Means over completed runs of what can be said of a report without any model."""

    passed: Number = None
    """Share of the runs that passed the task's own exact score."""
    section_share: Number = None
    words: Number = None
    words_in_range: Number = None
    """Share of reports within the asked number of words."""
    fact_recall: Number = None
    unsupported_sentences: Number = None
    """Per report: sentences with a figure or name that no source knows."""
    repetition: Number = None
    """Share of the word 4-grams that repeat earlier ones."""
    in_asked_language: Number = None
    """Share of the reports whose language could be told."""


class FrameworkResult(Result):
    title: str
    framework: str
    arm: str | None
    role: Literal["framework", "floor", "dry", "twin"]
    """floor: no framework at all. dry: answers without a model, so only its times mean anything.
    twin: another framework under a second name, for the noise floor; it competes with nobody."""
    twin_of: str | None = None
    rows: int
    statuses: dict[str, int]
    n: int
    """Completed runs: what every mean below is taken over."""
    n_timed: int
    """Those whose times count: not disturbed."""
    n_scored: int
    distinct_outputs: int | None
    quality: Number
    latency_s: Number
    tokens: Number
    std: Number
    min: Number
    max: Number
    range: Number
    criteria: dict[str, Number]
    quality_spread: Spread
    latency_spread: Spread
    tokens_spread: Spread
    prompt_tokens: Number
    completion_tokens: Number
    tokens_per_quality_point: Number
    model_s: Number
    tool_s: Number
    framework_s: Number
    model_calls: Number
    tool_calls: Number
    checks: Checks
    parts: Parts | None = None
    """Latency taken apart; null unless known of every run whose times count."""
    agent_parts: dict[str, Parts] = Field(default_factory=dict)
    """The same by agent, in the order of their steps; "" is what belongs to none."""
    boot_s: Number = None
    """Starting its process, imports left out: in no latency."""
    import_s: Number = None
    machine: MachineMeans | None = None

    @property
    def name(self) -> str:
        """The title without the arm."""
        return self.title.removesuffix(f" [{self.arm}]")


class Place(Result):
    """Places of the means within an arm, from 1, ties sharing the better one; null without a mean.

    An order of means is no finding: `Analysis.estimates` says which of them are told apart.
    """

    framework: str
    quality: int | None
    latency_s: int | None
    tokens: int | None
    significantly_lower_quality: list[str]
    """Frameworks of the arm whose quality is lower by the classic test of all runs after Bonferroni."""


class Cell(Result):
    """One framework on one item."""

    framework: str
    item: str
    n: int
    n_failed: int
    quality: Number
    latency_s: Number
    tokens: Number
    distinct_outputs: int | None
    copies: list[list[int]]
    """Iterations that produced byte-identical reports, group by group."""


class SameText(Result):
    """Frameworks whose reports were byte-identical."""

    frameworks: list[str]
    items: int
    """On how many items."""


class Replication(Result):
    """How much of the data is new evidence."""

    rows: int
    completed: int
    distinct_outputs: int | None
    """Different reports within each item, summed over items; null when the reports are not known."""
    effective_n: Number
    """Median over the frameworks of their distinct reports; each framework's own number is beside it."""
    distinct_by_framework: dict[str, int]
    identical_across: list[SameText] = Field(default_factory=list)
    items: int


class Alarm(Result):
    """A typed finding: what to distrust, and the figures that say so."""

    code: str
    severity: Literal["high", "medium", "low"]
    text: str
    evidence: dict[str, Any]


class Failure(Result):
    framework: str
    item: str
    iteration: int
    attempt: int | None
    status: str
    error: str


class RunColumns(Result):
    """The completed runs column by column: what the figures are drawn from."""

    every: int = 1
    """1: all of them are here. n: every n-th, because there are too many to list."""
    framework: list[str] = Field(default_factory=list)
    item: list[str] = Field(default_factory=list)
    iteration: list[int] = Field(default_factory=list)
    quality: list[Number] = Field(default_factory=list)
    latency_s: list[Number] = Field(default_factory=list)
    tokens: list[Number] = Field(default_factory=list)
    report_digest: list[str] = Field(default_factory=list)
    order: list[Number] = Field(default_factory=list)
    """Place in the order in which the runs were made, from 1; null when neither start nor plan tells."""
    decode_rate: list[Number] = Field(default_factory=list)
    """Output tokens per second of `Drift.basis`."""
    quarantine: list[str] = Field(default_factory=list)
    """"disturbed": its times are left out here and everywhere."""


class Summary(Result):
    """The first screen, in plain words, each sentence computed from the data."""

    headline: str
    compared: list[str]
    learned: list[str]
    certainty: list[str]
    cannot_conclude: list[str]


class Setup(Result):
    """What the manifest says of the experiment; empty for a plain CSV."""

    experiment: str
    created_at: str | None = None
    facts: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Section (settings, plan, server, hardware) -> name -> value."""
    versions: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Framework -> distribution -> version."""
    notes: list[str] = Field(default_factory=list)
    planned_runs: int | None = None
    """How many the plan asks for."""
    warmups: int | None = None
    """Runs that were recorded and count nowhere; null when not known."""


class Analysis(Result):
    schema_version: int = ANALYSIS_SCHEMA_VERSION
    setup: Setup
    summary: Summary
    items: list[str]
    iterations: int
    """Most iterations that any cell has."""
    criteria: list[str]
    statuses: dict[str, int]
    frameworks: dict[str, FrameworkResult]
    ranking: list[Place]
    omnibus: dict[Metric, Omnibus]
    pairs: list[Pair]
    cells: list[Cell]
    replication: Replication
    judge: JudgeNoise
    alarms: list[Alarm]
    failures: list[Failure]
    runs: RunColumns
    fairness: Fairness | None = None
    """What was on the wire; null for a plain table of runs, whose requests are not known."""
    differences: list[Difference] = Field(default_factory=list)
    noise_floor: NoiseFloor = NoiseFloor()
    meters: dict[str, Meters] = Field(default_factory=dict)
    drift: Drift = Drift()
    nodes: NodeEffect = NodeEffect()
    quarantined: list[QuarantinedRun] = Field(default_factory=list)
    texts: ReportTexts = ReportTexts()
    judges: dict[str, Audit] = Field(default_factory=dict)
    """What `levelfield judge audit` found of each judge; empty where none was audited."""
    panel: Panel | None = None
    """What the judges say together; null where nothing was scored."""
    people: People | None = None
    """What people's ratings tell; null where nobody rated."""
    acceptance: list[StatedCriterion] = Field(default_factory=list)
    """What a report must meet to be accepted."""
    consistency: dict[str, SubjectConsistency] = Field(default_factory=dict)
    """How alike each framework's repeats are: texts, outcomes, times and tokens, never scores."""
    prices: dict[str, Price] = Field(default_factory=dict)
    spending: dict[str, Spending] = Field(default_factory=dict)
    """What each framework's runs used, failed ones too."""
    cost: dict[str, dict[str, Cost]] = Field(default_factory=dict)
    """Price -> framework -> what its runs cost; without judging."""
    what_if: WhatIf = WhatIf()
    guide: Guide = Guide()
    """Which framework for whom."""
    mixed: list[MixedModel] = Field(default_factory=list)
    """Per arm and metric: framework fixed; item, node and judge random."""
    budgets: dict[str, VarianceBudget] = Field(default_factory=dict)
    """By metric (quality, latency_s, tokens); quality's is the panel's."""
    planning: list[SizePlan] = Field(default_factory=list)
    """Per metric: what the next experiment needs, if this one is its pilot."""
    estimates: dict[DifferenceMetric, MetricEstimates] = Field(default_factory=dict)
    """Paired by item, arm by arm: what decides between two frameworks."""
    score: TaskScore | None = None
    """What the task's own score counts beside passed; null where it counts nothing."""
