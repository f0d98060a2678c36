"""Reports as trees of few elements: what a model wrote never becomes markup."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge.rating.markdown_tree import MAX_SHOWN_CHARS, markdown_tree

ALLOWED = {
    *("p", "ul", "ol", "li", "blockquote", "strong", "em", "s", "code", "pre", "hr", "br"),
    *("table", "thead", "tbody", "tr", "th", "td", "h3", "h4", "h5", "h6"),
}


def elements(parts: list[Any]) -> Iterator[dict[str, Any]]:
    for part in parts:
        if not isinstance(part, str):
            yield part
            yield from elements(part["parts"])


def words(parts: list[Any]) -> str:
    return "".join(part if isinstance(part, str) else words(part["parts"]) for part in parts)


def tags(text: str) -> list[str]:
    return [element["tag"] for element in elements(markdown_tree(text))]


def test_what_reports_are_made_of() -> None:
    """Headings below the page's own, lists with their numbers, emphasis, tables and code."""
    assert tags("# A\n## B\n### C") == ["h3", "h4", "h5"]
    assert tags("- one\n- **two**") == ["ul", "li", "li", "strong"]
    assert tags("|a|b|\n|-|-|\n|1|2|") == ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]
    (third,) = markdown_tree("3. three\n4. four")
    assert isinstance(third, dict)
    assert (third["tag"], third["start"]) == ("ol", 3)
    assert markdown_tree("a\nb") == [{"tag": "p", "start": None, "parts": ["a", "\n", "b"]}]


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "[click](javascript:alert(1))",
        "![pixel](https://example.org/x.png)",
        "<https://example.org>",
        "[ref]: https://example.org",
        "<!-- hidden -->",
    ],
)
def test_markup_links_and_images_stay_text(text: str) -> None:
    """They are shown letter by letter, in nothing but a paragraph."""
    assert tags(text) == ["p"]
    assert words(markdown_tree(text)) == text


@given(st.text(max_size=300))
def test_any_text_gives_allowed_elements_without_attributes(text: str) -> None:
    """Whatever the text is, only known elements come out, and nothing on them but a list's number."""
    for element in elements(markdown_tree(text)):
        assert element["tag"] in ALLOWED
        assert set(element) == {"tag", "start", "parts"}
        assert element["start"] is None or isinstance(element["start"], int)


def test_a_fence_around_the_whole_report_is_taken_off() -> None:
    """Also when the report was cut off before its end; a fence inside stays one."""
    assert tags("```markdown\n# A\n\ntext\n```") == ["h3", "p"]
    assert tags("```\n# A\n\ntext") == ["h3", "p"]
    assert tags("text\n\n```\n# A\n```") == ["p", "pre"]
    assert tags("```python\nx = 1\n```") == ["pre"]


def test_an_endless_report_is_cut_and_says_so() -> None:
    """One megabyte is shown up to the limit, with how long it is."""
    shown = words(markdown_tree("word " * 200_000))
    assert len(shown) < MAX_SHOWN_CHARS + 200
    assert "of 1,000,000 characters" in shown


@pytest.mark.parametrize(
    "piece", ["*", "[", "![", "`", "> ", "- ", "|", "<", "_a*", "a\n=\n", "\\", "~~", "&#"]
)
def test_hostile_text_costs_little(piece: str) -> None:
    """A report of nothing but one mark is read within seconds, whatever nests."""
    began = time.monotonic()
    markdown_tree(piece * (MAX_SHOWN_CHARS // len(piece)))
    assert time.monotonic() - began < 30
