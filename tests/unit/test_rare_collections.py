"""Searches for cycles are rarer while a report is made, and as they were afterwards."""

from __future__ import annotations

import gc

import pytest

from analysis.rare_collections import NEW_OBJECTS, rare_collections


def test_the_threshold_is_put_back() -> None:
    """Also after an error."""
    before, inside = gc.get_threshold(), []

    def work() -> None:
        with rare_collections():
            inside.append(gc.get_threshold()[0])
            raise ValueError("on the way")

    with pytest.raises(ValueError, match="on the way"):
        work()
    assert inside == [NEW_OBJECTS]
    assert gc.get_threshold() == before


def test_a_collector_that_is_off_stays_off() -> None:
    """A threshold of 0 switches it off."""
    before = gc.get_threshold()
    gc.set_threshold(0)
    try:
        with rare_collections():
            assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)
