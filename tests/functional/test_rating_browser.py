"""The rating page in a real browser: by keyboard, on a phone, after a kill, and without trusting the reports."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shared.judgement_store import Judgements
from tests.functional.command import Command, levelfield
from tests.functional.test_report_browser import CHROMIUM, Opened, browser
from tests.unit.rated_experiment import CRITERIA, experiment

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["browser"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: `make browser` installs it"),
]
START_S = 60
SHOWN = 6 + 1
"""Reports and one repeat."""
LINK = re.compile(r"^(.+): (http://127\.0\.0\.1:\d+/\S+)$", re.MULTILINE)
# Anything that can be clicked or filled in, with the name that a screen reader would say.
NAMES = """() => Array.from(document.querySelectorAll("input, textarea, button, summary, a"), element => [
    element.outerHTML.slice(0, 80),
    element.getAttribute("aria-label") || (element.labels && element.labels[0]?.textContent) || element.textContent,
]).filter(([, name]) => !name.trim()).map(([html]) => html)"""
CONTRAST = """() => {
    const light = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number)
        .map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const back = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const colour = getComputedStyle(at).backgroundColor;
            if (!/rgba\\(.*, 0\\)/.test(colour)) return colour;
        }
    };
    return Array.from(document.querySelectorAll("main *, header *")).filter(element =>
        element.checkVisibility() && !element.disabled &&
        Array.from(element.childNodes).some(node => node.nodeType === 3 && node.data.trim())
    ).map(element => {
        const [ink, paper] = [light(getComputedStyle(element).color), light(back(element))];
        return [(Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05), element.outerHTML.slice(0, 80)];
    }).filter(([ratio]) => ratio < 4.5);
}"""


@contextmanager
def rating(folder: Path, *words: object) -> Iterator[tuple[Command, dict[str, str]]]:
    """`levelfield rate` over `folder` with its links by rater's name."""
    with levelfield("rate", folder, *words, folder=folder.parent) as command:
        command.wait_until(lambda: "/start/" in command.output and command.output.endswith("\n"), START_S)
        yield command, dict(LINK.findall(command.output))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return experiment(tmp_path / "experiment").folder


def press(page: Page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


def rate_one(page: Page, keys: str, then: str) -> None:
    """Scores and Enter; the next title is waited for."""
    press(page, f"{keys} Enter")
    page.wait_for_selector(f"h1:has-text('{then}'):visible")


def scores(folder: Path) -> list[tuple[str, list[int]]]:
    return [
        (found.rater, [found.scores[name] for name in CRITERIA]) for found in Judgements(folder).ratings()
    ]


def test_rating_by_keyboard_through_reload_and_kill(browser: Browser, folder: Path) -> None:
    """Numbers and Enter rate; what is entered outlives a reload, and what is saved a killed server."""
    with rating(folder, "--rater", "Ann") as (command, links):
        opened = Opened(browser, links["Ann"])
        page = opened.page
        assert page.text_content("h1") == f"Report 1 of {SHOWN}"
        rate_one(page, "1 2 3 4 0", f"Report 2 of {SHOWN}")
        assert scores(folder) == [("Ann", [1, 2, 3, 4, 10])]
        assert page.text_content("#status") == "Report 1 is saved."
        press(page, "7 7 ArrowUp ArrowRight c")
        page.keyboard.type("Too long? Not b.")
        page.reload()
        page.wait_for_selector("html[data-ready]")
        assert page.text_content("h1") == f"Report 2 of {SHOWN}"
        assert page.input_value("#comment") == "Too long? Not b."
        rate_one(page, "5 5 5 Enter", f"Report 3 of {SHOWN}")
        assert ("Ann", [7, 8, 5, 5, 5]) in scores(folder)
        assert any(
            found.comment == "Too long? Not b." and found.seconds for found in Judgements(folder).ratings()
        )
        command.kill()
        press(page, "6 6 6 6 6 Enter")
        page.wait_for_selector("#alert:has-text('does not answer')")
        assert len(scores(folder)) == 2
        page.close()
    with rating(folder, "--rater", "ann") as (command, links):
        opened = Opened(browser, links["Ann"])
        page = opened.page
        assert page.text_content("h1") == f"Report 3 of {SHOWN}"
        assert page.text_content("#done") == f"2 of {SHOWN} done"
        press(page, "b b")
        page.wait_for_selector(f"h1:has-text('Report 1 of {SHOWN}')")
        rate_one(page, "9", f"Report 3 of {SHOWN}")
        assert ("Ann", [9, 2, 3, 4, 10]) in scores(folder)
        for number in range(4, SHOWN + 1):
            rate_one(page, "6 6 6 6 6", f"Report {number} of {SHOWN}")
        rate_one(page, "6 6 6 6 6", "All rated. Thank you.")
        found = Judgements(folder).ratings()
        assert sorted(one.showing for one in found) == [1] * 6 + [2]
        assert len({one.attempt_id for one in found}) == 6
        assert opened.said == []
        command.ctrl_c()
        assert command.wait(20) == 0
        assert "Stopped." in command.output
        page.close()


def test_each_rater_has_an_order_of_his_own(browser: Browser, folder: Path) -> None:
    """By the start page and by links, raters see the reports in different orders, and not each other's answers."""
    with rating(folder, "--rater", "Ann", "--rater", "Bob") as (_, links):
        orders = []
        for name in ("Ann", "Bob"):
            page = Opened(browser, links[name]).page
            seen = []
            for number in range(1, SHOWN + 1):
                page.wait_for_selector(f"h1:has-text('Report {number} of')")
                seen.append(page.text_content("#report h3"))
                press(page, "n")
            orders.append(seen)
            assert len(set(seen)) == 6
            page.close()
        assert orders[0] != orders[1]
        page = Opened(browser, links["Anybody else"]).page
        page.keyboard.type("ann")
        press(page, "Enter")
        page.wait_for_selector("h1:has-text('Report 1 of')")
        assert page.text_content("#report h3") == orders[0][0]
        assert page.url.split("#")[0] == links["Ann"]
        page.close()


@pytest.mark.parametrize("mode", [(), ("--pairs",)])
def test_everybody_can_use_it(browser: Browser, folder: Path, mode: tuple[str, ...]) -> None:
    """No sideways scrolling, every control named, text at 4.5 to 1, a report's markup dead, nothing from outside."""
    with rating(folder, "--rater", "Ann", *mode) as (_, links):
        for width, scheme in ((390, "light"), (390, "dark"), (1000, "light"), (1440, "dark")):
            opened = Opened(browser, links["Ann"], width=width, scheme=scheme)
            page = opened.page
            page.evaluate("() => document.querySelectorAll('details').forEach(d => { d.open = true })")
            assert page.evaluate("() => document.documentElement.scrollWidth") <= width
            assert page.evaluate(NAMES) == []
            assert page.evaluate(CONTRAST) == []
            assert page.evaluate("() => window.ran") is None
            assert page.locator(".report a, .report img").count() == 0
            assert "<img src=x onerror=window.ran=1>" in page.locator(".report").first.text_content()
            origin = links["Ann"].split("/r/")[0]
            assert [url for url in opened.asked if not url.startswith(f"{origin}/")] == []
            assert opened.said == []
            page.close()


def test_keys_can_be_looked_up_and_confined(browser: Browser, folder: Path) -> None:
    """`?` opens the list and Escape closes it; with single keys switched off, they work in the form alone."""
    with rating(folder, "--rater", "Ann") as (_, links):
        page = Opened(browser, links["Ann"]).page
        press(page, "?")
        assert page.is_visible("#help")
        page.uncheck("#single-keys")
        press(page, "Escape 5")
        assert not page.is_visible("#help")
        assert page.locator("#criteria input:checked").count() == 0
        page.focus("#criteria input")
        press(page, "5")
        assert page.locator("#criteria input:checked").count() == 1
        assert page.evaluate("() => document.activeElement.closest('fieldset').name") == CRITERIA[1]
        press(page, "Enter")
        assert (
            page.text_content("#alert") == "Still without a score: accuracy, structure, insight, readability."
        )
        press(page, "PageDown")
        assert page.evaluate("() => scrollY") > 100
        press(page, "f")
        assert not page.is_visible("#facts")
        page.close()


def test_comparing_pairs(browser: Browser, folder: Path) -> None:
    """Arrows and `t` choose, Enter saves; on a phone the two stand one above the other."""
    with rating(folder, "--rater", "Ann", "--pairs") as (command, links):
        opened = Opened(browser, links["Ann"])
        page = opened.page
        first = page.text_content("#first h3").split()[-1]
        for number, key in enumerate(("ArrowLeft", "ArrowRight", "t"), 2):
            rate_one(page, key, f"Pair {number} of 17")
        kept = sorted(Judgements(folder).preferences(), key=lambda found: found.seconds is None)
        assert sorted(found.winner for found in kept) == ["first", "second", "tie"]
        chosen = next(found for found in kept if found.winner == "first")
        assert chosen.first_attempt_id == f"{(int(first) + 1) * 10:016x}"
        page.set_viewport_size({"width": 390, "height": 844})
        tops = page.evaluate(
            "() => ['first', 'second'].map(id => document.getElementById(id).getBoundingClientRect().top)"
        )
        assert tops[1] > tops[0] + 100
        assert opened.said == []
        command.send(signal.SIGTERM)
        assert command.wait(20) == 0
        page.close()
