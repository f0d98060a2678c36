"""What a request is made of: each stretch of its messages traced to where it comes from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from analysis.fairness.changed import Changed, find_changed
from analysis.fairness.known_texts import KnownTexts, Piece
from analysis.fairness.messages import Conversation, Message, ToolCall, as_json
from analysis.fairness.result import Made, Source
from shared.brief import AgentBrief

SHORT = 20
"""A shorter answer may be part of any sentence: it counts only where it fills whole lines."""
PREFERRED: dict[str, Source] = {"assistant": "answer", "tool": "tool_result"}
"""Role -> what its text is, where the same words have more than one origin."""
LONG = 200
"""An answer of at least this many characters is looked for in changed form too."""


@dataclass(frozen=True, slots=True)
class Part:
    """One message of a request."""

    role: str
    pieces: tuple[Piece, ...]
    extras: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Composition:
    parts: tuple[Part, ...]
    missing: tuple[Source, ...]
    """Of the agent's own instructions and request, what is not there, not even changed."""

    def pieces(self) -> Iterator[Piece]:
        for part in self.parts:
            yield from part.pieces


def compose(conversation: Conversation, agent: AgentBrief | None, known: KnownTexts) -> Composition:
    splitter = _Splitter(known, agent.name if agent else None)
    parts = [splitter.part(message) for message in conversation.messages]
    missing = [
        wanted.source
        for wanted in _own(agent)
        if not _holds(parts, wanted) and not _find(parts, wanted, known)
    ]
    for answer in known.answers():
        if len(answer.text) >= LONG and not _holds(parts, answer):
            _find(parts, answer, known)
    return Composition(tuple(parts), tuple(missing))


def measure(composition: Composition, agent: str | None) -> Made:
    """Bytes by origin. What stands there a second time, and other agents' briefs, are `again`."""
    counted: Counter[str] = Counter()
    before: set[tuple[Source, str | None, str]] = set()
    for part in composition.parts:
        for piece in part.pieces:
            counted[_kind(piece, agent, before)] += _bytes(_kept(piece))
            counted["framing"] += sum(_bytes(text) for text in _put_in(piece))
            if piece.source != "framing":
                before.add((piece.source, piece.agent, piece.text))
        counted["framing"] += sum(_bytes(text) for _, text in part.extras)
    return Made(requests=1, **counted)


def _kind(piece: Piece, agent: str | None, before: set[tuple[Source, str | None, str]]) -> str:
    if piece.source in ("framing", "hand_over"):
        return piece.source
    if (piece.source, piece.agent, piece.text) in before:
        return "again"
    if piece.source in ("instructions", "request"):
        return "brief" if piece.agent == agent else "again"
    return "tool_results" if piece.source == "tool_result" else "answers"


def _kept(piece: Piece) -> str:
    """Without what was put in."""
    return "".join(text for mark, text in piece.edits if mark == "same") if piece.edits else piece.text


def _put_in(piece: Piece) -> Iterator[str]:
    return (text for mark, text in piece.edits if mark == "added")


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _own(agent: AgentBrief | None) -> list[Piece]:
    if agent is None:
        return []
    own = (Piece("instructions", agent.name, agent.instructions), Piece("request", agent.name, agent.request))
    return [piece for piece in own if piece.text.strip()]


class _Splitter:
    """Splits the texts of one request, in order."""

    def __init__(self, known: KnownTexts, agent: str | None) -> None:
        self._known = known
        self._agent = agent
        self._seen: Counter[tuple[str, Source | None]] = Counter()
        """Occurrences of a known text so far."""

    def part(self, message: Message) -> Part:
        preferred = PREFERRED.get(message.role)
        pieces = [piece for text in message.texts for piece in self._split(text, preferred)]
        called, extras = _called(message.calls, self._known)
        return Part(message.role, (*pieces, *called), tuple(sorted((*message.extras, *extras))))

    def _split(self, text: str, preferred: Source | None) -> list[Piece]:
        stretches: list[str | Piece] = [text]
        for candidate in self._known.longest_first():
            if candidate in text:
                stretches = list(self._without(stretches, candidate, preferred))
        return [s if isinstance(s, Piece) else Piece("framing", None, s) for s in stretches]

    def _without(
        self, stretches: Iterable[str | Piece], candidate: str, preferred: Source | None
    ) -> Iterator[str | Piece]:
        """The same with each occurrence of `candidate` told apart."""
        for stretch in stretches:
            if isinstance(stretch, Piece):
                yield stretch
                continue
            done = at = 0
            while (at := stretch.find(candidate, at)) >= 0:
                end = at + len(candidate)
                number = self._seen[candidate, preferred]
                pieces = self._known.pieces(candidate, self._agent, preferred, number)
                if _may_be_chance(pieces, candidate) and not _fills_lines(stretch, at, end):
                    at = end
                    continue
                if at > done:
                    yield stretch[done:at]
                yield from pieces
                self._seen[candidate, preferred] += 1
                done = at = end
            if done < len(stretch):
                yield stretch[done:]


def _may_be_chance(pieces: tuple[Piece, ...], text: str) -> bool:
    return len(text) < SHORT and pieces[0].source in ("answer", "tool_result")


def _fills_lines(text: str, start: int, end: int) -> bool:
    return (start == 0 or text[start - 1] == "\n") and (end == len(text) or text[end] == "\n")


def _called(
    calls: tuple[ToolCall, ...], known: KnownTexts
) -> tuple[tuple[Piece, ...], list[tuple[str, str]]]:
    """Tool calls that an assistant's message repeats: those of an answer, all and as they were, or not."""
    if not calls:
        return (), []
    if calls in known.turns:
        text = "".join(call.name + call.arguments for call in calls)
        return (Piece("tool_call", known.turns[calls], text),), []
    told = as_json([[call.name, call.arguments] for call in calls])
    return (), [("tool_calls that no answer made in this form", told)]


def _holds(parts: Iterable[Part], wanted: Piece) -> bool:
    return any(
        (piece.source, piece.agent) == (wanted.source, wanted.agent)
        and (piece.source != "answer" or piece.text.strip() == wanted.text.strip())
        for part in parts
        for piece in part.pieces
    )


def _find(parts: list[Part], wanted: Piece, known: KnownTexts) -> bool:
    """Look for a changed form of `wanted` in what is framing so far, and put it in its place."""
    best: tuple[int, int, Changed] | None = None
    for number, part in enumerate(parts):
        for position, piece in enumerate(part.pieces):
            if piece.source != "framing" or 2 * len(piece.text) < len(wanted.text):
                continue
            # Answers are different in every run, and word by word there would be no end.
            found = find_changed(wanted.text, piece.text, by_words=wanted.source != "answer")
            if found and (best is None or found.share > best[2].share):
                best = (number, position, found)
    if best is None:
        return False
    number, position, found = best
    part = parts[number]
    text = part.pieces[position].text
    before, after = text[: found.start], text[found.end :]
    is_lead = wanted.source == "request" and before == known.leads.get(wanted.agent or "")
    around = (
        Piece("hand_over" if is_lead else "framing", None, before),
        Piece(wanted.source, wanted.agent, text[found.start : found.end], found.edits),
        Piece("framing", None, after),
    )
    pieces = (*part.pieces[:position], *(p for p in around if p.text), *part.pieces[position + 1 :])
    parts[number] = replace(part, pieces=pieces)
    return True
