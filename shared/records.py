"""What a run leaves behind. Every number in a report comes from these.

Schema history (old records stay readable; a newer one is refused with a message):
1: first version.
2: latency taken apart, the machine's load, the server's own counters, retries told apart, long texts of calls
   kept once per experiment, quarantine, probes, briefs. Everything new has a default.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from shared.latency import LatencyParts
from shared.strict import Strict
from shared.surroundings import MachineLoad

SCHEMA_VERSION = 2


class Status(StrEnum):
    """How a run ended: exactly one of these."""

    COMPLETED = "completed"
    FRAMEWORK_ERROR = "framework_error"
    """The framework or its adapter raised."""
    LIMIT_REACHED = "limit_reached"
    """Stopped by the plan's limits (steps, calls, tokens) before a final answer."""
    MODEL_ERROR = "model_error"
    """The model server failed, refused or answered nonsense."""
    TIMEOUT = "timeout"
    """Still running at the run's deadline."""
    CONTAMINATED = "contaminated"
    """Another run's traffic overlapped this one's on the node."""
    INFRASTRUCTURE_ERROR = "infrastructure_error"
    """Ours: a worker, gateway or node died. Never counted against a framework."""

    @property
    def is_final(self) -> bool:
        """Whether this says something of the framework, so that a resumed plan does not repeat the run."""
        return self in FINAL_STATUSES


FINAL_STATUSES = frozenset({Status.COMPLETED, Status.FRAMEWORK_ERROR, Status.LIMIT_REACHED, Status.TIMEOUT})


class RunKey(Strict):
    """What is compared: one cell of the plan."""

    framework: str
    arm: str
    task: str
    item: str
    iteration: int = Field(ge=0)
    """From 1; 0 is a warm-up, which is recorded and never counted."""

    @property
    def block(self) -> tuple[str, str, int]:
        """Runs that are compared with one another: same task, item and iteration."""
        return (self.task, self.item, self.iteration)

    @property
    def run_id(self) -> str:
        """Also the name of the run's folder."""
        return f"{self.task}.{self.item}.{self.iteration}.{self.arm}.{self.framework}"


class Boot(Strict):
    """Starting a framework's process: kept apart, never inside a latency."""

    process_s: float
    """From asking the environment's actor for it to its first answer, imports left out."""
    import_s: float
    versions: dict[str, str]
    """Distribution -> version, in the framework's own environment."""
    python: str
    """Python version."""


class RunRecord(Strict):
    """One attempt at one run. Written once, never changed."""

    schema_version: int = SCHEMA_VERSION
    key: RunKey
    attempt: int = Field(ge=1)
    attempt_id: str
    """Random; tells two attempts apart that claim the same number."""
    status: Status
    error: str | None = None
    """What went wrong, for every status but completed."""
    position: int
    """Place in the plan's seeded order, from 0."""
    node: str
    """The inference node that served it."""
    started_at: str
    """UTC, ISO 8601."""
    latency_s: float | None = None
    """From handing the request to the adapter until its outcome or error, in the framework's process, without
    `rate_limited_s`."""
    rate_limited_s: float = 0.0
    """Seconds of it in which the run only waited because the service said that it is asked too often."""
    started_s: float | None = None
    """When the adapter was called, on the clock of the calls."""
    ended_s: float | None = None
    """When the node had the outcome or stopped waiting for it, on the same clock."""
    model_s: float
    """Union of the intervals in which a model call of this run was at the gateway."""
    tool_s: float
    """The same for tool calls."""
    parts: LatencyParts | None = None
    """`latency_s` taken apart; they add up to it. None without a latency."""
    agent_parts: dict[str, LatencyParts] = Field(default_factory=dict)
    """The same by agent; "" is what belongs to none."""
    slowest_call_tokens_per_s: float | None = None
    """Of the slowest of this run's model calls, see `shared.latency.decode_rate`; None: none tells."""
    fastest_call_tokens_per_s: float | None = None
    prompt_tokens: int
    """At the wire, as the model server counted them. The framework's own count is `native_prompt_tokens`."""
    completion_tokens: int
    cached_tokens: int | None = None
    """Of `prompt_tokens`, those that the server had read before; None when it never says."""
    model_calls: int
    """A call and its retries count once."""
    tool_calls: int
    retried_calls: int = 0
    """Requests beyond these: repeats of failed ones."""
    retried_tokens: int = 0
    """Prompt and completion tokens of attempts that were repeated; in no other count."""
    native_prompt_tokens: int | None = None
    native_completion_tokens: int | None = None
    server_prompt_tokens: int | None = None
    """By how much the server's own counters grew over the run; None when it has none."""
    server_completion_tokens: int | None = None
    text: str = ""
    """The report."""
    agent_outputs: dict[str, str] = Field(default_factory=dict)
    limits_hit: list[str] = Field(default_factory=list)
    """E.g. "model call 3: max_tokens": an answer cut off by the plan's token limit, read from the wire."""
    boot: Boot | None = None
    machine: MachineLoad | None = None
    stray_calls: int = 0
    """Calls with an unknown or closed address that came to the node meanwhile; all were refused."""
    trace_id: str | None = None
    """W3C id of the run's trace."""
    log: list[str] = Field(default_factory=list)
    """Warnings that the framework's process logged, with the ids of the trace; bounded."""
    replay_of: str | None = None
    """In a replay: the attempt whose recorded answers were given."""
    details: dict[str, Any] = Field(default_factory=dict)
    calls_sha256: str | None = None
    """Digest of the calls file beside this record."""

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


class JudgeAttempt(Strict):
    """One answer of the judge, whether it could be used or not."""

    text: str
    error: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float


class Verdict(Strict):
    """One judge's opinion of one report."""

    schema_version: int = SCHEMA_VERSION
    run_id: str
    attempt_id: str
    judge: str
    """The judge model's setting, e.g. "llamacpp:smollm2-135m"."""
    rubric: str
    """Name and version of the rubric, and of how judges were asked: "company_research/1.2"."""
    repeat: int = 1
    """From 1: the same text again, in another order of criteria and facts."""
    seed: int | None = None
    """Of the first attempt; each further one has the next. None: not recorded."""
    criteria_order: list[str] = Field(default_factory=list)
    """As the judge was asked for them; empty: as the rubric has them."""
    evidence_start: int = 0
    """Which line of the evidence came first, from 0; those before it followed at the end."""
    same_text_as: str | None = None
    """The run whose report has the very same text, when this is that report's verdict and not a new one."""
    scored: bool
    """False when no attempt could be parsed: a recorded failure, not a score."""
    scores: dict[str, int | float] = Field(default_factory=dict)
    """Criterion -> 1..10."""
    weighed: bool = False
    """Whether scores are means by the judge's own probabilities (`judge/weigh_scores.py`), not as written."""
    overall: float | None = None
    """Mean of the criteria, by the rubric's weights."""
    judge_overall: float | None = None
    """What the judge itself said overall."""
    reasoning: str = ""
    attempts: list[JudgeAttempt]


class UnsupportedClaim(Strict):
    """A sentence of a report with what in it no source knows."""

    sentence: str
    unsupported: list[str]
    """Figures in lower case and names, as the sentence writes them."""


class CheckResult(Strict):
    """What can be said of a report without any model."""

    schema_version: int = SCHEMA_VERSION
    run_id: str
    attempt_id: str
    checks: str
    """Name and version of what it is held against, and of the rules: "company_research/1.2"."""
    sections_found: list[str]
    sections_missing: list[str]
    words: int
    words_in_range: bool | None
    """None where no length was asked for."""
    facts_found: list[str]
    """Ids of the known facts that the report states."""
    facts_total: int
    sentences: int | None = None
    """Sentences read for claims. None in records from before claims were looked for, like what follows."""
    unsupported_sentences: int | None = None
    """Sentences with a figure or name that no source knows."""
    unsupported: list[UnsupportedClaim] = Field(default_factory=list)
    """The first of them."""
    repetition: float | None = None
    """Share of the word 4-grams that repeat earlier ones; None for a text without any."""
    language: str | None = None
    """ISO 639-1; None when the text is too short or the answer doubtful."""
    in_asked_language: bool | None = None
    passed: bool | None = None
    """By the task's own exact score; None where it has none."""
    figures: dict[str, float] = Field(default_factory=dict)
    """What else that score counts, by name."""
    notes: list[str] = Field(default_factory=list)
    """Why it did not pass."""

    @property
    def section_share(self) -> float | None:
        """None where no sections were asked for; likewise below."""
        asked = len(self.sections_found) + len(self.sections_missing)
        return len(self.sections_found) / asked if asked else None

    @property
    def fact_recall(self) -> float | None:
        return len(self.facts_found) / self.facts_total if self.facts_total else None
