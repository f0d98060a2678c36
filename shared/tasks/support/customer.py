"""The simulated customer: a state machine over the item's data, the same answers to the same messages.

It is no model: it looks for words. What it wants, knows and says is in the item; it is content with what was
done and not with what is promised. `played.py` has the one that a model plays.
"""

from __future__ import annotations

import re

from shared.tasks.support.case import Ending, Script
from shared.tasks.support.desk import Desk

LEFT = "(The customer has left the conversation.)"
REFUSAL = re.compile(
    r"\b(cannot|can't|can not|unable|not able|not possible|impossible|not eligible|not allowed|unfortunately|"
    r"outside|too late|no longer|declin\w+|refus\w+|expired)\b",
    re.IGNORECASE,
)
MAX_MESSAGE_CHARACTERS = 4000
"""Read of one message."""


class SimulatedCustomer:
    def __init__(self, script: Script, desk: Desk) -> None:
        self._script = script
        self._desk = desk
        self._insisted = 0
        self.turns = 0
        self.ending: Ending = "open"

    def answer(self, message: str) -> str:
        if self.ending != "open":
            return LEFT
        if self._is_content():
            answer = self._leave("satisfied", self._script.thanks)
        elif self.turns + 1 >= self._script.patience:
            answer = self._leave("gave_up", self._script.gives_up)
        else:
            answer = self._react(message[:MAX_MESSAGE_CHARACTERS])
        self.turns += 1
        return answer

    def _react(self, message: str) -> str:
        """To a message that neither contents it nor is one too many."""
        text = message.replace("\u2019", "'")
        refused = REFUSAL.search(text) is not None
        known = self._asked_for(text)
        # A message that asks is answered before one that says no.
        if known and ("?" in text or not refused):
            return known
        return self._take_no() if refused else self._script.wish

    def _is_content(self) -> bool:
        return all(
            any(self._desk.has(action, order) for action in actions)
            for order, actions in self._script.wants.items()
        )

    def _asked_for(self, text: str) -> str | None:
        """Everything that the message asks for, in the item's order."""
        said = [
            known.say
            for known in self._script.knows
            if any(re.search(rf"\b{re.escape(word)}", text, re.IGNORECASE) for word in known.ask)
        ]
        return " ".join(said) or None

    def _take_no(self) -> str:
        if self._insisted < len(self._script.insists):
            self._insisted += 1
            return self._script.insists[self._insisted - 1]
        return self._leave("refused", self._script.takes_no)

    def _leave(self, ending: Ending, words: str) -> str:
        self.ending = ending
        return words
