"""A report's Markdown as a tree that a page can build element by element.

What a model wrote is never HTML: the page makes elements of the few tags named here and sets text. Markup in
the text stays visible as text, and so do links and images, whose addresses nobody asked for.
"""

from __future__ import annotations

from typing import TypeAlias, TypedDict

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

MAX_SHOWN_CHARS = 50_000
"""An 800-word report has about 5,500; the rest of an endless one is cut, and the rater is told so."""


class Element(TypedDict):
    tag: str
    start: int | None
    """Of an ordered list that does not begin with 1."""
    parts: list[Part]


Part: TypeAlias = "str | Element"

TAGS = {
    "paragraph": "p",
    "bullet_list": "ul",
    "ordered_list": "ol",
    "list_item": "li",
    "blockquote": "blockquote",
    "strong": "strong",
    "em": "em",
    "s": "s",
    "code_inline": "code",
    "code_block": "pre",
    "fence": "pre",
    "hr": "hr",
    "hardbreak": "br",
    **{name: name for name in ("table", "thead", "tbody", "tr", "th", "td")},
}
HEADINGS = {"h1": "h3", "h2": "h4", "h3": "h5", "h4": "h6", "h5": "h6", "h6": "h6"}
"""Below the page's own two levels."""
FENCE = "```"

_reader = (
    MarkdownIt("commonmark", {"html": False})
    .enable(["table", "strikethrough"])
    .disable(["link", "image", "autolink", "reference", "html_block", "html_inline"])
)


def markdown_tree(text: str) -> list[Part]:
    """The text in elements; a fence around the whole of it is taken off, as models often put one."""
    shown = text[:MAX_SHOWN_CHARS]
    tree = SyntaxTreeNode(_reader.parse(_unfenced(shown)))
    parts = [part for child in tree.children for part in _parts(child)]
    if len(shown) < len(text):
        parts.append(_element("p", [_element("em", [_cut(len(shown), len(text))])]))
    return parts


def _unfenced(text: str) -> str:
    first, *inner = text.strip().split("\n")
    if first.strip() not in {FENCE, f"{FENCE}markdown", f"{FENCE}md"}:
        return text
    if inner and inner[-1].strip() == FENCE:
        inner.pop()
    return text if any(line.lstrip().startswith(FENCE) for line in inner) else "\n".join(inner)


def _parts(node: SyntaxTreeNode) -> list[Part]:
    if node.type == "softbreak":
        return ["\n"]
    inner = [part for child in node.children for part in _parts(child)]
    if node.type in {"text", "code_inline", "code_block", "fence"}:
        inner = [node.content]
    tag = HEADINGS[node.tag] if node.type == "heading" else TAGS.get(node.type)
    if tag is None or _is_tight(node):
        return inner
    return [_element(tag, inner, _start(node))]


def _is_tight(node: SyntaxTreeNode) -> bool:
    """A paragraph of a list without blank lines has no element of its own."""
    return node.type == "paragraph" and node.hidden


def _start(node: SyntaxTreeNode) -> int | None:
    start = node.attrs.get("start")
    return int(start) if start is not None else None


def _element(tag: str, parts: list[Part], start: int | None = None) -> Element:
    return Element(tag=tag, start=start, parts=parts)


def _cut(shown: int, whole: int) -> str:
    return f"(The report goes on: the first {shown:,} of {whole:,} characters are shown.)"
