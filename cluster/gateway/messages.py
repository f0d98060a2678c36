"""What goes between the gateway's process and the one that owns it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue, SecretStr

from shared.records import Call, Strict


class GatewayConfig(Strict):
    """Read from stdin at the start, because arguments and environment variables are visible to others."""

    upstream_url: str
    """The model server's OpenAI-compatible base URL, ending in /v1."""
    upstream_key: SecretStr | None = None
    admin_secret: SecretStr
    spool_dir: str
    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    request_timeout_s: float = Field(default=600.0, gt=0)
    body_limit_bytes: int = Field(default=32 * 2**20, gt=0)
    answer_limit_bytes: int = Field(default=64 * 2**20, gt=0)


class LeaseRequest(Strict):
    run_id: str
    kind: Literal["run", "judge"] = "run"
    """A run has the node to itself; judge leases share it, and only while no run has it."""
    deadline_s: float = Field(gt=0)
    max_model_calls: int | None = Field(default=None, ge=0)
    max_completion_tokens: int | None = Field(default=None, ge=0)
    """No call is admitted once this many were generated; the last call may overshoot."""
    tools: dict[str, JsonValue] = Field(default_factory=dict)
    """Tool name -> the data it works on, as `shared.tools` defines it. Other tools are refused."""


class Lease(Strict):
    """Where an opened lease's calls go. The URLs are secrets: whoever knows them can spend the lease."""

    token: str = Field(repr=False)
    base_url: str = Field(repr=False)
    tools_url: str = Field(repr=False)


class LeaseReport(Strict):
    """Everything that happened under one lease."""

    run_id: str
    kind: Literal["run", "judge"]
    seconds: float
    calls: list[Call]
    stray_calls: int
    """Calls with another token, or none that was ever given out, while this lease was open."""
    refused_calls: int
    """This lease's own calls that were turned away; they are among `calls` too."""
    budget_exceeded: list[str]
    """Which limits turned a call away: deadline, model_calls, completion_tokens."""

    @property
    def contaminated(self) -> bool:
        return self.stray_calls > 0


class GatewayStatus(Strict):
    """A glance at the open run lease, or at the gateway alone when none is open."""

    run_id: str | None = None
    seconds: float = 0.0
    calls: int = 0
    in_flight: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    judge_leases: int = 0
    stray_calls_total: int = 0


class Ready(Strict):
    """The one line on the gateway's stdout."""

    port: int | None = None
    error: str | None = None


