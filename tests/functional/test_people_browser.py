"""The report's section on people's ratings in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.report import write_report
from cluster.runs_csv import write_runs_csv
from tests.functional.test_report_browser import CHROMIUM, START_S, Opened
from tests.unit.people_experiment import rated

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: `make browser` installs it"),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("people")
    found = rated(folder, frameworks={"a": 6.0, "b": 5.0}, raters={"Ann": 0.5, "Ben": -0.5}, share=0.5)
    write_runs_csv(found.store)
    path, _ = write_report(Path(folder))
    return path.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_section_fits(report: str, width: int, scheme: str) -> None:
    """On a phone and at a desk, by day and by night: every table is there, and nothing scrolls sideways."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, timeout=START_S * 1000, args=["--no-sandbox", "--disable-gpu"]
        )
        opened = Opened(browser, report, width=width, scheme=scheme)
        opened.page.evaluate("document.querySelectorAll('#people details').forEach(d => d.open = true)")
        assert opened.page.locator("#people table:visible").count() == 7
        assert opened.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert opened.said == []
        browser.close()
