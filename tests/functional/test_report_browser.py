"""The report of the published runs in a real browser: offline, drawn, readable at phone width."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from analysis.report import write_report
from cluster.runs_csv import write_runs_csv
from tests.unit.measured_experiment import stored_experiment

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PUBLISHED = Path(__file__).parents[1] / "data" / "published_45_runs"
FORESTS = ("forest-quality", "forest-latency", "forest-tokens")
FIGURES = (*FORESTS, "radar", "distribution", "items", "latency", "quality-latency", "tokens")
# Marks that a figure without its data would not have.
MARKS = {
    **dict.fromkeys(FORESTS, ".scatter .point"),
    "radar": ".polar .scatterlayer .js-line",
    "distribution": ".boxes path.box",
    "items": ".heatmaplayer image, .heatmaplayer path",
    "latency": ".bars .point path",
    "quality-latency": ".scatter .point",
    "tokens": ".bars .point path",
}
FEWEST_MARKS = dict.fromkeys(FORESTS, 4) | {
    "radar": 5,
    "distribution": 5,
    "items": 1,
    "latency": 5,
    "quality-latency": 50,
    "tokens": 10,
}
START_S = 60

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: `make browser` installs it"),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    path, _ = write_report(PUBLISHED, tmp_path_factory.mktemp("browser") / "report.html")
    return path.as_uri()


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of an experiment with records: stages, probes, two arms, single runs."""
    store = stored_experiment(tmp_path_factory.mktemp("measured"))
    write_runs_csv(store)
    path, _ = write_report(store.folder)
    return path.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            timeout=START_S * 1000,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
        )
        yield chromium
        chromium.close()


class Opened:
    """A page with all that it said and asked for while it opened."""

    def __init__(self, browser: Browser, address: str, *, width: int = 1280, scheme: str = "light") -> None:
        self.page: Page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(address)
        self.page.wait_for_selector("html[data-ready]", timeout=START_S * 1000)

    def show_runs(self) -> None:
        """Scroll to the single runs, which are unpacked when they come near."""
        self.page.locator("#run").scroll_into_view_if_needed()
        self.page.wait_for_selector("#run[data-ready]", timeout=START_S * 1000)


def test_figures_are_drawn_offline(browser: Browser, report: str) -> None:
    """Every figure has its marks, the console is silent, and nothing but the file itself is asked for."""
    opened = Opened(browser, report)
    assert opened.page.locator(".plot").count() == len(FIGURES)
    for name in FIGURES:
        marks = opened.page.locator(f"#figure-{name} svg").locator(MARKS[name]).count()
        assert marks >= FEWEST_MARKS[name], f"{name}: {marks} marks"
    assert opened.said == []
    assert [url for url in opened.asked if not url.startswith("data:")] == [report]
    opened.page.close()


def test_measured_figures_are_drawn(browser: Browser, measured: str) -> None:
    """Latency by stage, the model's speed with its probes, and a single run have their marks, offline."""
    opened = Opened(browser, measured)
    opened.show_runs()
    plots = opened.page.locator(".plot")
    assert plots.count() == len(FIGURES) + 2
    assert opened.page.locator("#figure-latency .bars .point path").count() >= 8 * 5
    assert opened.page.locator("#figure-drift .scatter .point").count() == 48 + 12
    assert opened.page.locator("#figure-waterfall .bars .point path").count() >= 3 + 3 * 4
    assert opened.said == []
    assert [url for url in opened.asked if not url.startswith("data:")] == [measured]
    opened.page.close()


def test_a_run_is_chosen_with_the_keyboard(browser: Browser, measured: str) -> None:
    """An arrow key on a select box draws that run and says so, to eyes and to screen readers."""
    opened = Opened(browser, measured)
    opened.show_runs()
    words, figure = opened.page.locator("#waterfall-words"), opened.page.locator("#figure-waterfall")
    assert words.text_content().startswith("CrewAI [equalised] on alpha, iteration 1, completed: ")
    opened.page.focus('#run-choice [data-choice="item"]')
    opened.page.keyboard.press("ArrowDown")
    assert words.text_content().startswith("CrewAI [equalised] on beta")
    assert figure.get_attribute("aria-label").startswith("Waterfall of CrewAI [equalised] on beta")
    opened.page.select_option(
        '#run-choice [data-choice="subject"]', label="No framework (direct) [idiomatic]"
    )
    assert words.text_content().startswith("No framework (direct) [idiomatic] on beta")
    assert opened.said == []
    opened.page.close()


def test_runs_without_a_script(browser: Browser, measured: str) -> None:
    """With JavaScript off, the first run of each framework is a table that can be opened."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(measured)
    page.locator("summary", has_text="as a table").click()
    table = page.locator("#table-waterfall")
    assert table.is_visible()
    assert table.locator("tbody tr").count() == 8 * (1 + 3 + 3)
    context.close()


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("name", ["report", "measured"])
def test_page_never_scrolls_sideways(
    browser: Browser, request: pytest.FixtureRequest, name: str, width: int
) -> None:
    """From phone to desk the body is as wide as the window; wide tables scroll inside themselves."""
    opened = Opened(browser, request.getfixturevalue(name), width=width)
    if name == "measured":
        opened.show_runs()
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    drawn = opened.page.evaluate(
        "Array.from(document.querySelectorAll('.plot'),"
        " p => p.querySelector('svg').getBoundingClientRect().right - p.getBoundingClientRect().right)"
    )
    assert max(drawn) <= 1, "a figure is wider than its frame"
    opened.page.close()


def test_labels_are_not_clipped(browser: Browser, report: str) -> None:
    """At phone width every label of the radar lies inside its figure."""
    opened = Opened(browser, report, width=390)
    outside = opened.page.evaluate("""() => {
        const frame = document.getElementById("figure-radar").getBoundingClientRect();
        return Array.from(document.querySelectorAll("#figure-radar text"), t => [t.textContent, t.getBoundingClientRect()])
            .filter(([, box]) => box.width && (box.left < frame.left - 1 || box.right > frame.right + 1))
            .map(([text]) => text);
    }""")
    assert outside == []
    opened.page.close()


def test_figures_follow_the_theme(browser: Browser, report: str) -> None:
    """Labels are light on dark and dark on light, by the system's wish and by the button."""
    opened = Opened(browser, report, scheme="dark")
    label = opened.page.locator("#figure-latency .ytick text").first
    ink = "el => getComputedStyle(el).fill"
    dark = label.evaluate(ink)
    opened.page.click("#theme")
    light = opened.page.locator("#figure-latency .ytick text").first.evaluate(ink)
    assert dark == "rgb(231, 236, 242)"
    assert light == "rgb(22, 32, 44)"
    opened.page.close()


def test_tables_download_as_csv(browser: Browser, report: str, tmp_path: Path) -> None:
    """The button beside a table saves its rows as CSV."""
    opened = Opened(browser, report)
    with opened.page.expect_download(timeout=30_000) as download:
        opened.page.click('button[data-table="quality"]')
    download.value.save_as(tmp_path / "quality.csv")
    lines = (tmp_path / "quality.csv").read_text().splitlines()
    assert lines[0].startswith("Framework,Scored runs,Completeness")
    assert "MS Agent Framework,9,10.00,10.00,10.00,9.33,10.00,9.87" in lines
    opened.page.close()


def test_markup_in_names_does_not_run(browser: Browser, tmp_path: Path) -> None:
    """A framework's name that is a script stays text, in the tables and in the figures."""
    evil = "<img src=x onerror=window.ran=1><b>bold</b>"
    table = (PUBLISHED / "runs.csv").read_text().replace("\ncrewai,", f"\n{evil},")
    (tmp_path / "runs.csv").write_text(table)
    path, _ = write_report(tmp_path)
    opened = Opened(browser, path.as_uri())
    assert opened.page.evaluate("window.ran") is None
    assert opened.page.locator("img").count() == 0
    labels = opened.page.locator("#figure-latency .ytick text").all_text_contents()
    assert evil in labels
    assert opened.said == []
    opened.page.close()
