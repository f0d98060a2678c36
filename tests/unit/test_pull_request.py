"""report.md: the decisive figures in GitHub's Markdown, in which nobody's name becomes markup."""

from __future__ import annotations

from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from analysis.analyse import analyse
from analysis.markdown_text import JOINER, escaped
from analysis.pull_request import MOST_ALARMS, render_markdown
from analysis.read_runs import read_runs
from analysis.report import write_report
from analysis.result import Alarm
from tests.unit.analysis_rows import PUBLISHED, analyse_rows, clean_rows, write_rows

NASTY = (
    "<b>bold</b> [link](https://evil.example) **strong** `code` | cell ~~gone~~ $x^2$ ![i](a.png) @octocat "
    "owner/repo#12 #34 GH-56 www.evil.example 0123456789abcdef0123456789abcdef01234567 a_b_c\n# heading\x1b[31m"
)


def html_of(markdown: str) -> str:
    """As a reader of GitHub's dialect shows it: tables and struck text on, addresses not turned into links."""
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown)


@pytest.mark.parametrize("place", ["{}", "- {}", "| a |\n| - |\n| {} |", "## {}"])
def test_a_nasty_name_stays_text_everywhere(place: str) -> None:
    """In a paragraph, a list, a table and a heading: no element comes of it, and its words are all there."""
    shown = html_of(place.format(escaped(NASTY)))
    empty = html_of(place.format("x"))
    assert shown.count("<") == empty.count("<")
    for words in (
        "&lt;b&gt;bold&lt;/b&gt;",
        "**strong**",
        "`code` | cell ~~gone~~ $x^2$",
        "a_b_c # heading?[31m",
    ):
        assert words in shown


@pytest.mark.parametrize(
    "text", ["@octocat", "#34", "owner/repo#12", "GH-56", "www.evil.example", "https://e.example"]
)
def test_github_links_nothing(text: str) -> None:
    """Mentions, issues and addresses, which GitHub finds in plain text, are parted by a joiner without width."""
    assert text not in escaped(text)
    assert html_of(escaped(text)).replace(JOINER, "") == f"<p>{text}</p>\n"


@pytest.mark.parametrize(
    "text", ["# no heading", "- no item", "1. no item", "12) no item", "> no quote", "=== ", "+ no"]
)
def test_the_start_of_a_line_is_no_mark(text: str) -> None:
    """A sentence may begin like a list or a heading and is a paragraph all the same."""
    assert html_of(escaped(text)).startswith("<p>")


def test_the_published_runs_in_a_minute(tmp_path: Path) -> None:
    """Headline, a row per framework with the report's own figures, alarms high first, and what is not known."""
    analysis = analyse(read_runs(PUBLISHED))
    text = render_markdown(analysis, ["report.html"])
    assert len(text) < 8_000
    row = next(line for line in text.splitlines() if line.startswith("| LangGraph"))
    found = analysis.frameworks["langgraph"]
    assert f"{found.n}/{found.rows}" in row
    assert f"{found.quality:.2f} ± {found.std:.2f}" in row
    assert f"{found.tokens:,.0f}" in row
    severities = [line.split("**")[1] for line in text.splitlines() if line.startswith("- **")]
    assert severities == sorted(severities, key=("high", "medium", "low").index)
    assert "### Cannot be concluded" in text
    assert "`report.html`" in text


def test_many_frameworks_and_alarms_stay_short(tmp_path: Path) -> None:
    """Of 200 frameworks and dozens of alarms it shows the first and says how many there are."""
    names = tuple(f"f{number:03}" for number in range(200))
    analysis = analyse_rows(tmp_path, clean_rows(names, ("Alpha", "Beta"), 1))
    alarm = Alarm(code="unbalanced", severity="low", text="Odd.", evidence={})
    text = render_markdown(analysis.model_copy(update={"alarms": [alarm] * 30}))
    assert "The first 20 of 200." in text
    assert f"and {30 - MOST_ALARMS} alarms more in the report" in text
    assert len(text) < 12_000


def test_names_with_markup_are_harmless_in_the_whole(tmp_path: Path) -> None:
    """A framework and an item whose names are markup leave the page's elements as they are."""
    rows = clean_rows(("autogen", "crewai"), ("Alpha", "Beta"), 1)
    plain = html_of(render_markdown(analyse_rows(tmp_path / "plain", rows)))
    nasty = [
        row
        | {
            "framework": row["framework"].replace("autogen", NASTY),
            "item": row["item"].replace("Beta", NASTY),
        }
        for row in rows
    ]
    shown = html_of(render_markdown(analyse_rows(tmp_path / "nasty", nasty)))
    assert "<b>" not in shown
    assert "<a " not in shown
    assert "<img" not in shown
    assert shown.count("<td") == plain.count("<td")


def test_it_lies_beside_the_report_of_a_folder_alone(tmp_path: Path) -> None:
    """A folder gets report.md; a table from elsewhere only where one is asked for."""
    folder = write_rows(tmp_path / "folder", clean_rows())
    write_report(folder)
    assert (folder / "report.md").read_text(encoding="utf-8").startswith("## Levelfield: folder")
    table = (folder / "runs.csv").rename(tmp_path / "mine.csv")
    (tmp_path / "mine.md").write_text("my own")
    write_report(table)
    assert (tmp_path / "mine.md").read_text() == "my own"
    write_report(table, markdown_out=tmp_path / "asked.md")
    assert (tmp_path / "asked.md").exists()


def test_there_is_something_to_say_of_nothing(tmp_path: Path) -> None:
    """A table without a row, and one in which all failed."""
    rows = clean_rows()
    folder = write_rows(tmp_path / "none", rows)
    (folder / "runs.csv").write_text((folder / "runs.csv").read_text().splitlines()[0] + "\n")
    assert "There are no runs yet." in render_markdown(analyse(read_runs(folder)))
    failed = [row | {"status": "timeout"} for row in rows]
    assert "No run completed" in render_markdown(analyse_rows(tmp_path / "failed", failed))
