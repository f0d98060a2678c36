"""Pages to passages: at headings, paragraphs, sentences or words, whichever is the coarsest that fits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from semantic_text_splitter import MarkdownSplitter, TextSplitter

from shared.documents.engine.embed import tokenizer
from shared.documents.engine.read_document import Page
from shared.documents.passage import Passage

PASSAGE_TOKENS = 200
"""Of the embedding model's 256: the rest is for the title before it and two marks."""
OVERLAP_TOKENS = 40
TITLE_CHARS = 120
MARKDOWN = (".md", ".markdown")


def title_of(file: str, pages: Sequence[Page]) -> str:
    """What is searched with each passage, which seldom says what document it is in: name and first line."""
    name = re.sub(r"[\W_]+", " ", PurePosixPath(file).stem).strip()
    first = next((line.strip() for line in pages[0].text.splitlines() if line.strip()), "")
    return f"{name}: {first.lstrip('# ')}"[:TITLE_CHARS]


class Splitter:
    def __init__(self) -> None:
        limits = {"capacity": PASSAGE_TOKENS, "overlap": OVERLAP_TOKENS}
        self._text: Any = TextSplitter.from_huggingface_tokenizer(tokenizer(), **limits)
        self._markdown: Any = MarkdownSplitter.from_huggingface_tokenizer(tokenizer(), **limits)

    def passages(self, file: str, pages: Iterable[Page]) -> Iterator[Passage]:
        """No passage goes over a page's end: it is cited by its page."""
        splitter = self._markdown if file.lower().endswith(MARKDOWN) else self._text
        for page in pages:
            for text in splitter.chunks(page.text):
                yield Passage(text, file, page.number)
