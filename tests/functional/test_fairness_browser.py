"""The report's section on fairness in a real browser: readable at phone width, by keyboard, without colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from analysis.report import write_report
from cluster.runs_csv import write_runs_csv
from tests.functional.test_report_browser import CHROMIUM, Opened, browser
from tests.unit.fairness_wire import conversation, each_body, experiment, planned, quoted

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: `make browser` installs it"),
]
OPEN_ALL = "document.querySelectorAll('#fairness details').forEach(d => { d.open = true })"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two published ways of handing over beside the plan's, one of them with a long key and another temperature."""

    def change(body: dict[str, Any]) -> None:
        body["temperature"] = 0.7
        body["key" * 40] = "value" * 200
        body["messages"][0]["content"] += " and_a_word_that_never_ends" * 8

    store = experiment(
        tmp_path_factory.mktemp("fairness") / "e",
        styles={"direct": planned, "langgraph": quoted, "agent_framework": conversation},
        arms=("idiomatic", "equalised"),
        spoil={"langgraph": each_body(change)},
        tools=True,
    )
    write_runs_csv(store)
    path, _ = write_report(store.folder)
    return path.as_uri()


@pytest.mark.parametrize("width", [360, 390, 1280])
def test_page_never_scrolls_sideways(browser: Browser, report: str, width: int) -> None:
    """With every fold of the section open, the page is as wide as the window and the console silent."""
    opened = Opened(browser, report, width=width)
    opened.page.evaluate(OPEN_ALL)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.said == []
    opened.page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_differences_do_not_rest_on_colour(browser: Browser, report: str, scheme: str) -> None:
    """What is added is underlined, what is left out struck out, and both are told in words to a screen reader."""
    opened = Opened(browser, report, scheme=scheme)
    opened.page.evaluate(OPEN_ALL)
    for name, line, words in (("ins", "underline", "[added"), ("del", "line-through", "[left out")):
        mark = opened.page.locator(f"#fairness .forms {name}").first
        assert line in mark.evaluate("el => getComputedStyle(el).textDecorationLine")
        assert words in (mark.text_content() or "")
    opened.page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_are_legible(browser: Browser, report: str, scheme: str) -> None:
    """Added and left-out text stands out from its background by at least 4.5 to 1 (WCAG 2.2, AA)."""
    opened = Opened(browser, report, scheme=scheme)
    opened.page.evaluate(OPEN_ALL)
    ratios = opened.page.evaluate(
        """() => ["ins", "del"].map(name => {
        const light = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number)
            .map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
            .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
        const mark = document.querySelector(`#fairness .forms ${name}`);
        const ink = light(getComputedStyle(mark).color);
        const back = light(getComputedStyle(mark.closest("details")).backgroundColor);
        return (Math.max(ink, back) + 0.05) / (Math.min(ink, back) + 0.05);
    })"""
    )
    assert min(ratios) >= 4.5, ratios
    opened.page.close()


def test_steps_open_by_keyboard(browser: Browser, report: str) -> None:
    """A step's summary takes the focus and Enter opens it."""
    opened = Opened(browser, report)
    step = opened.page.locator("#fairness details.step:not([open])").first
    step.locator("summary").focus()
    opened.page.keyboard.press("Enter")
    assert opened.page.evaluate("document.activeElement.parentElement.open") is True
    opened.page.close()


def test_wide_tables_take_the_focus(browser: Browser, report: str) -> None:
    """Each table that scrolls inside itself can be reached by keyboard and has a name."""
    opened = Opened(browser, report, width=390)
    opened.page.evaluate(OPEN_ALL)
    named = opened.page.evaluate(
        "Array.from(document.querySelectorAll('#fairness .table-scroll'),"
        " t => t.tabIndex === 0 && !!document.getElementById(t.getAttribute('aria-labelledby')))"
    )
    assert named == [True] * 3
    opened.page.close()
