"""What a person sees while a plan runs: a live line in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from cluster.foreign_text import first_line
from shared.foreign_text import harmless
from shared.records import RunRecord, Status

PLAIN_EVERY_S = 10.0
"""Between two plain lines about the same stage, so that a log stays readable."""

COMPUTED_S = 0.05
"""Answers that took less in all come from a recording or a script: their rate is no model's."""


class RunProgress:
    """One stage after the other; each has a text, and some a number of things to do."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._live = console.is_terminal
        self._bar = Progress(
            TextColumn("[bold]{task.fields[stage]}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("", total=None, stage="", count="", left="")
        self._stage = ""
        self._last_plain = ("", 0.0)
        self._started = time.monotonic()
        self._done = self._total = 0

    @contextmanager
    def shown(self) -> Iterator[RunProgress]:
        if not self._live:
            yield self
            return
        with self._bar:
            yield self

    def say(self, text: str) -> None:
        """A line that stays."""
        self.console.print(Text(harmless(text)), highlight=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        self.console.print(Text(harmless(text), style="yellow"), highlight=False, soft_wrap=True)

    def stage(self, name: str, total: int | None = None) -> None:
        """Begin a stage: "Setting up", "Measuring", "Judging"."""
        self._stage, self._done, self._total = name, 0, total or 0
        self._started = time.monotonic()
        count = f"0/{total}" if total else ""
        self._bar.reset(self._task, total=total, stage=name, count=count, left="", description="")
        if not self._live:
            self.say(f"{name}{f': {total}' if total else ''}")

    def doing(self, text: str) -> None:
        """What the stage is at right now; may be called several times a second."""
        if self._live:
            self._bar.update(self._task, description=escape(harmless(text)))
            return
        last, at = self._last_plain
        if text and text != last and time.monotonic() - at >= PLAIN_EVERY_S:
            self._last_plain = (text, time.monotonic())
            self.say(f"  {text}")

    def advance(self) -> None:
        self._done += 1
        count = f"{self._done}/{self._total}" if self._total else ""
        self._bar.update(self._task, completed=self._done, count=count, left=self._left())

    def judged(self) -> None:
        """A report is judged; while runs are measured beside it, that is not what is counted."""
        if self._stage == "Judging":
            self.advance()

    def run_finished(self, record: RunRecord, *, repeated: bool, disturbed: Sequence[str] = ()) -> None:
        """A line per attempt, with what was measured; one that will be repeated is not progress."""
        is_warmup = record.key.iteration == 0
        if not repeated and not is_warmup:
            self.advance()
        place = "warm-up" if is_warmup else f"{self._done}/{self._total}"
        name = f"{record.key.framework} on {record.key.item}"
        again = "; trying again" if repeated else ""
        if disturbed:
            self.warn(f"  {place}  {name}: disturbed: {'; '.join(disturbed)}{again}")
        elif record.status is Status.COMPLETED:
            figures = f"{record.latency_s or 0:.1f} s, {record.total_tokens:,} tokens"
            if record.model_s >= COMPUTED_S:
                figures += f", {record.completion_tokens / record.model_s:.0f} tokens/s out"
            self.say(f"  {place}  {name}: {figures}{'' if self._live else self._suffix()}")
        else:
            self.warn(f"  {place}  {name}: {record.status}: {first_line(record.error)}{again}")

    def _left(self) -> str:
        if not self._done or not self._total:
            return ""
        seconds = (time.monotonic() - self._started) / self._done * (self._total - self._done)
        return f"{seconds // 60:.0f}:{seconds % 60:02.0f} left"

    def _suffix(self) -> str:
        left = self._left()
        return f" ({left})" if left else ""
