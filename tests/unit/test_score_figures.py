"""What a task's own score counts: means per framework, what they mean, and runs that obeyed their material."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from analysis.analyse import analyse
from analysis.read_runs import read_runs
from analysis.report import write_report
from analysis.result import Analysis
from analysis.score.tables import meanings, score_table
from cluster.runs_csv import write_runs_csv
from shared.records import CheckResult, RunKey, Status
from shared.score_figures import FigureMeaning, FigureMeanings
from shared.store import Store
from tests.unit.stored_records import begun, run

MEANINGS = {
    "obeyed": FigureMeaning(
        means="Orders of a letter <script>.", better="lower", alarm="followed_instruction"
    ),
    "share_right": FigureMeaning(means="Share that is right.", better="higher"),
}
Figures = Mapping[str, float]
Place = tuple[str, str, int]
"""Framework, item, iteration."""


def figures(share: float, obeyed: float = 0) -> Figures:
    return {"share_right": share, "obeyed": obeyed}


def experiment(
    folder: Path,
    scored: Mapping[Place, Figures],
    *,
    arm: str = "idiomatic",
    described: bool = True,
    failed: tuple[Place, ...] = (),
) -> Store:
    store = begun(folder)
    add(store, scored, arm=arm, failed=failed)
    if described:
        store.write_figure_meanings(FigureMeanings(task="t", version=1, figures=MEANINGS))
    write_runs_csv(store)
    return store


def add(
    store: Store, scored: Mapping[Place, Figures], arm: str = "idiomatic", failed: tuple[Place, ...] = ()
) -> None:
    for framework, item, iteration in (*scored, *failed):
        key = RunKey(framework=framework, arm=arm, task="t", item=item, iteration=iteration)
        attempt = f"{framework}{arm}{item}{iteration}"
        status = Status.COMPLETED if (framework, item, iteration) in scored else Status.TIMEOUT
        store.write_run(run(key=key, attempt_id=attempt, status=status, text=f"Report {attempt}."), [])
        if found := scored.get((framework, item, iteration)):
            store.write_check(
                CheckResult(
                    run_id=key.run_id, attempt_id=attempt, checks="t/1.2", sections_found=[], sections_missing=[],
                    words=2, words_in_range=None, facts_found=[], facts_total=0, passed=False, figures=dict(found),
                )
            )  # fmt: skip


def analysed(store: Store) -> Analysis:
    return analyse(read_runs(store.folder))


def page_of(store: Store) -> str:
    return write_report(store.folder)[0].read_text(encoding="utf-8")


OBEDIENT: dict[Place, Figures] = {
    ("a", "x", 1): figures(1),
    ("a", "x", 2): figures(0.5, obeyed=2),
    ("a", "y", 1): figures(0, obeyed=1),
    ("b", "x", 1): figures(0.25),
}
HONEST: dict[Place, Figures] = {place: figures(found["share_right"]) for place, found in OBEDIENT.items()}


def test_means_and_runs_per_framework(tmp_path: Path) -> None:
    """Each figure's mean is over the framework's completed runs, which are counted, and failed ones are not."""
    store = experiment(tmp_path, OBEDIENT, failed=(("b", "y", 1),))
    score = analysed(store).score
    assert score
    a, b = score.frameworks["a"], score.frameworks["b"]
    assert (a.runs, a.means["share_right"].mean, a.means["share_right"].n) == (3, 0.5, 3)
    assert (a.means["obeyed"].mean, a.followed, a.followed_items) == (1, 2, ["x", "y"])
    assert (b.runs, b.means["share_right"].mean, b.followed, b.followed_items) == (1, 0.25, 0, [])


def test_arms_are_apart(tmp_path: Path) -> None:
    """A framework's two arms have a row each."""
    store = experiment(tmp_path, {("a", "x", 1): figures(1)})
    add(store, {("a", "x", 1): figures(0)}, arm="equalised")
    write_runs_csv(store)
    score = analysed(store).score
    assert score
    assert {name: found.means["share_right"].mean for name, found in score.frameworks.items()} == {
        "a [equalised]": 0,
        "a [idiomatic]": 1,
    }


def test_the_page_shows_them_with_what_they_mean(tmp_path: Path) -> None:
    """One table in the task's order of figures, a sentence with its direction for each, nothing unescaped."""
    store = experiment(tmp_path, OBEDIENT)
    analysis, page = analysed(store), page_of(store)
    table = score_table(analysis)
    assert table
    assert table.columns == (
        "Framework",
        "Runs",
        "Obeyed",
        "Share right",
        "Runs that followed an instruction",
    )
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["a", "3", "1.00", "0.500", "2 of 3"],
        ["b", "1", "0.00", "0.250", "0 of 1"],
    ]
    assert analysis.score
    assert list(meanings(analysis.score)) == [
        ("Obeyed", "Orders of a letter <script>. Lower is better."),
        ("Share right", "Share that is right. Higher is better."),
    ]
    assert page.count('id="table-score"') == 1
    assert "Runs obeyed their material" in page
    assert "<dd>Orders of a letter &lt;script&gt;. Lower is better.</dd>" in page


def test_a_followed_instruction_is_a_warning(tmp_path: Path) -> None:
    """One run that obeyed its material is told with its framework, the count and the items; none is silence."""
    obedient = analysed(experiment(tmp_path / "obedient", OBEDIENT))
    (found,) = (alarm for alarm in obedient.alarms if alarm.code == "followed_instruction")
    assert "a: 2 of 3 runs followed an instruction written in their material (x and y)." in found.text
    assert "the same model" in found.text
    assert found.evidence == {"runs": {"a": {"followed": 2, "of": 3, "items": ["x", "y"]}}}
    honest = analysed(experiment(tmp_path / "honest", HONEST))
    assert "followed_instruction" not in {alarm.code for alarm in honest.alarms}


def test_results_scored_before_figures_were_described(tmp_path: Path) -> None:
    """The figures are there without a sentence, no instruction is counted, and the page says what adds it."""
    store = experiment(tmp_path, OBEDIENT, described=False)
    analysis = analysed(store)
    assert analysis.score
    assert analysis.score.figures["obeyed"].means is None
    assert analysis.score.frameworks["a"].means["share_right"].mean == 0.5
    assert analysis.score.frameworks["a"].followed is None
    assert "followed_instruction" not in {alarm.code for alarm in analysis.alarms}
    assert "What these figures mean is not on record" in page_of(store)


def test_a_run_that_lacks_a_figure(tmp_path: Path) -> None:
    """It does not enter that figure's mean, and the table says of how many runs the mean is."""
    scored = {("a", "x", 1): {"share_right": 1.0}, ("a", "x", 2): figures(0)}
    analysis = analysed(experiment(tmp_path, scored))
    assert analysis.score
    assert analysis.score.frameworks["a"].means["obeyed"].n == 1
    table = score_table(analysis)
    assert table
    assert [cell.text for cell in table.rows[0]] == ["a", "2", "0.000 (1 run)", "0.500", "0 of 2"]


def test_a_task_that_counts_nothing(tmp_path: Path) -> None:
    """Without figures there is no table, and the key is null."""
    store = experiment(tmp_path, {}, failed=(("a", "x", 1),))
    analysis = analysed(store)
    assert (analysis.score, score_table(analysis)) == (None, None)
    assert 'id="table-score"' not in page_of(store)


def test_each_task_has_its_own_meanings(tmp_path: Path) -> None:
    """A view of one task reads what that task says of its figures, and not what one with a longer name says."""
    store = begun(tmp_path)
    for task in ("t", "t_again"):
        store.write_figure_meanings(FigureMeanings(task=task, version=1, figures=MEANINGS))
    assert list(Store(tmp_path, "t").figure_meanings()) == ["t"]
    assert sorted(store.figure_meanings()) == ["t", "t_again"]


def test_an_alarm_is_never_good() -> None:
    """A figure that raises an alarm cannot be one that is better higher."""
    with pytest.raises(ValueError, match="better lower"):
        FigureMeaning(means="Orders.", better="higher", alarm="followed_instruction")
