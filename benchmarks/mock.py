"""The mock model server from the outside: start it, tell it how to behave, ask what it did."""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.line_process import LineProcess
from shared.strict import Strict

MODEL = "mock"
ADMIN_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True)
class Behaviour:
    wait_s: float = 0
    """Before the first token, or before a whole answer."""
    gap_s: float = 0
    """Between two tokens of a stream."""
    events: int = 64
    """Tokens of a stream, an event each."""
    answer_characters: int = 2800
    """With what is around them about 3 KB."""
    distinct: bool = False
    """Whether every answer is another text."""
    at_once: int | None = None
    """Whole answers in the making at the same time; further requests wait their turn. None: no bound."""
    answer: str | None = None
    """Said to every request, instead of what the rest of this says."""


class Stamp(Strict):
    """One chat completion, in seconds of CLOCK_MONOTONIC; without `last` it is still being answered."""

    kind: Literal["run", "judge"]
    streamed: bool
    arrived: float
    """The whole request was there."""
    first: float | None = None
    """Just before the first token was sent; of a whole answer, before the answer was."""
    last: float | None = None
    """The same of the last token."""


class Account(Strict):
    """What happened since the account before."""

    stamps: list[Stamp]
    connections: int
    """Accepted, those of this account's own request included."""


class Mock:
    def __init__(self, port: int) -> None:
        self.port = port

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def behave(self, behaviour: Behaviour) -> None:
        """From now on; what was stamped before is forgotten."""
        self._ask("POST", "/behaviour", asdict(behaviour))
        self.account()

    def account(self) -> Account:
        return Account.model_validate(self._ask("GET", "/account"))

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ADMIN_TIMEOUT_S)
        try:
            connection.request(method, path, json.dumps(body))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


@contextmanager
def running_mock(folder: Path) -> Iterator[Mock]:
    """In a process of its own, whose log goes to `folder`."""
    command = [sys.executable, "-m", "benchmarks.mock_server"]
    with LineProcess(command, folder / "mock.log", {}) as process:
        yield Mock(process.said["port"])
