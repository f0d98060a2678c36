"""What every set of tools is. One object for each run, opened with the run's lease at the gateway.

A module with a class `Tools` of this shape: `shared/tools/search.py`, or a task's own `tools.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from shared.contract import ToolSpec


class Tools(Protocol):
    """May remember what a run did; the same calls in the same order always lead to the same answers.

    Tools that need something of the machine, such as an index, also have a class method `check(data)`: it
    raises UserError, before any run, where they could not be opened.
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
