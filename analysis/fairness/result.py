"""What the proof says, as typed data: the command's JSON, the report's section and the terminal come from it.

Text that was on the wire is shown with control and format characters as escapes, and cut to a bound.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.strict import Strict

Code = Literal[
    "prompt_missing",
    "prompt_changed",
    "prompts_differ",
    "assistant_ending",
    "framing",
    "tools_differ",
    "tool_results_differ",
    "model_differs",
    "temperature_missing",
    "temperature_differs",
    "seed_missing",
    "seed_differs",
    "limit_missing",
    "limit_differs",
    "hidden_calls",
    "own_retries",
    "streaming_differs",
    "extra_parameters",
    "replay_differs",
    "unchecked",
]

Severity = Literal["violation", "note"]

Source = Literal["instructions", "request", "hand_over", "answer", "tool_call", "tool_result", "framing"]
"""Where a stretch of a request comes from. hand_over: the plan's own words around earlier answers, for those
whom it tells how to hand over. framing: everything else, which is the framework's."""

Mark = Literal["same", "added", "removed"]
"""Against the reference."""


class Span(Strict):
    """A stretch of a message."""

    mark: Mark
    source: Source
    agent: str | None = None
    """Whose instructions, request or answer."""
    characters: int = 0
    text: str = ""
    """The characters themselves, where they are not what `source` says word for word."""
    changed: bool = False
    """Whether what follows are the edits that `source` underwent."""


class ShownMessage(Strict):
    mark: Literal["same", "added", "removed", "changed"]
    role: str
    spans: list[Span]


class Where(Strict):
    """Where to look: a run's calls lie in runs/<run_id>/attempt-<attempt>.calls.jsonl."""

    run_id: str
    attempt: int
    call: int | None = None
    """The call's sequence; None: the run as a whole."""
    agent: str | None = None


class Evidence(Where):
    expected: str | None = None
    seen: str | None = None
    diff: list[Span] = Field(default_factory=list)


class Finding(Strict):
    """A difference in treatment. A violation breaks one of the rules; a note is shown and counted."""

    code: Code
    rule: int | None
    """Of the methodology's five: 1 prompts, 2 tools, 3 model, 4 temperature and seed, 5 no tuning."""
    severity: Severity
    framework: str | None
    """The subject's name; None: of the experiment as a whole."""
    arm: str | None
    count: int
    """Requests, or what `text` counts."""
    text: str
    evidence: list[Evidence] = Field(default_factory=list)
    """The first few."""


class Made(Strict):
    """What requests are made of, in bytes of UTF-8 of their messages' texts."""

    requests: int = 0
    brief: int = 0
    """The agent's own instructions and request, once."""
    hand_over: int = 0
    answers: int = 0
    """Earlier answers and tool calls, each once."""
    tool_results: int = 0
    again: int = 0
    """Sent again: other agents' instructions and requests, and whatever stands twice in one request."""
    framing: int = 0
    """What the framework added."""


class Treatment(Strict):
    """How often what happened, for one framework in one arm."""

    framework: str
    arm: str
    runs: int
    calls: int
    """Model requests, all of them."""
    hidden_calls: int
    """That belong to no agent, or that ask an agent again although its last answer called no tool."""
    retries: int
    streamed: int
    assistant_endings: int
    tool_calls: int
    made: Made
    agents: dict[str, Made]
    clients: dict[str, int]
    """User-Agent -> requests."""


class SeenValue(Strict):
    value: str
    """As JSON."""
    requests: int


class Parameter(Strict):
    """What one framework sent for one key in one arm."""

    framework: str
    arm: str
    key: str
    missing: int
    """Requests without it."""
    values: list[SeenValue]
    more_values: int = 0
    """Values beyond those listed."""
    alone: bool = False
    """Whether some other framework never sends this key."""


class Group(Strict):
    """Frameworks whose messages are equal."""

    frameworks: dict[str, int]
    """Subject -> requests."""
    is_reference: bool
    example: Where
    messages: list[ShownMessage]
    messages_left_out: int = 0


class StepComparison(Strict):
    """The requests of one agent's step side by side, over all items and iterations."""

    task: str
    arm: str
    agent: str
    first_number: int
    """Of the request within the step: 1, or more in a tool loop."""
    last_number: int
    """Numbers that show the same picture are folded."""
    items: int
    requests: int
    groups: list[Group]
    groups_left_out: int = 0


class Handed(Strict):
    """What an agent was handed, for one item as an example."""

    task: str
    item: str
    agent: str
    instructions: str
    request: str


class Fairness(Strict):
    verdict: str
    requests: int
    """Model requests that were looked at."""
    frameworks: dict[str, str]
    """Subject -> title, in the order of the plan."""
    arms: list[str]
    treatments: list[Treatment]
    parameters: list[Parameter]
    handed: list[Handed]
    steps: list[StepComparison]
    steps_left_out: int = 0
    findings: list[Finding]
    left: dict[str, list[str]]
    """Subject -> what still tells its requests from the reference's in the equalised arm."""
    normalisations: dict[str, int]
    """What counted as equal though it is spelt differently -> requests in which it came up."""

    @property
    def violations(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity == "violation"]

    @property
    def notes(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity == "note"]
