"""What the report says of the texts without a judge: unsupported sentences, alike reports, checks per framework."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.known_reports import KnownReport
from analysis.report import write_report
from analysis.similarity import (
    MOST_COMPARISONS,
    MOST_TEXTS,
    bounds,
    jaccard,
    measure_similarity,
    shingles_of,
)
from analysis.texts_tables import MOST_SENTENCES
from cluster.runs_csv import write_runs_csv
from judge.checks import check_report
from shared.records import RunKey
from shared.store import Store
from shared.yardsticks import CheckSpec
from tests.unit.analysis_rows import write_rows
from tests.unit.stored_records import begun, run

SPEC = CheckSpec(
    name="t", version=1, sections=("Summary",), min_words=1, max_words=100, facts=(), subject="Acme",
    sources=("Acme was founded in 1990.",), language="en",
)  # fmt: skip
INVENTED = "Acme has 99 people in <script>alert(1)</script> Berlin."


def experiment(folder: Path, texts: Mapping[tuple[str, int], str], *, checked: bool = True) -> Store:
    """Runs of (framework, iteration) -> report on item x, with their checks and runs.csv."""
    store = begun(folder, iterations=max(iteration for _, iteration in texts))
    for (framework, iteration), text in texts.items():
        key = RunKey(framework=framework, arm="idiomatic", task="t", item="x", iteration=iteration)
        record = store.write_run(run(key=key, attempt_id=f"{framework}{iteration}", text=text), [])
        if checked:
            store.write_check(check_report(text, key.run_id, record.attempt_id, SPEC))
    write_runs_csv(store)
    return store


def test_a_sentence_is_listed_once_with_who_wrote_it(tmp_path: Path) -> None:
    """The same invention in several reports is one row, with how many of each framework's reports hold it."""
    texts = {("a", 1): INVENTED, ("a", 2): f"{INVENTED} And 2031 came.", ("b", 1): f"Well. {INVENTED}"}
    _, analysis = write_report(experiment(tmp_path, texts).folder)
    first, second = analysis.texts.unsupported
    assert (first.item, first.reports, first.unsupported) == ("x", {"a": 2, "b": 1}, ["99", "Berlin"])
    assert (second.sentence, second.reports) == ("And 2031 came.", {"a": 1})
    assert (analysis.texts.checked, analysis.texts.claiming, analysis.texts.distinct_unsupported) == (3, 4, 2)
    assert analysis.frameworks["a"].checks.unsupported_sentences == 1.5


def test_the_page_shows_claims_collapsed_and_escaped(tmp_path: Path) -> None:
    """The table stands inside a closed details element, and a report's markup stays text."""
    text = "Acme pays $77 to &lt;b&gt;Zeta&lt;/b&gt; and 5 > 3 < 44."
    path, analysis = write_report(experiment(tmp_path, {("a", 1): text, ("b", 1): "Acme sells."}).folder)
    page = path.read_text()
    before = page[: page.index('id="table-unsupported"')]
    assert before.rindex('<details class="step"><summary>1 sentence in 2 reports') > before.rfind(
        "</details>"
    )
    assert "&amp;lt;b&amp;gt;Zeta" in page
    assert "5 &gt; 3 &lt; 44." in page
    assert analysis.texts.unsupported[0].unsupported[0] == "$77"


def test_the_page_is_bounded(tmp_path: Path) -> None:
    """Of hundreds of different inventions the page shows a bounded number, and says of how many."""
    texts = {
        ("a", number): "\n".join(f"Acme has {number}{line:02} people." for line in range(40))
        for number in range(1, 5)
    }
    path, analysis = write_report(experiment(tmp_path, texts).folder)
    table = path.read_text().partition('id="table-unsupported"')[2].partition("</table>")[0]
    assert table.count("<tr>") == MOST_SENTENCES + 1
    assert analysis.texts.distinct_unsupported == 160
    assert f"Shown are the {MOST_SENTENCES} in most reports of 160." in path.read_text()


def test_records_of_older_checks_give_no_empty_section(tmp_path: Path) -> None:
    """Without checks, or with a plain CSV, nothing is shown and nothing is claimed."""
    unchecked = experiment(tmp_path / "old", {("a", 1): "", ("b", 1): ""}, checked=False)
    row = {"framework": "a", "item": "x", "iteration": 1, "overall": 5, "latency_s": 1, "total_tokens": 9}
    for folder in (unchecked.folder, write_rows(tmp_path / "plain", [row | {"fact_recall": 0.5}])):
        path, analysis = write_report(folder)
        assert analysis.texts.checked is None
        assert analysis.texts.unsupported == []
        for table in ("text-checks", "unsupported"):
            assert f'id="table-{table}"' not in path.read_text()


def test_repetition_and_language_reach_the_page(tmp_path: Path) -> None:
    """A framework whose reports loop in another language is seen by its figures."""
    german = "Das Unternehmen bietet seinen Kunden viele gute Dienste an und wächst. " * 20
    path, analysis = write_report(experiment(tmp_path, {("a", 1): german, ("b", 1): "Acme sells."}).folder)
    checks = analysis.frameworks["a"].checks
    assert checks.repetition is not None
    assert checks.repetition > 0.9
    assert checks.in_asked_language == 0
    assert analysis.frameworks["b"].checks.in_asked_language is None
    assert 'id="table-text-checks"' in path.read_text()


def reports(texts: Mapping[tuple[str, str, int], str]) -> list[KnownReport]:
    return [
        KnownReport(subject=subject, item=item, iteration=iteration, attempt_id="", text=text)
        for (subject, item, iteration), text in texts.items()
    ]


def test_similarity_of_pairs_and_of_a_framework_with_itself() -> None:
    """The same text is 1, another is 0; repeats of one text are one; items weigh alike."""
    one, other = "one two three four five six", "a completely different text of seven words"
    alike, _, _ = measure_similarity(
        reports({
            ("a", "x", 1): one, ("a", "x", 2): one, ("b", "x", 1): one, ("b", "x", 2): other,
            ("a", "y", 1): one, ("b", "y", 1): other,
        })
    )  # fmt: skip
    found = {(pair.a, pair.b): (pair.similarity, pair.items) for pair in alike}
    assert found == {("a", "b"): (0.25, 2), ("b", "b"): (0.0, 1)}


def test_jaccard_by_hand() -> None:
    """Two of four different 5-grams shared is one half; texts without words are the same."""
    one, other = shingles_of("a b c d e f g"), shingles_of("A, b c d-e f h")
    assert jaccard(one, other) == pytest.approx(2 / 4)
    assert jaccard(shingles_of(""), shingles_of("!")) == 1.0
    assert jaccard(shingles_of("short"), shingles_of("Short!")) == 1.0


@settings(deadline=None)  # a loaded machine is slow, and that is no error
@given(st.text(), st.text())
def test_jaccard_is_symmetric_and_a_share(one: str, other: str) -> None:
    """Whatever the texts, the figure is the same both ways, a share, and 1 for a text and itself."""
    a, b = shingles_of(one), shingles_of(other)
    assert jaccard(a, b) == jaccard(b, a)
    assert 0 <= jaccard(a, b) <= 1
    assert jaccard(a, a) == 1


@pytest.mark.parametrize("items", [1, 3, 30, 1_000, 100_000])
@pytest.mark.parametrize("subjects", [1, 7, 14, 60])
def test_comparisons_are_bounded(items: int, subjects: int) -> None:
    """However many items, frameworks and runs, no more texts are compared than the bound says."""
    texts, compared = bounds(items, subjects)
    pairs = subjects * (subjects + 1) // 2
    assert 1 <= texts <= MOST_TEXTS
    assert pairs * texts**2 * compared <= max(MOST_COMPARISONS, pairs)
