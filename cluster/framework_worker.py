"""What the process of one run does, in its framework's environment: standard library and the contract only.

A fresh one per run, so no state leaks between runs; it imports its framework before the clock starts.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.metadata
import json
import os
import platform
import time
import traceback
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cluster.framework_log import FrameworkLog
from shared.contract import Adapter, LimitReached, Outcome, RunRequest
from shared.trace import VARIABLE, from_traceparent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ERROR_CHARACTERS = 4000
"""Kept of an error's text: enough for a traceback's end, too little to fill a disk."""
ERROR_LINE_CHARACTERS = 300
"""Of its first line."""
PR_SET_CHILD_SUBREAPER = 36
"""linux/prctl.h"""


@dataclass(frozen=True, slots=True)
class BootReport:
    """What the framework's environment says of itself."""

    import_s: float
    versions: dict[str, str]
    python: str
    pid: int


@dataclass(frozen=True, slots=True)
class WorkerResult:
    """What came of one `Adapter.run`: an outcome or an error."""

    started_at_s: float
    """When the adapter was called, on the machine's monotonic clock, which the gateway's calls are on too."""
    ended_at_s: float
    outcome: Outcome | None = None
    error: str | None = None
    limit_reached: bool = False
    log: list[str] = field(default_factory=list)
    """Warnings and worse of the framework and its libraries, with the ids of the run's trace; bounded."""

    @property
    def latency_s(self) -> float:
        return self.ended_at_s - self.started_at_s


class FrameworkWorker:
    """In `framework_main`, a process of its own."""

    def boot(self, module: str) -> BootReport:
        """Import the adapter, and with it the framework."""
        adopt_orphans()
        started = time.perf_counter()
        self._adapter: Any = importlib.import_module(module)
        import_s = time.perf_counter() - started
        versions = _versions(self._adapter.DISTRIBUTIONS)
        return BootReport(import_s, versions, platform.python_version(), os.getpid())

    def execute(self, request: RunRequest) -> WorkerResult:
        """Run the adapter once. Whatever it raises comes back as text: its class may not exist elsewhere."""
        adapter: Adapter = self._adapter
        raised: BaseException | None = None
        log = FrameworkLog(from_traceparent(request.traceparent), request.base_url)
        with _trace_variable(request.traceparent), log:
            started_at_s = time.monotonic()
            try:
                outcome = adapter.run(request)
            except BaseException as error:  # noqa: BLE001 - a framework's error is a result, also a cancelled task
                raised = error
            ended_at_s = time.monotonic()
        result = WorkerResult(started_at_s, ended_at_s, log=log.lines)
        if raised is not None:
            return replace(result, error=_text(raised), limit_reached=isinstance(raised, LimitReached))
        try:
            return replace(result, outcome=_plain(outcome))
        except Exception as error:  # noqa: BLE001 - whatever cannot be copied or written is not plain
            return replace(result, error=f"The adapter's outcome is not plain data: {error!r}")


def adopt_orphans() -> None:
    """Become the parent of what children of this process leave behind, so that its node finds all of them."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@contextmanager
def _trace_variable(traceparent: str | None) -> Iterator[None]:
    """For the run alone, and none that the machine's own environment may hold."""
    os.environ.pop(VARIABLE, None)
    if traceparent:
        os.environ[VARIABLE] = traceparent
    try:
        yield
    finally:
        os.environ.pop(VARIABLE, None)


def _text(error: BaseException) -> str:
    """What was raised, in a line of its own for those who show one line, then where."""
    told = traceback.TracebackException.from_exception(error)
    said, _, _ = next(told.format_exception_only()).partition("\n")
    text = f"{said[:ERROR_LINE_CHARACTERS]}\n{''.join(told.format())[-ERROR_CHARACTERS:]}"
    return text.encode("utf-8", "replace").decode()


def _plain(outcome: Outcome) -> Outcome:
    """Only built-in types: a framework's own kind of string cannot be read where it is not installed.

    Half a surrogate pair, which a model can be made to write and no file can hold, becomes a question mark.
    """
    text = json.dumps(asdict(outcome), ensure_ascii=False)
    return Outcome(**json.loads(text.encode("utf-8", "replace")))


def _versions(distributions: Iterable[str]) -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in distributions}
