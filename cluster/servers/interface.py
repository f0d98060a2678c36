"""What the rest of the product may ask of a model server, whoever runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class VllmOptions:
    """How a vLLM of ours is started."""

    python: Path
    """The interpreter of an environment with vLLM in it."""
    tensor_parallel: int | None = None
    """GPUs to spread the model over; None: all that the node can see."""
    prefix_caching: bool = False
    tool_call_parser: str | None = None
    """vLLM's name for how the model writes tool calls; None: it answers none."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    log_dir: Path
    """A server of ours writes its log there."""
    base_url: str | None = None
    """Where a server of somebody else's is; None: the usual place of its kind."""
    api_key: str | None = field(default=None, repr=False)
    context_length: int = 8192
    timeout_s: float = 60.0
    """For a server of ours to be ready. Servers that should be there already get PROBE_TIMEOUT_S."""
    on_progress: Callable[[str], None] = lambda _: None
    """Told what is being fetched or loaded."""
    vllm: VllmOptions | None = None
    """None: no vLLM of ours is started."""


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """What can change an answer. No addresses, folders or secrets: it goes into the manifest."""

    setting: str
    """As the user wrote it, e.g. "llamacpp:smollm2-135m"; of a model file, its name alone."""
    served_model: str
    """The `model` of a request."""
    digest: str | None
    """Of the weights; None when the server does not tell."""
    server: str
    version: str | None
    context_length: int | None
    flags: dict[str, Any]
    """Settings of the server that we chose or know."""
    caveat: str | None = None
    """What a reader of results made with it must know; the report repeats it."""


@dataclass(frozen=True, slots=True)
class TokenCounters:
    """What a server has counted since it started, for all its clients together."""

    prompt_tokens: int
    """With those that it had read before, as the `usage` of an answer has them."""
    completion_tokens: int


def growth(before: TokenCounters | None, after: TokenCounters | None) -> TokenCounters | None:
    """What came in between; None when a side is not known, or the server was started again meanwhile."""
    if before is None or after is None:
        return None
    prompt = after.prompt_tokens - before.prompt_tokens
    completion = after.completion_tokens - before.completion_tokens
    return TokenCounters(prompt, completion) if min(prompt, completion) >= 0 else None


class ModelServer(Protocol):
    ours: bool
    """Whether we started it: then its death is our failure, and not the model's."""

    @property
    def base_url(self) -> str:
        """OpenAI-compatible, ends in /v1 for servers of ours. Known after start()."""
        ...

    @property
    def served_model(self) -> str: ...

    @property
    def api_key(self) -> str | None: ...

    def start(self) -> None:
        """Start it, or see that it is there, and have the model loaded. May be called again after stop().

        Raises:
            UserError: The model is not there or the server does not answer; the message says what to do.
            NodeFailed: A server of ours did not come up; the message quotes its log.
        """
        ...

    def identity(self) -> ServerIdentity: ...

    def healthy(self) -> bool:
        """Whether it would answer now; decided within seconds."""
        ...

    def counters(self) -> TokenCounters | None:
        """Its own count, apart from what it writes into answers. None: it has none, or does not say now."""
        ...

    def pids(self) -> list[int]:
        """The processes of a server of ours; none for one that is not."""
        ...

    def log_tail(self) -> str:
        """The end of its log; empty for a server that is not ours."""
        ...

    def stop(self) -> None:
        """Leave no process of ours behind."""
        ...
