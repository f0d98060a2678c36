"""Repetition and language of a text, and when a report is checked again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.experiment import describe_experiment
from cluster.judge_jobs import check_reports
from judge.checks import check_report, checks_label
from judge.language import language_of
from judge.repetition import repetition
from shared.plan import Plan, TaskPlan
from shared.records import CheckResult, RunKey
from shared.settings import load_settings
from shared.tasks.load_task import load_task
from shared.yardsticks import CheckSpec
from tests.unit.stored_records import begun, run

SPEC = load_task("company_research").check_spec("stripe")
FACTS = [fact.text for fact in load_task("company_research").item("stripe").facts]

ENGLISH = (
    "Stripe provides payments and financial infrastructure for businesses through software interfaces. Its mission "
    "is to increase the output of the internet, and it was founded by two brothers."
)
GERMAN = (
    "Stripe bietet Unternehmen Zahlungen und finanzielle Infrastruktur über Schnittstellen an. Das Unternehmen wurde "
    "von zwei Brüdern gegründet und hat seinen Sitz in zwei Städten auf zwei Kontinenten."
)
CHINESE_LOOP = "支付基础设施。" * 100


@pytest.mark.parametrize(
    "text",
    ["Sustainability\n\n" * 16, "The report is ready. " * 40, "- Stripe grows in markets\n" * 50, "ha" * 5_000,
     "<td>a</td>" * 500, CHINESE_LOOP],
)  # fmt: skip
def test_a_loop_scores_near_one(text: str) -> None:
    """A model that goes on saying the same is near 1, in words, lines, syllables, markup or Chinese."""
    found = repetition(text)
    assert found is not None
    assert found > 0.9


def test_prose_scores_near_zero() -> None:
    """The known facts, each once, hardly repeat four words in a row; said twice, half is repeated."""
    once = repetition("\n".join(FACTS))
    twice = repetition("\n".join(FACTS * 2))
    assert once is not None
    assert twice is not None
    assert once < 0.05
    assert 0.5 <= twice < 0.55


@pytest.mark.parametrize("text", ["", "one two three", "!!! ???"])
def test_no_repetition_without_four_words(text: str) -> None:
    """Where there is no run of four words there is no figure, rather than a good one."""
    assert repetition(text) is None


@settings(deadline=None)  # a loaded machine is slow, and that is no error
@given(st.text())
def test_repetition_is_a_share(text: str) -> None:
    """Whatever the text, the figure is a share below 1 or none."""
    found = repetition(text)
    assert found is None or 0 <= found < 1


@pytest.mark.parametrize(("text", "language"), [(ENGLISH, "en"), (GERMAN, "de"), (ENGLISH.upper(), "en")])
def test_language_is_told(text: str, language: str) -> None:
    """Prose of some length is told by its language, whatever its case."""
    assert language_of(text) == language


@pytest.mark.parametrize("text", ["", "Stripe", "I'm ready to help. What's your question?", "1 2 3 " * 50])
def test_too_little_tells_no_language(text: str) -> None:
    """A few words or figures alone tell no language."""
    assert language_of(text) is None


@settings(deadline=None)  # a loaded machine is slow, and that is no error
@given(st.text(alphabet=st.characters(exclude_categories=()), min_size=60))
def test_no_text_breaks_the_language(text: str) -> None:
    """Any characters, lone surrogates included, give a code or none."""
    found = language_of(text)
    assert found is None or found.isalpha()


@pytest.mark.parametrize(
    ("text", "asked", "right"), [(ENGLISH, "en", True), (GERMAN, "en", False), ("Stripe", "en", None), (GERMAN, None, None)]
)  # fmt: skip
def test_language_is_held_against_the_one_asked_for(text: str, asked: str | None, right: bool | None) -> None:
    """Yes or no where both languages are known; where one is not, no answer."""
    spec = SPEC.model_copy(update={"language": asked})
    assert check_report(text, "r", "a", spec).in_asked_language is right


def test_a_task_hands_over_its_sources_and_language() -> None:
    """The facts, what was asked for and the subject come with the yardstick, and English is the default."""
    assert SPEC.subject == "Stripe"
    assert SPEC.language == "en"
    assert set(FACTS) < set(SPEC.sources)
    assert any("500 to 800 words" in source for source in SPEC.sources)
    known = load_task("company_research").limited(1).check_spec("stripe")
    assert not any("Tomlinson" in source for source in known.sources)


def test_older_checks_are_done_again(tmp_path: Path) -> None:
    """A report checked by older rules is checked again, one checked by today's rules is left alone."""
    plan = Plan(
        name="p",
        frameworks=["direct"],
        tasks=[TaskPlan(name="company_research", items=["stripe", "datadog"])],
    )
    experiment = describe_experiment(plan, load_settings({}, {"llm_model": "scripted:instant"}))
    store = begun(tmp_path)
    for item in ("stripe", "datadog"):
        key = RunKey(framework="direct", arm="idiomatic", task="company_research", item=item, iteration=1)
        record = store.write_run(run(key=key, attempt_id=item, text="Acme is 99 years old."), [])
        checks = "company_research/1" if item == "stripe" else checks_label(spec_of(item))
        store.write_check(
            CheckResult(
                run_id=record.key.run_id, attempt_id=item, checks=checks, sections_found=[], sections_missing=[],
                words=0, words_in_range=False, facts_found=[], facts_total=1,
            )
        )  # fmt: skip
    check_reports(store, experiment)
    found = {check.attempt_id: check for check in store.checks()}
    assert found["stripe"].checks == checks_label(spec_of("stripe"))
    assert found["stripe"].unsupported[0].unsupported == ["99"]
    assert found["datadog"].words == 0


def spec_of(item: str) -> CheckSpec:
    return load_task("company_research").check_spec(item)
