"""What a framework and its libraries warn of during a run: standard library only.

Listens where records are made, not with a handler on the root logger: as soon as that logger has a handler,
`logging` prints no more warnings on stderr by itself and `basicConfig` does nothing, so a handler of ours
would change what a framework shows. Levels, handlers and filters stay as the framework sets them.
"""

from __future__ import annotations

import logging
import re
import traceback
import warnings
from datetime import UTC, datetime
from typing import Any, Self

from shared.trace import TraceContext

LINES = 100
"""Kept of a run; when there are more, the last says how many were left out."""
LINE_CHARACTERS = 500

_TOKEN = re.compile(r"/runs/([^/?#]+)")


class FrameworkLog:
    """Entered for the length of a run; `lines` is what was logged at WARNING or above, oldest first."""

    def __init__(self, context: TraceContext | None, base_url: str) -> None:
        self._ids = f" trace_id={context.trace_id} span_id={context.span_id}" if context else ""
        found = _TOKEN.search(base_url)
        self._token = found.group(1) if found else None
        self._lines: list[str] = []
        self._left_out = 0
        self._open = False

    @property
    def lines(self) -> list[str]:
        if not self._left_out:
            return list(self._lines)
        return [*self._lines[: LINES - 1], f"{self._left_out + 1} more lines were left out."]

    def __enter__(self) -> Self:
        self._make_record = logging.getLogRecordFactory()
        self._show_warning = warnings.showwarning
        self._open = True
        logging.setLogRecordFactory(self._record)
        warnings.showwarning = self._shown
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        if logging.getLogRecordFactory() == self._record:  # else the framework has put its own around it
            logging.setLogRecordFactory(self._make_record)
        if warnings.showwarning == self._shown:
            warnings.showwarning = self._show_warning

    def _record(self, *arguments: Any, **named: Any) -> logging.LogRecord:
        record = self._make_record(*arguments, **named)
        if self._open and record.levelno >= logging.WARNING:
            self._keep(record.levelname, record.name, _message(record))
        return record

    def _shown(self, message: Warning | str, category: type[Warning], *where: Any, **named: Any) -> None:
        if self._open:
            self._keep("WARNING", "py.warnings", f"{category.__name__}: {message}")
        self._show_warning(message, category, *where, **named)

    def _keep(self, level: str, logger: str, message: str) -> None:
        if len(self._lines) >= LINES:
            self._left_out += 1
            return
        if self._token:
            message = message.replace(self._token, "<run>")
        at = datetime.now(UTC).isoformat(timespec="microseconds")
        line = " ".join(f"{at} {level} {logger}{self._ids} {message}".split())  # one record, one line
        self._lines.append(line[:LINE_CHARACTERS].encode("utf-8", "replace").decode())


def _message(record: logging.LogRecord) -> str:
    """What a formatter would write of it, the traceback left out."""
    try:
        message = record.getMessage()
    except Exception as error:  # noqa: BLE001 - `logging` itself survives a record that does not fit its text
        message = f"{record.msg!r} ({type(error).__name__})"
    if record.exc_info and record.exc_info[1]:
        message += f": {''.join(traceback.format_exception_only(record.exc_info[1]))}"
    return message
