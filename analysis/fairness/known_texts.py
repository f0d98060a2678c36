"""The texts that a request of a run may be made of: what was handed over, answered and served so far."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from analysis.fairness.answers import Answer
from analysis.fairness.messages import ToolCall
from analysis.fairness.result import Mark, Source
from shared.brief import AgentBrief, Brief, answer_mark


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a message, and where it comes from."""

    source: Source
    agent: str | None
    text: str
    edits: tuple[tuple[Mark, str], ...] = ()
    """How it differs from what it comes from; empty when it is word for word."""

    @property
    def is_changed(self) -> bool:
        return bool(self.edits)


class KnownTexts:
    """Grows with a run: later requests may hold earlier answers."""

    def __init__(self, brief: Brief) -> None:
        self._pieces: dict[str, list[tuple[Piece, ...]]] = {}
        self._in_order: list[str] | None = None
        """Its keys; None until they are asked for again."""
        self._agents = brief.agents
        self._latest: dict[str, tuple[Piece, Piece]] = {}
        self.turns: dict[tuple[ToolCall, ...], str | None] = {}
        """All tool calls of one answer -> whose answer it was."""
        self.leads: dict[str, str] = {}
        """Agent -> the plan's words before its request, where something goes before it."""
        for agent in self._agents:
            self._add(Piece("instructions", agent.name, agent.instructions))
            self._add(Piece("request", agent.name, agent.request))
        self._turns = {agent.name: _turn(agent, self._agents) for agent in self._agents}
        for agent in self._agents:
            *before, (_, lead) = self._turns[agent.name]
            self.leads[agent.name] = lead
            self._add(Piece("hand_over", None, lead), Piece("request", agent.name, agent.request))
            for _, text in before:
                self._add(Piece("hand_over", None, text))

    def add_answer(self, agent: str | None, answer: Answer) -> None:
        forms = _answer_forms(agent, answer.text)
        for form in forms:
            self._add(form)
        if answer.calls:
            self.turns[answer.calls] = agent
        if agent is not None and answer.text.strip():
            self._latest[agent] = forms
            for number in range(len(forms)):
                self._add_planned_turns(agent, number)

    def add_result(self, text: str) -> None:
        self._add(Piece("tool_result", None, text))

    def longest_first(self) -> list[str]:
        """A text that holds another one comes before it."""
        if self._in_order is None:
            self._in_order = sorted(self._pieces, key=len, reverse=True)
        return self._in_order

    def pieces(
        self, text: str, agent: str | None, preferred: Source | None, occurrence: int
    ) -> tuple[Piece, ...]:
        """What `text` is. Of several with the same words, those of `agent` come first, then the earliest."""
        same = self._pieces[text]
        same = [pieces for pieces in same if pieces[0].source == preferred] or same
        same = sorted(same, key=lambda pieces: not _is_brief_of(pieces[-1], agent))
        return same[min(occurrence, len(same) - 1)]

    def answers(self) -> Iterator[Piece]:
        for same in self._pieces.values():
            yield from (pieces[0] for pieces in same if pieces[0].source == "answer")

    def _add_planned_turns(self, answered: str, form: int) -> None:
        """Whole user turns as the plan words them: told at once, whatever their parts have in common."""
        for agent in self._agents:
            turn = self._turns[agent.name]
            names = [name for name, _ in turn if name]
            if answered not in names or any(name not in self._latest for name in names):
                continue
            pieces = []
            for name, lead in turn:
                if lead:
                    pieces.append(Piece("hand_over", None, lead))
                request = Piece("request", agent.name, agent.request)
                pieces.append(self._latest[name][form] if name else request)
            self._add(*pieces)

    def _add(self, *pieces: Piece) -> None:
        kept = tuple(piece for piece in pieces if piece.text)
        text = "".join(piece.text for piece in kept)
        if not text.strip():
            return
        same = self._pieces.setdefault(text, [])
        self._in_order = None
        if kept not in same:
            same.append(kept)


def _is_brief_of(piece: Piece, agent: str | None) -> bool:
    return piece.source in ("instructions", "request") and piece.agent == agent


def _turn(agent: AgentBrief, agents: list[AgentBrief]) -> list[tuple[str | None, str]]:
    """The planned user turn as (whose answer, the plan's words before it), at the end (None, words before the
    request). Without a turn that ends on the request there are no such words.
    """
    told = agent.user_turn or agent.request
    if not told.endswith(agent.request):
        return [(None, "")]
    marks = {answer_mark(other.name): other.name for other in agents}
    pattern = f"({'|'.join(map(re.escape, marks))})"
    *before, last = re.split(pattern, told.removesuffix(agent.request))
    return [*((marks[before[i + 1]], before[i]) for i in range(0, len(before), 2)), (None, last)]


def _answer_forms(agent: str | None, text: str) -> tuple[Piece, Piece]:
    """An answer as it is, and without the blanks around it, which some frameworks cut: another text."""
    bare = text.strip()
    before, after = text.split(bare, 1) if bare else (text, "")
    edits: list[tuple[Mark, str]] = [("removed", before), ("same", bare), ("removed", after)]
    cut = tuple((mark, part) for mark, part in edits if part) if bare != text else ()
    return Piece("answer", agent, text), Piece("answer", agent, bare, cut)
