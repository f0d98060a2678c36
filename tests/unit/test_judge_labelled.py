"""The labelled set that the checks are measured on, and what they reached on it."""

from __future__ import annotations

import pytest

from judge.labelled.passages import LabelledPassage, read_labelled, read_yardsticks
from shared.tasks.load_task import load_task

LABELLED = read_labelled()
YARDSTICKS = read_yardsticks()


@pytest.mark.parametrize("item", YARDSTICKS)
def test_labels_are_for_todays_facts(item: str) -> None:
    """The facts that the passages were labelled against are the task's: a changed fact asks for new labels."""
    assert YARDSTICKS[item] == load_task(LABELLED.task).check_spec(item)


@pytest.mark.parametrize("passage", LABELLED.tune + LABELLED.held_out, ids=lambda passage: passage.text[:40])
def test_labels_name_what_is_there(passage: LabelledPassage) -> None:
    """Each labelled fact is one of the item's, and each unsupported part stands in its sentence."""
    known = {fact.id for fact in YARDSTICKS[passage.item].facts}
    for sentence in passage.sentences:
        assert set(sentence.facts) <= known
        assert all(part in sentence.text for part in sentence.unsupported)
