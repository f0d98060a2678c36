"""The guide's sliders in a real browser: the same probabilities as Python's, by mouse, keyboard and on a phone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analysis.guide.result import Weighing
from analysis.guide.weigh import Weighed, weigh
from analysis.report import write_report
from tests.functional.test_report_browser import CHROMIUM, Opened, browser  # noqa: F401 - a fixture
from tests.unit.analysis_rows import PUBLISHED, write_rows
from tests.unit.guide_experiment import made_rows

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from analysis.result import Analysis

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: `make browser` installs it"),
]
FRAMEWORKS = ("autogen", "crewai", "langgraph", "langgraph-aa")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Analysis]:
    """CrewAI takes less than AutoGen, LangGraph about as little; scores are noise; LangGraph ran twice."""
    rows = made_rows(1, n_items=6, frameworks=FRAMEWORKS, factor={"autogen": 1.3, "langgraph": 1.05})
    path, analysis = write_report(write_rows(tmp_path_factory.mktemp("guide"), rows))
    return path.as_uri(), analysis


def by_python(weighing: Weighing, weights: dict[str, int]) -> Weighed:
    each = np.array([weights.get(metric.metric, 0) for metric in weighing.metrics])
    scores = np.tensordot(np.array(weighing.logs), each, axes=(1, 0))
    noise = float(np.abs(np.array(weighing.twins) @ each).mean())
    return weigh(scores, np.array(weighing.draws), noise)


def set_sliders(page: Page, weighing: Weighing, weights: dict[str, int]) -> None:
    for metric in weighing.metrics:
        page.locator(f"#weight-{metric.metric}").fill(str(weights.get(metric.metric, 0)))


def shown(page: Page) -> tuple[list[float], list[str]]:
    cells = page.locator("#table-guide-weights tbody tr td:nth-of-type(1)")
    worse = page.locator("#table-guide-weights tbody tr td:nth-of-type(2)")
    return [
        float(value) for value in cells.evaluate_all("all => all.map(c => c.dataset.value)")
    ], worse.all_inner_texts()


@pytest.mark.parametrize(
    "weights",
    [
        {"latency_s": 10},
        {"quality": 10},
        {"quality": 3, "latency_s": 1, "tokens": 7},
        {"framework_s": 5, "new_texts": 2, "tries": 1, "start_s": 9},
    ],
)
def test_the_page_works_out_what_python_does(
    browser: Browser,  # noqa: F811 - the fixture
    made: tuple[str, Analysis],
    weights: dict[str, int],
) -> None:
    """For the same weights the page has the same probabilities, the same who is worse, and the same leader."""
    address, analysis = made
    weighing = analysis.guide.weighing
    assert weighing is not None
    opened = Opened(browser, address)
    set_sliders(opened.page, weighing, weights)
    found = by_python(weighing, weights)
    probabilities, worse = shown(opened.page)
    assert probabilities == pytest.approx(found.probability.tolist(), abs=1e-12)
    assert worse == ["no" if place in found.candidates else "yes" for place in range(len(worse))]
    assert opened.said == []
    opened.page.close()


def test_a_slider_moves_the_probabilities(browser: Browser, made: tuple[str, Analysis]) -> None:  # noqa: F811
    """Arrow keys change the weight, its output, the table and the sentence that a screen reader hears."""
    opened = Opened(browser, made[0])
    page = opened.page
    before = page.locator("#table-guide-weights").inner_text()
    words = page.locator("#guide-words").inner_text()
    slider = page.get_by_role("slider", name="Quality")
    slider.focus()
    page.keyboard.press("End")
    assert page.locator("output[for=weight-quality]").inner_text() == "10"
    for name in ("Short latency", "Few tokens"):
        page.get_by_role("slider", name=name).focus()
        page.keyboard.press("Home")
    assert page.locator("#table-guide-weights").inner_text() != before
    assert page.locator("#guide-words").inner_text() != words
    page.get_by_role("slider", name="Quality").focus()
    page.keyboard.press("Home")
    assert page.locator("#guide-words").inner_text() == "Give at least one of them a weight."
    assert opened.said == []
    page.close()


def test_sliders_fit_a_phone(browser: Browser, made: tuple[str, Analysis]) -> None:  # noqa: F811
    """At 390 px nothing scrolls sideways, and every slider is inside the window with its label."""
    opened = Opened(browser, made[0], width=390)
    page = opened.page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for box in page.locator("#guide-weights input").all():
        found = box.bounding_box()
        assert found is not None
        assert found["x"] >= 0
        assert found["x"] + found["width"] <= 390
    page.close()


def test_without_a_script_the_tables_stand(browser: Browser, made: tuple[str, Analysis]) -> None:  # noqa: F811
    """With JavaScript off there are no dead sliders, and the choices and the first weights' table are there."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(made[0])
    assert not page.locator("#guide-weights").is_visible()
    assert page.locator("#table-guide tbody tr").count() == 8
    assert page.locator("#table-guide-weights").is_visible()
    context.close()


def test_too_few_items_have_no_sliders(browser: Browser, tmp_path: Path) -> None:  # noqa: F811
    """The published runs: a table that says why there is no choice, and nothing to weigh."""
    path, _ = write_report(PUBLISHED, tmp_path / "report.html")
    opened = Opened(browser, path.as_uri())
    assert opened.page.locator("#guide-weights").count() == 0
    assert "Too few items to say" in opened.page.locator("#table-guide").inner_text()
    assert opened.said == []
    opened.page.close()
