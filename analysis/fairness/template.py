"""A request without what legitimately differs: equal templates mean equal treatment, on whatever item."""

from __future__ import annotations

from analysis.fairness.compose import Composition, Part
from analysis.fairness.known_texts import Piece

Template = tuple[object, ...]
"""Per message its role, where each stretch comes from, and the framework's own characters. Hashable."""


def template_of(parts: tuple[Part, ...]) -> Template:
    return tuple(part_template(part) for part in parts)


def part_template(part: Part) -> Template:
    return (part.role, tuple(_piece_template(piece) for piece in part.pieces), part.extras)


def fold_rounds(composition: Composition) -> tuple[Part, ...]:
    """The messages, a repeated round of tool calls and results given once.

    How many calls an answer makes, and how many rounds there are, is the model's doing.
    """
    folded: list[Part] = []
    rounds: list[Template | None] = []
    for part in composition.parts:
        key = part_template(part) if _belongs_to_round(part) else None
        if key and rounds[-1:] == [key]:
            continue
        folded.append(part)
        rounds.append(key)
        if all(rounds[-4:]) and len(rounds) >= 4 and rounds[-4:-2] == rounds[-2:]:
            del folded[-2:], rounds[-2:]
    return tuple(folded)


def _belongs_to_round(part: Part) -> bool:
    """Whether it holds nothing but what an answer called and what the tools gave."""
    return bool(part.pieces) and all(
        piece.source in ("tool_call", "tool_result") and not piece.is_changed for piece in part.pieces
    )


def _piece_template(piece: Piece) -> tuple[object, ...]:
    if piece.source == "framing":
        return ("framing", piece.text)
    edits = tuple(edit for edit in piece.edits if edit[0] != "same")
    return (piece.source, piece.agent, edits)
