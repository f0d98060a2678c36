"""The report's page as people use it: any run in full, two side by side, by keyboard, on a phone, on paper."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from analysis.report import write_report
from cluster.runs_csv import write_runs_csv
from shared.calls import Call
from tests.functional.test_report_browser import CHROMIUM, Opened, browser
from tests.unit.fairness_wire import INSTRUCTIONS, RESULT, experiment, planned, quoted
from tests.unit.stored_records import begun, run

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: `make browser` installs it"),
]
EVIL = "<img src=x onerror=window.ran=1></script><script>window.ran=1</script>"
LEFT = ["# Title", "same line", "Revenue grew by 12 % in 2024.", "only left", "end"]
RIGHT = ["# Title", "same line", "Revenue grew by 15 % in 2024.", "end", EVIL]


def call(text: str) -> Call:
    return Call(
        sequence=1, kind="model", path="/v1/chat/completions", agent="writer", arrived_s=0.0, last_byte_s=1.0,
        status=200, request={"messages": [{"role": "user", "content": text}]},
        response={"choices": [{"message": {"role": "assistant", "content": text}}]},
    )  # fmt: skip


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two runs whose reports differ in a word, a line left out and a line added."""
    store = begun(tmp_path_factory.mktemp("two") / "e")
    for name, lines in (("a", LEFT), ("b", RIGHT)):
        text = "\n".join(lines)
        store.write_run(run(name, text=text), [call(text)])
    write_runs_csv(store)
    path, _ = write_report(store.folder)
    return path.as_uri()


@pytest.fixture(scope="module")
def wired(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two frameworks with all that they put on the wire, tools included."""
    styles = {"direct": planned, "langgraph": quoted}
    store = experiment(tmp_path_factory.mktemp("wired") / "e", styles=styles, tools=True)
    write_runs_csv(store)
    path, _ = write_report(store.folder)
    return path.as_uri()


def test_a_run_is_shown_in_full(browser: Browser, wired: str) -> None:
    """Messages, tool calls with arguments and results, and the report of the chosen run can be read."""
    opened = Opened(browser, wired)
    opened.show_runs()
    shown = opened.page.locator("#run-shown")
    for fold in shown.locator("details").all():
        fold.evaluate("fold => { fold.open = true; }")
    text = shown.inner_text()
    assert INSTRUCTIONS["researcher"] in text
    assert "calls search" in text
    assert RESULT.splitlines()[1] in text
    assert opened.said == []
    opened.page.close()


def test_two_runs_side_by_side(browser: Browser, two: str) -> None:
    """A changed word, a line left out and a line added are marked; the rest is not; markup stays text."""
    opened = Opened(browser, two)
    opened.show_runs()
    shown = opened.page.locator("#compare-shown")
    assert opened.page.locator("#compare-words").text_content() == "3 of 6 lines differ."
    own = "marks => marks.map(mark => mark.lastChild.textContent)"
    assert shown.locator("del").evaluate_all(own) == ["12", "only left"]
    added = shown.locator("ins").evaluate_all(own)
    assert added[0] == "15"
    assert "".join(added[1:]) == EVIL
    assert shown.locator("tr.same").count() == 3
    assert opened.page.evaluate("window.ran") is None
    assert opened.page.locator("img").count() == 0
    opened.page.select_option("#compare-what", "requests")
    assert "[writer, user]" in (shown.text_content() or "")
    opened.page.select_option('#compare-b [data-choice="subject"]', label="a")
    assert (
        opened.page.locator("#compare-words").text_content()
        == "The two are the same, character by character."
    )
    assert opened.said == []
    opened.page.close()


def test_long_texts_are_compared_within_bounds(browser: Browser, two: str) -> None:
    """Texts too long for the table of common lines are shown unmarked; a shared head and tail cost nothing."""
    opened = Opened(browser, two)
    found = opened.page.evaluate("""() => {
        const lines = (word, n) => Array.from({ length: n }, (_, i) => word + i).join("\\n");
        const far = sideBySide(lines("a", 5000), lines("b", 5000));
        const near = sideBySide(lines("a", 50000) + "\\nx", lines("a", 50000) + "\\ny");
        return [far.marked, far.rows.length, near.marked, near.rows.filter(row => !row.same).length];
    }""")
    assert found == [False, 5000, True, 1]
    opened.page.close()


def test_every_difference_is_found(browser: Browser, two: str) -> None:
    """On made-up texts the rows give both texts back, and what they share is as long as a plain search says."""
    opened = Opened(browser, two)
    pairs: list[Any] = [
        ["a\nb\nc\nd", "b\nx\nd\ne"], ["", "a"], ["a", ""], ["a\na\nb", "a\nb\nb"], ["x\ny", "y\nx"], ["a", "a"]
    ]  # fmt: skip
    found = opened.page.evaluate(
        """pairs => pairs.map(([left, right]) => {
        const rows = sideBySide(left, right).rows;
        const side = name => rows.map(row => row[name]).filter(line => line !== null).join("\\n");
        return [side("left"), side("right"), rows.filter(row => row.same).length];
    })""",
        pairs,
    )
    assert [entry[:2] for entry in found] == pairs
    assert [entry[2] for entry in found] == [2, 0, 0, 2, 1, 1]
    opened.page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_sound_on_a_phone(browser: Browser, wired: str, scheme: str) -> None:
    """At 390 px: silent console, nothing fetched, no sideways scroll, headings in order, a table per figure."""
    opened = Opened(browser, wired, width=390, scheme=scheme)
    opened.show_runs()
    page = opened.page
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert opened.said == []
    assert [url for url in opened.asked if not url.startswith(("data:", "blob:"))] == [wired]
    levels = page.evaluate(
        "Array.from(document.querySelectorAll('h1,h2,h3,h4,h5'), h => Number(h.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    tables = page.locator(".plot").evaluate_all(
        "plots => plots.map(p => document.getElementById(p.getAttribute('aria-details'))?.tagName)"
    )
    assert set(tables) == {"TABLE"}
    assert page.locator("nav").is_visible()
    opened.page.close()


def test_every_table_and_figure_can_be_saved(browser: Browser, wired: str) -> None:
    """A CSV button stands by every table, an SVG and a PNG button by every figure; a PNG is one."""
    opened = Opened(browser, wired)
    opened.show_runs()
    page = opened.page
    assert page.locator("button[data-table]").count() == page.locator("table[id]").count()
    assert page.locator("button[data-figure]").count() == 2 * page.locator(".plot").count()
    with page.expect_download(timeout=60_000) as download:
        page.click('button[data-figure="tokens"][data-format="png"]')
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    page.close()


def test_every_run_can_be_saved(browser: Browser, two: str, tmp_path: Path) -> None:
    """One file has a line for each run, also those that the tables leave out."""
    opened = Opened(browser, two)
    opened.show_runs()
    with opened.page.expect_download(timeout=60_000) as download:
        opened.page.click("#every-run")
    download.value.save_as(tmp_path / "runs.csv")
    assert (tmp_path / "runs.csv").read_text().splitlines() == [
        "framework,item,iteration,status,quality,latency_s,tokens",
        "a,x,1,completed,,3.5,1500",
        "b,x,1,completed,,3.5,1500",
    ]
    opened.page.close()


def test_tab_reaches_every_control(browser: Browser, two: str) -> None:
    """From the skip link on, the tab key comes by every link, button, select box and fold that can be seen."""
    opened = Opened(browser, two)
    opened.show_runs()
    page = opened.page
    page.evaluate("""() => {
        window.reached = new Set();
        document.addEventListener("focusin", event => window.reached.add(event.target));
        document.activeElement.blur();
        scrollTo(0, 0);
    }""")
    wanted = "Array.from(document.querySelectorAll('a[href], button, select, summary')).filter(e => e.checkVisibility())"
    count = page.evaluate(f"{wanted}.length")
    for _ in range(3 * count):
        page.keyboard.press("Tab")
    missed = page.evaluate(f"{wanted}.filter(e => !window.reached.has(e)).map(e => e.outerHTML.slice(0, 80))")
    assert missed == []
    page.close()


def test_print_is_light_and_without_controls(browser: Browser, two: str) -> None:
    """On paper, also from a dark screen, the page is light, and no button, menu or select box is printed."""
    opened = Opened(browser, two, scheme="dark")
    page = opened.page
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    shown = page.evaluate(
        "Array.from(document.querySelectorAll('button, nav, select')).filter(e => e.checkVisibility()).length"
    )
    assert shown == 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme ?? null") is None
    page.close()


def test_an_old_browser_says_so(browser: Browser, two: str) -> None:
    """Where the browser cannot unpack, a sentence tells, and the tables are there."""
    context = browser.new_context()
    context.add_init_script("delete window.DecompressionStream")
    page = context.new_page()
    page.goto(two)
    page.wait_for_selector("#too-old:not([hidden])")
    assert page.locator("#table-quality").is_visible()
    context.close()
