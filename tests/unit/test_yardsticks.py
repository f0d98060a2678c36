"""Rubrics by name and version."""

from __future__ import annotations

import pytest

from shared.yardsticks import newest_versions, rubric_of


@pytest.mark.parametrize(
    ("labels", "newest"),
    [
        ([], set()),
        (["r/9", "r/10", "r/10"], {"r/10"}),
        (["r/2", "other/1"], {"r/2", "other/1"}),
        (["r", "s"], {"r", "s"}),
        (["r/²", "r/1"], {"r/1"}),
        (["r/1", "r/1.2", "r/1.10"], {"r/1.10"}),
        (["r/1.2", "r/2"], {"r/2"}),
    ],
)
def test_newest_versions(labels: list[str], newest: set[str]) -> None:
    """Versions count as numbers, each rubric by itself; a label without one is as it is."""
    assert newest_versions(labels) == newest


@pytest.mark.parametrize(
    ("label", "rubric"), [("r/1.2", "r/1"), ("r/1", "r/1"), ("r.s/1.2", "r.s/1"), ("r", "r")]
)
def test_rubric_of_a_verdict(label: str, rubric: str) -> None:
    """What people rate by has no version of how judges were asked."""
    assert rubric_of(label) == rubric
