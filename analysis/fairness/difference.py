"""One request's messages beside the reference's: which are the same, and where the others differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from difflib import Match as Block
from difflib import SequenceMatcher

from analysis.fairness.changed import WORDS, blocks_in_common
from analysis.fairness.compose import Part
from analysis.fairness.known_texts import Piece
from analysis.fairness.result import Mark, ShownMessage, Span
from analysis.fairness.template import part_template
from analysis.fairness.visible import edit_spans, label, visible

MOST_SPANS = 40
"""Per message."""

Token = str | Piece


def show(parts: Sequence[Part]) -> list[ShownMessage]:
    """Messages as they are."""
    return [_whole(part, "same") for part in parts]


def align(parts: Sequence[Part], reference: Sequence[Part]) -> list[ShownMessage]:
    """`parts` against `reference`, message by message."""
    ours, theirs = ([part_template(part) for part in told] for told in (parts, reference))
    shown: list[ShownMessage] = []
    for operation, i, i_end, j, j_end in SequenceMatcher(None, theirs, ours, autojunk=False).get_opcodes():
        if operation == "equal":
            shown += [_whole(part, "same") for part in parts[j:j_end]]
        else:
            shown += _paired(reference[i:i_end], parts[j:j_end])
    return shown


def _paired(reference: Sequence[Part], parts: Sequence[Part]) -> Iterator[ShownMessage]:
    """The two messages with most in common are one message changed; then the same before and after them."""
    pairs = ((_likeness(a, b), -i, -j) for i, a in enumerate(reference) for j, b in enumerate(parts))
    best, i, j = max(pairs, default=((0, 0), 0, 0))
    if not best[0]:
        yield from (_whole(part, "removed") for part in reference)
        yield from (_whole(part, "added") for part in parts)
        return
    one, other = reference[-i], parts[-j]
    yield from _paired(reference[:-i], parts[:-j])
    spans = _spans(_tokens(one), _tokens(other))
    yield ShownMessage(mark="changed", role=_role_between(one, other), spans=spans)
    yield from _paired(reference[1 - i :], parts[1 - j :])


def _likeness(one: Part, other: Part) -> tuple[int, int]:
    """Whether role and some known text are the same, 2 to 0 points; then the characters in common."""
    sizes = [Counter[object](), Counter[object]()]
    for part, size in zip((one, other), sizes, strict=True):
        for piece in part.pieces:
            if piece.source != "framing":
                size[piece.source, piece.agent] += len(piece.text)
    common = (sizes[0] & sizes[1]).total()
    return (one.role == other.role) + bool(common), common


def _role_between(reference: Part, part: Part) -> str:
    if reference.role == part.role:
        return visible(part.role, 60)
    return f"{visible(part.role, 60)} instead of {visible(reference.role, 60)}"


def _whole(part: Part, mark: Mark) -> ShownMessage:
    return ShownMessage(mark=mark, role=visible(part.role, 60), spans=_bounded(_marked(_tokens(part), mark)))


def _tokens(part: Part) -> list[Token]:
    """Known texts whole, the framework's own word by word."""
    tokens: list[Token] = []
    for piece in part.pieces:
        tokens += WORDS.findall(piece.text) if piece.source == "framing" else [piece]
    for key, value in part.extras:
        tokens.append(f"\u27e8{key}: {value}\u27e9")
    return tokens


def _spans(reference: list[Token], ours: list[Token]) -> list[Span]:
    left, right = ([_identity(token) for token in tokens] for tokens in (reference, ours))
    spans: list[Span] = []
    i_end = j_end = 0
    for i, j, size in blocks_in_common(left, right) or [Block(len(left), len(right), 0)]:
        spans += [*_marked(reference[i_end:i], "removed"), *_marked(ours[j_end:j], "added")]
        spans += _marked(ours[j : j + size], "same")
        i_end, j_end = i + size, j + size
    return _bounded(spans)


def _identity(token: Token) -> Hashable:
    return token if isinstance(token, str) else (token.source, token.agent, token.edits)


def _marked(tokens: Sequence[Token], mark: Mark) -> list[Span]:
    spans: list[Span] = []
    words: list[str] = []
    for token in [*tokens, None]:
        if isinstance(token, str):
            words.append(token)
            continue
        if words:
            text = "".join(words)
            spans.append(Span(mark=mark, source="framing", text=visible(text), characters=len(text)))
            words = []
        if token is not None:
            spans.append(label(token).model_copy(update={"mark": mark}))
            spans += edit_spans(token.edits)
    return spans


def _bounded(spans: list[Span]) -> list[Span]:
    if len(spans) <= MOST_SPANS:
        return spans
    rest = spans[MOST_SPANS - 1 :]
    text = f" \u2026 {len(rest)} more stretches \u2026 "
    return [*spans[: MOST_SPANS - 1], Span(mark=rest[0].mark, source="framing", text=text)]
