"""An answer with what it rests on, for a terminal and for programs, and what speaks against believing it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from cluster.documents.answer_question import Answered
from shared.documents.citations import NOT_FOUND, mark_made_up, unsupported_figures
from shared.documents.passage import Numbered
from shared.foreign_text import harmless


def show_answer(
    console: Console, answered: Answered, passages: Sequence[Numbered], index: str, caveat: str | None
) -> None:
    def say(text: str, style: str = "") -> None:
        console.print(Text(harmless(text), style), highlight=False, soft_wrap=True)

    cited = set(answered.citations.real)
    if answered.not_found and not cited:
        say(NOT_FOUND, "bold")
        say(f"Index: {index}. The nearest passages were:")
    else:
        say(mark_made_up(answered.text, answered.citations.made_up) or "(The model wrote nothing.)")
        say("")
    for passage in passages:
        if passage.number in cited or not cited:
            say(f"  [{passage.number}] {passage.passage.place}", "" if cited else "dim")
    for warning in warnings(answered, passages):
        say(warning, "yellow")
    if caveat:
        say(f"Note: {caveat}", "dim")


def warnings(answered: Answered, passages: Sequence[Numbered]) -> list[str]:
    """What a reader must know before believing the answer."""
    found = []
    if answered.citations.made_up:
        numbers = ", ".join(map(str, answered.citations.made_up))
        found.append(f"Made up: no passage has the number {numbers}. Do not rely on what it stands behind.")
    if answered.not_found and answered.citations.real:
        found.append("The answer cites passages and also says that the documents do not tell.")
    if not answered.not_found and not answered.citations.real:
        found.append("The answer cites no passage: nothing shows that the documents say so.")
    cited = [one.passage.text for one in passages if one.number in answered.citations.real]
    if cited and (missing := unsupported_figures(answered.text, cited)):
        found.append(f"In no passage that it cites: {', '.join(missing)}.")
    return found


def shown_as_json(
    question: str, index: Path, model: str, answered: Answered, passages: Sequence[Numbered]
) -> dict[str, Any]:
    return {
        "question": question,
        "index": str(index),
        "model": model,
        "answer": answered.text,
        "not_found": answered.not_found,
        "cited": list(answered.citations.real),
        "made_up": list(answered.citations.made_up),
        "warnings": warnings(answered, passages),
        "passages": [
            {
                "number": one.number,
                "file": one.passage.file,
                "page": one.passage.page,
                "text": one.passage.text,
            }
            for one in passages
        ],
        "prompt_tokens": answered.prompt_tokens,
        "completion_tokens": answered.completion_tokens,
    }
