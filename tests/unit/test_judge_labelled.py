"""The labelled set that the checks are measured on, and what they reached on it."""

from __future__ import annotations

import pytest

from judge.labelled.__main__ import main
from judge.labelled.measure import Measured, Proportion, Tally, measure
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


# What was measured when the rules were frozen, as in docs/judge_checks.md: (right, wrong, missed).
MEASURED = {
    "tune": {"facts": (94, 7, 9), "claims": (37, 2, 4), "parts": (52, 3, 10)},
    "held_out": {"facts": (40, 5, 0), "claims": (38, 1, 11), "parts": (64, 6, 14)},
}


@pytest.mark.parametrize("part", MEASURED)
def test_checks_are_no_worse_than_when_measured(part: str) -> None:
    """On the labelled passages, nothing more is found wrongly or missed than the docs say."""
    measured: Measured = measure(getattr(LABELLED, part), YARDSTICKS)
    for name, (right, wrong, missed) in MEASURED[part].items():
        tally: Tally = getattr(measured, name)
        assert tally.right >= right, name
        assert len(tally.wrong) <= wrong, tally.wrong
        assert len(tally.missed) <= missed, tally.missed


def test_there_is_enough_to_measure_on() -> None:
    """Both parts have sentences with and without claims, of models as well as written ones."""
    for part, fewest in ((LABELLED.tune, 120), (LABELLED.held_out, 80)):
        sentences = [sentence for passage in part for sentence in passage.sentences]
        assert len(sentences) >= fewest
        assert 0.2 < sum(bool(sentence.unsupported) for sentence in sentences) / len(sentences) < 0.8
    assert all(passage.origin != "written" for passage in LABELLED.held_out)


def test_tally_counts_each_kind() -> None:
    """Found and labelled is right, found alone is wrong, labelled alone is missed."""
    tally = Tally()
    tally.count(["a", "b"], ["b", "c"], "somewhere")
    assert (tally.right, tally.wrong, tally.missed) == (1, ["'a' in: somewhere"], ["'c' in: somewhere"])
    assert (tally.precision.value, tally.recall.value) == (0.5, 0.5)


def test_wilson_interval() -> None:
    """9 of 10 is 0.60 to 0.98 by Wilson's formula; of nothing there is no share."""
    assert Proportion(9, 10).interval() == pytest.approx((0.5958, 0.9821), abs=1e-4)
    assert (Proportion(0, 0).value, Proportion(0, 0).interval()) == (None, None)


def test_the_command_prints_both_parts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`python -m judge.labelled --errors` shows counts with intervals for both parts, and where it erred."""
    monkeypatch.setattr("sys.argv", ["judge.labelled", "--errors"])
    main()
    shown = capsys.readouterr().out
    assert "tune: 67 passages, 134 sentences" in shown
    assert "held out: 25 passages, 84 sentences" in shown
    assert "1.00 (0.91 to 1.00)" in shown
    assert "facts stated, wrong: 'stripe.overview.2' in: Stripe was founded" in shown
