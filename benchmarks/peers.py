"""Peers: what Levelfield is measured beside, each in an environment of its own."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, ExitStack
from typing import TypeVar

from benchmarks.line_process import ProcessFailed
from benchmarks.session import Session
from runtime_envs.catalog import environment
from shared.errors import EnvironmentFailed

T = TypeVar("T")


class Peers:
    """Those that came up, and why the others did not: a missing peer never stops a benchmark."""

    def __init__(self, session: Session, stack: ExitStack) -> None:
        self._session, self._stack = session, stack
        self.missing: dict[str, str] = {}

    def enter(self, name: str, peer: AbstractContextManager[T]) -> T | None:
        try:
            return self._stack.enter_context(peer)
        except (EnvironmentFailed, ProcessFailed) as error:
            self.missing[name] = str(error)
            self._session.progress.warn(f"{name} is left out: {error}")
            return None


def locked_version(environment_name: str, package: str) -> str:
    """As the environment's lock has it, e.g. "1.108.7"."""
    lock = environment(environment_name).lock.read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(package)}(?:\[[^\]]*\])?==([^ ;\\]+)", lock, re.MULTILINE)
    return found.group(1) if found else "?"
