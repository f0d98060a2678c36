"""Run a program that nobody has read."""

from __future__ import annotations

from shared.sandbox.choose_isolation import choose_isolation
from shared.sandbox.isolated_run import run_isolated
from shared.sandbox.limits import Ended, Limits


def run_program(program: str, stdin: str = "", limits: Limits = Limits()) -> Ended:  # noqa: B008 - frozen
    """Runs Python text in the best isolation that this machine offers, and blocks until all of it is gone.

    Whatever the program does is in `Ended`. Raises SandboxUnavailable where no isolation can be had: nothing
    is then run. Raises SandboxFailed when a sandbox that worked before does not start.
    """
    return run_isolated(choose_isolation(), program, stdin, limits)
