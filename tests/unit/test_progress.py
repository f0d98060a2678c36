"""What a person sees while a plan runs, where output is no terminal, and that nothing foreign steers a terminal."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from cluster.progress import RunProgress
from shared.foreign_text import harmless
from shared.records import Status
from tests.unit.stored_records import run


def plain() -> tuple[RunProgress, io.StringIO]:
    out = io.StringIO()
    return RunProgress(Console(file=out, width=40)), out


def test_a_line_per_run() -> None:
    """A log has the stage with its size and for each run its place and figures, unbroken however narrow."""
    progress, out = plain()
    with progress.shown():
        progress.stage("Measuring", 2)
        progress.run_finished(run("a"), repeated=False)
        progress.run_finished(run("b", latency_s=12.34, completion_tokens=50, model_s=10.0), repeated=False)
    lines = out.getvalue().splitlines()
    assert lines[0] == "Measuring: 2"
    assert lines[1].startswith("  1/2  a on x: 3.5 s, 1,500 tokens, 200 tokens/s out (0:00 left)")
    assert lines[2].startswith("  2/2  b on x: 12.3 s, 1,050 tokens, 5 tokens/s out")
    assert len(lines) == 3


@pytest.mark.parametrize("model_s", [0.0, 0.01])
def test_a_run_whose_answers_nobody_computed(model_s: float) -> None:
    """A script's or a recording's answers have no speed to show."""
    progress, out = plain()
    progress.stage("Measuring", 1)
    progress.run_finished(run(model_s=model_s), repeated=False)
    assert "1,500 tokens" in out.getvalue()
    assert "tokens/s" not in out.getvalue()


def test_a_failure_is_told_in_its_first_line() -> None:
    """The status and the first line of the error, not the traceback below it."""
    progress, out = plain()
    progress.stage("Measuring", 1)
    failed = run(
        status=Status.FRAMEWORK_ERROR, error="\nValueError: no key in the answer\nTraceback\n  File x"
    )
    progress.run_finished(failed, repeated=False)
    assert out.getvalue().splitlines()[1:] == [
        "  1/1  a on x: framework_error: ValueError: no key in the answer"
    ]


def test_a_failure_without_words() -> None:
    """An error that says nothing is still a line."""
    progress, out = plain()
    progress.run_finished(run(status=Status.TIMEOUT, error=None), repeated=False)
    assert "a on x: timeout:" in out.getvalue()


def test_an_attempt_that_is_repeated_is_no_progress() -> None:
    """It is told, and the count stays where it was until the run has ended for good."""
    progress, out = plain()
    progress.stage("Measuring", 2)
    lost = run(status=Status.INFRASTRUCTURE_ERROR, error="The framework's process died.")
    progress.run_finished(lost, repeated=True)
    progress.run_finished(run(attempt=2), repeated=False)
    lines = out.getvalue().splitlines()
    assert lines[1] == "  0/2  a on x: infrastructure_error: The framework's process died.; trying again"
    assert lines[2].startswith("  1/2  a on x: ")


def test_what_goes_on_is_told_now_and_then() -> None:
    """In a log the same activity is not repeated, and several in a second make one line."""
    progress, out = plain()
    for text in ("loading the model", "loading the model", "", "direct on x: 1 call"):
        progress.doing(text)
    assert out.getvalue() == "  loading the model\n"


HOSTILE = "\x1b[31m[red]gone[/red]\x1b]0;title\x07 \x9b2J\u202e\r[/nonsense]"


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize(
    "show",
    [
        lambda progress: progress.say(HOSTILE),
        lambda progress: progress.warn(HOSTILE),
        lambda progress: progress.doing(HOSTILE),
        lambda progress: progress.run_finished(
            run(status=Status.MODEL_ERROR, error=HOSTILE.replace("\r", "")), repeated=False
        ),
    ],
    ids=["say", "warn", "doing", "error"],
)
def test_foreign_text_is_shown_harmlessly(show: Callable[[RunProgress], None], terminal: bool) -> None:
    """Markup in a model's text is shown as it stands, and escape sequences lose what makes them work."""
    out = io.StringIO()
    progress = RunProgress(Console(file=out, force_terminal=terminal, width=200, color_system=None))
    with progress.shown():
        progress.stage("Measuring", 1)
        show(progress)
    written = out.getvalue()
    assert "?[31m[red]gone[/red]?]0;title? ?2J?" in written
    assert "[/nonsense]" in written
    for dangerous in ("\x1b[31m", "\x1b]", "\x07", "\x9b", "\u202e"):
        assert dangerous not in written


def test_ordinary_text_is_left_alone() -> None:
    """Accents, other scripts, emoji, tabs and line ends are no danger."""
    text = "Zürich\t東京 naïve 🙂\nnext\u00a0line"
    assert harmless(text) == text
