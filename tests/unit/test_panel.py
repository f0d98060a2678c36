"""The panel on made-up judges whose answers are known, and on data that allow no answer."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.item_bootstrap import item_interval
from analysis.panel.adjust import adjust_scores, score_frameworks
from analysis.panel.agreement import compare_judges, measure_agreement
from analysis.panel.disagreements import list_disagreements
from analysis.panel.examine import examine_panel
from analysis.panel.families import model_family
from analysis.panel.self_preference import measure_self_preference
from analysis.panel.sentences import caveat
from analysis.panel.tournament import decided_by_order, hold_tournaments
from analysis.panel.variance_budget import take_variance_apart
from tests.unit.panel_experiment import compared, verdicts_of

ITEMS = tuple(f"item{number}" for number in range(6))


def rows_of(
    quality: dict[tuple[str, str], float], judges: dict[str, tuple[float, float]]
) -> list[dict[str, Any]]:
    """Each judge says shift + scale * quality of (framework, item)."""
    return [
        {"judge": judge, "subject": f, "item": item, "text": f"{f}{item}", "overall": shift + scale * q}
        for judge, (shift, scale) in judges.items()
        for (f, item), q in quality.items()
    ]


@pytest.fixture
def quality() -> dict[tuple[str, str], float]:
    noise = random.Random(3)  # noqa: S311 - seeded on purpose
    return {(f, item): noise.uniform(2, 8) + (f == "b") for f in ("a", "b") for item in ITEMS}


def test_same_order_on_another_scale(quality: dict[tuple[str, str], float]) -> None:
    """A lenient judge with a narrow scale: rank correlation 1, alpha by distance below 1, shift recovered."""
    verdicts = verdicts_of(rows_of(quality, {"j1": (0, 1), "j2": (4, 0.5)}))
    (pair,) = compare_judges(verdicts)
    assert pair.kendall_tau.value == pytest.approx(1)
    assert pair.kendall_tau.interval is not None
    mean = np.mean(list(quality.values()))
    assert pair.mean_difference == pytest.approx(mean - (4 + 0.5 * mean))
    agreement = measure_agreement(verdicts)
    assert list(agreement) == ["overall", "accuracy"]
    assert agreement["overall"].alpha_interval.value < 0.95
    assert agreement["overall"].texts == 12


def test_leniency_and_spread_are_removed(quality: dict[tuple[str, str], float]) -> None:
    """Two judges that differ only in location and scale agree on every text once these are removed."""
    verdicts = verdicts_of(rows_of(quality, {"j1": (0, 1), "j2": (4, 0.5)}))
    adjusted = adjust_scores(verdicts)
    assert adjusted.scores["j1"].to_numpy() == pytest.approx(adjusted.scores["j2"].to_numpy())
    both = np.mean([[q, 4 + 0.5 * q] for q in quality.values()])
    assert adjusted.scores.to_numpy().mean() == pytest.approx(both)
    panel = {score.framework: score.panel for score in score_frameworks(verdicts, adjusted)}
    assert panel["b"].value > panel["a"].value
    assert list_disagreements(verdicts, adjusted) == []


def test_a_constant_judge_is_left_out(quality: dict[tuple[str, str], float]) -> None:
    """A judge that gives every text one score has no spread: the panel goes on without it and says so."""
    verdicts = verdicts_of(rows_of(quality, {"j1": (0, 1), "j2": (4, 0.5), "j3": (9, 0)}))
    adjusted = adjust_scores(verdicts)
    assert list(adjusted.left_out) == ["j3"]
    assert "j3 (it gives all texts one score)" in adjusted.words
    assert set(adjusted.scores) == {"j1", "j2"}
    panel = examine_panel(verdicts, "openai:x")
    assert panel is not None
    assert [judge.left_out is None for judge in panel.judges] == [True, True, False]
    taus = {(p.a, p.b): p.kendall_tau for p in panel.pairs}
    assert taus["j1", "j3"].reason == "j3 gives all these texts one score"
    alone = adjust_scores(verdicts_of(rows_of(quality, {"j1": (0, 1), "j3": (9, 0)})))
    assert "fewer than two judges" in alone.words


def test_self_preference(quality: dict[tuple[str, str], float]) -> None:
    """The own family's judge less the others on the same texts, with an interval over items."""
    judges = {"ollama:qwen3:14b": (1.5, 1.0), "openai:gpt-4o": (0.0, 1.0)}
    verdicts = verdicts_of(rows_of(quality, judges))
    found = measure_self_preference(verdicts, "llamacpp:qwen2.5-coder-1.5b")
    assert (found.own, found.others) == (["ollama:qwen3:14b"], ["openai:gpt-4o"])
    assert found.difference.value == pytest.approx(1.5)
    assert found.difference.interval is not None
    assert found.difference.interval.low == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("judges", "subject", "reason"),
    [
        (["ollama:qwen3:14b"], "llamacpp:qwen2.5", "no judge of another family than qwen"),
        (["openai:gpt-4o"], "llamacpp:qwen2.5", "is of the family of the model under test (qwen)"),
        (["openai:gpt-4o"], "replay:old", "not known"),
        (["openai:gpt-4o"], "", "not known"),
    ],
)
def test_self_preference_refuses(
    quality: dict[tuple[str, str], float], judges: list[str], subject: str, reason: str
) -> None:
    """Without a judge of each kind, or without a known family, the reason stands where the figure would."""
    verdicts = verdicts_of(rows_of(quality, dict.fromkeys(judges, (0.0, 1.0))))
    found = measure_self_preference(verdicts, subject)
    assert found.difference.value is None
    assert reason in (found.difference.reason or "")


@pytest.mark.parametrize(
    ("setting", "family"),
    [
        ("llamacpp:qwen2.5-coder-1.5b", "qwen"),
        ("ollama:qwen3:14b", "qwen"),
        ("llamacpp:smollm2-135m", "smollm"),
        ("llamacpp:/models/Qwen2.5-7B.gguf", "qwen"),
        ("vllm:meta-llama/Meta-Llama-3-8B", "llama"),
        ("openai:gpt-4o", "gpt"),
        ("openai:o3-mini", "gpt"),
        ("scripted:instant", None),
        ("replay:folder", None),
        ("openai:", None),
        ("openai:7b", None),
    ],
)
def test_family_is_read_from_the_setting(setting: str, family: str | None) -> None:
    """The leading letters of the model's name, whatever backend and folder stand before it."""
    assert model_family(setting) == family


def played(
    strength: float, order: float, games: int, items: int, seed: int
) -> list[tuple[str, str, str, str]]:
    """In log-odds: `strength` of a over b, plus `order` for whoever is shown first."""
    noise = random.Random(seed)  # noqa: S311 - seeded on purpose
    found = []
    for item, first in itertools.product(range(items), ("a", "b")):
        for _ in range(games):
            logit = (strength if first == "a" else -strength) + order
            winner = "first" if noise.random() < 1 / (1 + np.exp(-logit)) else "second"
            found.append((f"item{item}", first, "b" if first == "a" else "a", winner))
    return found


def test_simulated_strengths_are_recovered() -> None:
    """From 1,200 simulated comparisons the strengths and the effect of order come back within their error."""
    (t,) = hold_tournaments(compared(played(1.0, 0.7, games=60, items=10, seed=5)))
    assert [s.framework for s in t.strengths] == ["a", "b"]
    assert t.strengths[0].strength.value == pytest.approx(0.5, abs=0.1)
    assert t.order_effect == pytest.approx(0.7, abs=0.2)
    interval = t.strengths[0].strength.interval
    assert interval is not None
    assert interval.low < t.strengths[0].strength.value < interval.high
    assert t.first_wins.interval is not None
    assert t.first_wins.interval.low > 0.5
    assert decided_by_order([t]) == [t]


def test_intervals_cover_the_truth() -> None:
    """Of 12 simulated experiments at least 10 intervals (95 % would be 11) hold the true strength."""
    held = 0
    for seed in range(12):
        (t,) = hold_tournaments(compared(played(0.8, 0.0, games=5, items=12, seed=seed)))
        strength = next(s.strength for s in t.strengths if s.framework == "a")
        assert strength.interval is not None
        held += strength.interval.low <= 0.4 <= strength.interval.high
    assert held >= 10


def test_judge_that_always_says_first() -> None:
    """Strengths are equal, all is order, and no pair asked both ways agrees."""
    games = [(item, *pair, "first") for item in ITEMS for pair in (("a", "b"), ("b", "a"))]
    (t,) = hold_tournaments(compared(games))
    assert [s.strength.value for s in t.strengths] == pytest.approx([0, 0], abs=1e-9)
    assert t.first_wins.value == 1
    assert decided_by_order([t]) == [t]


def test_both_orders_are_held_against_each_other() -> None:
    """A pair asked both ways agrees when the same text wins, or both are ties."""
    verdicts = compared([("x", "a", "b", "first"), ("x", "b", "a", "second"), ("y", "a", "b", "tie"),
                         ("y", "b", "a", "tie"), ("z", "a", "b", "first"), ("z", "b", "a", "first")])  # fmt: skip
    once = [c.model_copy(update={"repeat": 1}) for c in verdicts.comparisons]
    verdicts = replace(verdicts, comparisons=tuple(once))
    (t,) = hold_tournaments(verdicts)
    assert (t.asked_both_ways, t.same_in_both_orders) == (3, pytest.approx(2 / 3))
    assert (t.comparisons, t.ties) == (6, 2)


def test_tournament_refusals() -> None:
    """Groups that never met, too few comparisons and none that could be used: a reason, and no strengths."""
    apart = [(item, *pair, "first") for item in ITEMS for pair in (("a", "b"), ("c", "d"))]
    (t,) = hold_tournaments(compared(apart))
    assert "never met" in (t.reason or "")
    (t,) = hold_tournaments(compared(apart[:1]))
    assert "too few" in (t.reason or "")
    (t,) = hold_tournaments(compared([("x", "a", "b", None)]))
    assert (t.failed, t.comparisons, t.strengths) == (1, 0, [])
    assert "no usable comparison" in (t.reason or "")
    assert hold_tournaments(verdicts_of([])) == []


def test_comparisons_without_scores() -> None:
    """A judge that only compared reports has strengths and a cost, and reasons where scores would be."""
    games = [(item, *pair, "first") for item in ITEMS for pair in (("a", "b"), ("b", "a"))]
    panel = examine_panel(compared(games), "llamacpp:qwen2.5")
    assert panel is not None
    assert (panel.judges[0].verdicts, panel.judges[0].cost.comparisons) == (0, 12)
    assert len(panel.tournaments[0].strengths) == 2
    assert panel.budget.reason
    assert caveat(panel) == "No usable score by j1, whose scores would be the quality shown here."


def simulated(
    seed: int, *, item: float, framework: float, run: float, noise: float, lenient: float = 0.0
) -> list[dict[str, Any]]:
    """Two judges, 8 items, 6 frameworks, 2 runs, 2 repeats; each effect normal with this deviation."""
    normal = np.random.default_rng(seed).normal
    items, names = normal(0, item, 8), normal(0, framework, 6)
    leniency = normal(0, lenient, 2)
    found = []
    for i, f, r in itertools.product(range(8), range(6), range(2)):
        text = items[i] + names[f] + normal(0, run)
        found += [
            {"judge": f"j{j + 1}", "subject": f"f{f}", "item": f"i{i}", "text": f"{i}-{f}-{r}", "repeat": k,
             "overall": 6 + text + leniency[j] + normal(0, noise)}
            for j, k in itertools.product(range(2), (1, 2))
        ]  # fmt: skip
    return found


def test_variance_components_are_unbiased() -> None:
    """Over 60 simulated experiments the mean of each component is what was put in."""
    put_in = {"task": 1.0, "framework": 0.49, "run": 0.25, "judge_noise": 0.16}
    found: dict[str, list[float]] = {name: [] for name in put_in}
    for seed in range(60):
        budget = take_variance_apart(
            verdicts_of(simulated(seed, item=1.0, framework=0.7, run=0.5, noise=0.4))
        )
        for name in put_in:
            found[name].append(budget.parts[name].variance)
    for name, variance in put_in.items():
        error = np.std(found[name]) / np.sqrt(60)
        assert np.mean(found[name]) == pytest.approx(variance, abs=3.5 * error), name


def test_leniency_is_not_noise() -> None:
    """Two judges 3 points apart: the difference is leniency, and noise is what repeats show."""
    rows = simulated(1, item=0.5, framework=0.5, run=0.5, noise=0.1)
    for row in rows:
        row["overall"] += 3 * (row["judge"] == "j2")
    budget = take_variance_apart(verdicts_of(rows))
    assert budget.parts["judge_noise"].variance == pytest.approx(0.01, rel=0.2)
    # Two values 3 apart have a variance of 4.5.
    assert budget.parts["judge_leniency"].variance == pytest.approx(4.5, rel=0.1)
    assert sum(part.share for part in budget.parts.values()) == pytest.approx(1)
    assert budget.judge_share == pytest.approx(
        budget.parts["judge_leniency"].share + budget.parts["judge_noise"].share
    )


def test_budget_by_hand() -> None:
    """One judge, one framework, one item: the noise is the pooled variance within texts, the rest is the run's."""
    rows = [{"judge": "j1", "subject": "a", "item": "x", "text": t, "overall": o, "repeat": k}
            for t, o, k in (("s", 9.0, 1), ("s", 10.0, 2), ("t", 5.0, 1), ("t", 6.0, 2))]  # fmt: skip
    budget = take_variance_apart(verdicts_of(rows))
    assert set(budget.parts) == {"run", "judge_noise"}
    # As one-way random effects: (16 - 0.5) / 2 between, 0.5 within.
    assert budget.parts["judge_noise"].variance == pytest.approx(0.5)
    assert budget.parts["run"].variance == pytest.approx(7.75)
    assert "With one node its part of the variance cannot be told." in budget.notes


def test_budget_refusals(quality: dict[tuple[str, str], float]) -> None:
    """Nothing judged twice, one text, equal scores, no scores: the reason in words."""
    once = take_variance_apart(verdicts_of(rows_of(quality, {"j1": (0, 1)})))
    assert "no text was judged twice" in (once.reason or "")
    equal = take_variance_apart(verdicts_of(rows_of(quality, {"j1": (7, 0), "j2": (7, 0)})))
    assert "all scores are equal" in (equal.reason or "")
    one = take_variance_apart(verdicts_of(rows_of({("a", "x"): 5.0}, {"j1": (0, 1), "j2": (1, 1)})))
    assert "fewer than two texts" in (one.reason or "")
    assert "fewer than two texts" in (take_variance_apart(verdicts_of([])).reason or "")


def test_budget_of_texts_that_frameworks_share() -> None:
    """A text of two frameworks is a level of its own; a text that only a second name wrote is left out."""
    rows = simulated(2, item=1.0, framework=0.7, run=0.5, noise=0.4)
    verdicts = verdicts_of(rows)
    again = verdicts.runs[verdicts.runs["text"] == "0-0-0"].assign(subject="f9", framework="f9")
    twin = verdicts.runs["text"] == "1-1-1"
    runs = verdicts.runs.assign(role=verdicts.runs["role"].where(~twin, "twin"))
    shared = replace(verdicts, runs=pd.concat([runs, again]))
    assert shared.writers["i0", "0-0-0"] == ["f0", "f9"]
    budget = take_variance_apart(shared)
    assert (budget.texts, budget.verdicts) == (95, 380)
    assert budget.reason is None


def test_disagreements_show_who_says_what(quality: dict[tuple[str, str], float]) -> None:
    """The text that one judge scores out of line comes first, with each judge's scores side by side."""
    rows = rows_of(quality, {"j1": (0, 1), "j2": (0, 1)})
    odd = next(row for row in rows if row["judge"] == "j2" and row["text"] == "aitem3")
    odd["overall"] = 10.0
    verdicts = verdicts_of(rows)
    first, *_ = list_disagreements(verdicts, adjust_scores(verdicts))
    assert (first.item, first.frameworks) == ("item3", ["a"])
    assert {says.judge: says.overall for says in first.says} == {"j1": [quality["a", "item3"]], "j2": [10.0]}


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"judge": "j1", "subject": "a", "item": "x", "text": "t", "overall": 5.0}],
        [{"judge": j, "subject": "a", "item": "x", "text": "t", "overall": 5.0} for j in ("j1", "j2")],
        [{"judge": j, "subject": "a", "item": i, "text": i, "overall": 7.0} for j in ("j1", "j2") for i in ITEMS],
        [{"judge": j, "subject": "a", "item": "x", "text": "t", "overall": o} for j, o in (("j1", 5.0), ("j2", float("nan")))],
        [{"judge": f"j{n}", "subject": "a", "item": i, "text": i, "overall": n} for n, i in enumerate(ITEMS)],
    ],
)  # fmt: skip
def test_no_data_is_too_little(rows: list[dict[str, Any]]) -> None:
    """Nothing, one text, equal scores, no number, judges without a shared text: reasons, and no crash."""
    panel = examine_panel(verdicts_of(rows), "llamacpp:qwen2.5")
    if not rows:
        assert panel is None
        return
    assert panel is not None
    assert panel.budget.reason
    assert panel.adjustment
    for agreement in panel.agreement.values():
        assert agreement.alpha_interval.value is None
        assert agreement.alpha_interval.reason


def test_interval_needs_items() -> None:
    """Rows on four items have no interval; on five the interval of a mean is around it."""
    values = np.arange(10.0)
    assert item_interval([f"i{n % 4}" for n in range(10)], lambda rows: float(values[rows].mean())) is None
    found = item_interval([f"i{n % 5}" for n in range(10)], lambda rows: float(values[rows].mean()))
    assert found is not None
    assert found.low < 4.5 < found.high
    assert item_interval([f"i{n % 5}" for n in range(10)], lambda _: float("nan")) is None
