"""What every set of tools is. One object for each run, opened with the run's lease at the gateway.

A module with a class `Tools` of this shape: `shared/tools/search.py`, or a task's own `tools.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from shared.contract import ToolSpec

Ask = Callable[[list[dict[str, str]]], str]
"""Asks the model under test: a conversation in the chat API's form in, its words out, untrusted and cut.

It blocks, and raises where the model's server fails: let it, and have changed nothing by then.
"""


class Tools(Protocol):
    """May remember what a run did; the same calls in the same order always lead to the same answers.

    Tools that need something of the machine, such as an index, also have a class method `check(data)`: it
    raises UserError, before any run, where they could not be opened.

    Tools with people whom a model may play (`played_by: model` of a task) take a second argument, `ask: Ask |
    None`, for `call` alone. What it gives is recorded, to be given again where a run's calls are made again.
    """

    SPECS: ClassVar[tuple[ToolSpec, ...]]
    """As models see them."""

    def __init__(self, data: Any) -> None:
        """`data` is what `TaskItem.tool_data` gave."""

    def call(self, name: str, arguments: dict[str, Any]) -> str:
        """Answer one call of a tool of `SPECS`.

        Called in a thread, one call after another. Never raises for what a model may say: arguments of
        another kind are answered in words that say how to ask.
        """
        ...

    def close(self) -> None:
        """The run has ended."""
        ...
