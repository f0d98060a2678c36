"""What the wire, the meters and the machine say, as typed data: parts of `analysis.result.Analysis`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from analysis.result_model import Number, Result

DifferenceMetric = Literal["quality", "latency_s", "framework_s", "tokens"]


class Parts(Result):
    """Mean seconds of a run by stage (`shared.latency`). They add up to the mean latency."""

    queue_s: float
    prefill_s: float
    decode_s: float
    model_s: float
    """At the model, where neither stream nor server tells prefill from decode."""
    tool_s: float
    gateway_s: float
    framework_s: float


class MachineMeans(Result):
    """Means over the runs whose times count. Shares are of all processors' time, from 0 to 1."""

    busy_share: Number = None
    other_share: Number = None
    steal_share: Number = None
    cpu_pressure: Number = None
    energy_j: Number = None
    """Of all GPUs, per run."""


class Interval(Result):
    """95 %, over items: of a mean `analysis.mean_interval`, of other figures `analysis.item_bootstrap`."""

    low: float
    high: float


class Difference(Result):
    """Two frameworks on the items that both completed: the mean over items of `a` less `b`."""

    a: str
    b: str
    metric: DifferenceMetric
    arm: str | None
    """Of the total: the idiomatic arm where it ran."""
    n_items: int
    """Items with values of both; where `framework` is given, in both arms."""
    total: float
    total_interval: Interval | None = None
    """None below `analysis.mean_interval.FEWEST_ITEMS` items."""
    framework: Number = None
    """The same difference in the equalised arm, where both send the same messages; null without that arm."""
    framework_interval: Interval | None = None
    pattern: Number = None
    """total - framework: what the way of passing context on adds."""
    pattern_interval: Interval | None = None
    model_s: Number = None
    """Of the total of latency_s, what was spent at the model. With the next three it adds up to the total."""
    tool_s: Number = None
    gateway_s: Number = None
    framework_s: Number = None
    noise: Number = None
    """The noise floor of this metric; null when no framework ran against itself."""
    exceeds_noise: bool | None = None


class Noise(Result):
    """Of a framework against itself: over items, the absolute difference of the two means."""

    mean_absolute: float
    largest: float
    n_items: int


class TwinPair(Result):
    """One framework under two names."""

    a: str
    b: str
    metrics: dict[DifferenceMetric, Noise]


class NoiseFloor(Result):
    """What differs without any cause in the framework. Both empty when none ran against itself."""

    pairs: list[TwinPair] = Field(default_factory=list)
    metrics: dict[DifferenceMetric, Noise] = Field(default_factory=dict)
    """Over all pairs, each item of each pair counting once."""


class Tokens(Result):
    prompt: float
    completion: float
    total: float


class MeterCheck(Result):
    """Another meter beside the wire, summed over the runs that both know."""

    runs: int
    counted: Tokens
    wire: Tokens
    cached: float
    """Of the wire's prompt tokens, those that the server had read before."""
    prompt_ratio: Number
    """Counted over wire."""
    completion_ratio: Number
    total_ratio: Number


class Meters(Result):
    """One framework's tokens by three meters."""

    runs: int
    wire: Tokens | None
    """Sums over completed runs; null when not known."""
    cached: Number
    retried_calls: Number
    retried_tokens: Number
    own: MeterCheck | None
    """The framework's own count; null when it gives none."""
    server: MeterCheck | None
    """The growth of the server's counters, over runs without retried calls; null when it has none."""


class RunRate(Result):
    framework: str
    item: str
    iteration: int
    tokens_per_s: float


class ProbeMark(Result):
    """One probe, and where it lies between the runs."""

    order: float
    """On the scale of `RunColumns.order`: 2.5 lies between the runs 2 and 3."""
    node: str
    block: str
    when: Literal["before", "after"]
    at: str
    tokens_per_s: Number


class Probes(Result):
    """The same small request before and after each block."""

    n: int
    failed: int
    basis: Literal["decode_s", "seconds"] | None
    """What the rates are taken over: decoding alone where every probe tells it, else the whole request."""
    slowest: Number
    fastest: Number
    ratio: Number
    texts: int
    """Different answers; one when nothing changed."""
    marks: list[ProbeMark]


class Drift(Result):
    """Speed of the model over the experiment: output tokens per second of a run."""

    basis: Literal["decode_s", "model_s", "latency_s"] | None = None
    """The finest time that is known of every run."""
    slowest: RunRate | None = None
    fastest: RunRate | None = None
    ratio: Number = None
    slowest_call_tokens_per_s: Number = None
    """The same of single model calls; null where no call tells its decoding apart."""
    fastest_call_tokens_per_s: Number = None
    probes: Probes | None = None


class NodeFigures(Result):
    """Completed runs on one inference node, means."""

    runs: int
    blocks: int
    latency_s: Number
    tokens_per_s: Number
    """Of runs, as in `Drift`."""
    probe_tokens_per_s: Number
    quality: Number


class NodeEffect(Result):
    """Whether it mattered on which node a run was."""

    nodes: dict[str, NodeFigures] = Field(default_factory=dict)
    ratio: Number = None
    """Mean tokens per second of blocks, the fastest node's over the slowest's; null with one node."""
    p: Number = None
    """By Kruskal and Wallis on the means of blocks."""


class QuarantinedRun(Result):
    """An attempt whose figures are not used."""

    framework: str
    item: str
    iteration: int
    attempt: int
    code: Literal["disturbed", "late_calls"]
    reasons: list[str]
    kept: bool
    """Whether it is still the run's last word: nothing better came."""
