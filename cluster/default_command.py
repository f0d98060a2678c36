"""A group of commands whose first need not be named: `judge DIR` is `judge reports DIR`."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


class DefaultCommand(TyperGroup):
    """What begins with neither a command's name nor a wish for help goes to the first command.

    A folder that is called like a command is written with its path: `judge ./audit`.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, *self.get_help_option_names(ctx)}:
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)
