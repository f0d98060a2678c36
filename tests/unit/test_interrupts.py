"""Ctrl-C once lets the run in flight finish, twice stops; SIGTERM stops at once."""

from __future__ import annotations

import signal

import pytest

from cluster.interrupts import handled_interrupts


def test_the_first_interrupt_is_a_request_and_the_second_an_order() -> None:
    """The first Ctrl-C sets `stopping` and says so once; the second raises KeyboardInterrupt."""
    said: list[str] = []
    with handled_interrupts(said.append) as interrupts:
        assert not interrupts.stopping
        signal.raise_signal(signal.SIGINT)
        assert interrupts.stopping
        assert len(said) == 1
        assert "Ctrl-C again" in said[0]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert len(said) == 1


def test_sigterm_stops_at_once() -> None:
    """SIGTERM raises KeyboardInterrupt without asking for a second one."""
    said: list[str] = []
    with handled_interrupts(said.append) as interrupts:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        assert not interrupts.stopping
    assert said == []


def test_the_handlers_before_are_back_afterwards() -> None:
    """Whoever handled signals before does so again, even when the block ended in an error."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(KeyboardInterrupt), handled_interrupts(lambda _: None):
        signal.raise_signal(signal.SIGTERM)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
