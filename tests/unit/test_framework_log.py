"""What a framework logs during a run is kept with the trace's ids, and nothing of its logging is changed."""

from __future__ import annotations

import logging
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from cluster.framework_log import LINE_CHARACTERS, LINES, FrameworkLog
from shared.trace import new_trace

ROOT = Path(__file__).resolve().parents[2]
TRACE = new_trace()
BASE_URL = "http://127.0.0.1:8080/runs/pLaNtEd-ToKeN_1/v1"
logger = logging.getLogger("some.framework")


def logged(talk: Callable[[], object]) -> list[str]:
    with FrameworkLog(TRACE, BASE_URL) as log:
        talk()
    return log.lines


def said(line: str) -> str:
    """A line's message, after the ids."""
    return line.partition(f"span_id={TRACE.span_id} ")[2]


def test_a_line_says_when_how_bad_who_and_in_which_trace() -> None:
    """Time, level, logger, both ids and the message, in one line whatever the message is like."""
    [line] = logged(lambda: logger.warning("too %s\nand more\x1c here", "hot"))
    at, level, name, trace, span, *message = line.split(" ")
    assert (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds() < 60
    assert (level, name) == ("WARNING", "some.framework")
    assert (trace, span) == (f"trace_id={TRACE.trace_id}", f"span_id={TRACE.span_id}")
    assert " ".join(message) == "too hot and more here"


def test_only_warnings_and_worse() -> None:
    """What is said at INFO is left out even where the framework has switched it on."""
    logger.setLevel(logging.DEBUG)
    try:
        lines = logged(lambda: [logger.log(level, "level %d", level) for level in (10, 20, 30, 40, 50)])
    finally:
        logger.setLevel(logging.NOTSET)
    assert [line.rsplit(" ", 1)[1] for line in lines] == ["30", "40", "50"]


def test_an_exception_is_named_without_its_traceback() -> None:
    """`logger.exception` leaves what was raised, in the same line."""

    def talk() -> None:
        try:
            int("no number")
        except ValueError:
            logger.exception("step failed")

    [line] = logged(talk)
    assert " ERROR some.framework " in line
    assert said(line) == "step failed: ValueError: invalid literal for int() with base 10: 'no number'"


def test_warnings_of_the_warnings_module_are_kept() -> None:
    """`warnings.warn` leaves a line; one that the framework catches stays caught."""

    def talk() -> None:
        warnings.warn("old way", UserWarning, stacklevel=1)
        with warnings.catch_warnings(record=True) as caught:
            warnings.warn("expected", UserWarning, stacklevel=1)
        assert len(caught) == 1

    with pytest.warns(UserWarning, match="old way"):  # still shown, too
        [line] = logged(talk)
    assert " WARNING py.warnings " in line
    assert said(line) == "UserWarning: old way"


def test_the_runs_secret_address_does_not_stay_in_a_line() -> None:
    """The token of the base URL is replaced wherever it stands, also where the line is cut."""
    lines = logged(
        lambda: [
            logger.error("%sPOST %s/chat/completions failed", "x" * length, BASE_URL) for length in (0, 340)
        ]
    )
    assert "/runs/<run>/v1/chat/completions failed" in lines[0]
    assert "pLaN" not in "".join(lines)


def test_it_is_bounded() -> None:
    """A framework that warns without end leaves a hundred lines, the last of which says how many it spares."""
    lines = logged(lambda: [logger.warning("%d %s", number, "x" * 10_000) for number in range(1000)])
    assert len(lines) == LINES
    assert max(map(len, lines)) == LINE_CHARACTERS
    assert lines[-1] == f"{1000 - LINES + 1} more lines were left out."
    assert len(logged(lambda: [logger.warning("w") for _ in range(LINES)])) == LINES


def test_lines_can_be_written_down() -> None:
    """Half a surrogate pair becomes a question mark, and a record that does not fit its text is no failure."""
    lines = logged(lambda: logger.warning("no \ud800 here"))
    assert lines[0].endswith("no ? here")
    previously = logging.raiseExceptions
    logging.raiseExceptions = False  # as for a handler that cannot format it
    try:
        lines = logged(lambda: logger.warning("%d tokens", "many"))
    finally:
        logging.raiseExceptions = previously
    assert "'%d tokens' (TypeError)" in lines[0]


def test_threads_are_heard() -> None:
    """A library that warns from a thread of its own is part of the run."""

    def talk() -> None:
        thread = threading.Thread(target=logger.warning, args=("from a thread",))
        thread.start()
        thread.join(10)

    assert logged(talk)[0].endswith("from a thread")


def test_a_logger_that_keeps_to_itself_is_heard() -> None:
    """A library whose records never reach the root logger is part of the run too."""
    logger.propagate = False
    try:
        lines = logged(lambda: logger.warning("to myself"))
    finally:
        logger.propagate = True
    assert lines[0].endswith("to myself")


def test_nothing_is_left_behind() -> None:
    """After the run, logging and warnings are as they were, and what is logged then is not kept."""
    before = (logging.getLogRecordFactory(), warnings.showwarning, logging.getLogger().handlers[:])
    with FrameworkLog(TRACE, BASE_URL) as log:
        pass
    logger.warning("later")
    assert log.lines == []
    assert (logging.getLogRecordFactory(), warnings.showwarning, logging.getLogger().handlers) == before


def test_what_the_framework_put_around_it_stays() -> None:
    """A record factory that the framework sets during the run is not taken away, and ours below it is quiet."""
    before = logging.getLogRecordFactory()
    try:
        with FrameworkLog(TRACE, BASE_URL) as log:
            ours = logging.getLogRecordFactory()
            theirs = partial(ours)
            logging.setLogRecordFactory(theirs)
            logger.warning("during")
        assert logging.getLogRecordFactory() is theirs
        logger.warning("after")
        assert [line.rsplit(" ", 1)[1] for line in log.lines] == ["during"]
    finally:
        logging.setLogRecordFactory(before)


def test_stderr_is_the_same_with_and_without_it() -> None:
    """In a process of its own: Python's last resort still prints, and `basicConfig` still takes effect."""
    talk = """
        import logging, warnings
        logging.getLogger("a").warning("before anybody set up logging")
        warnings.warn("old way")
        logging.basicConfig(format="%(levelname)s|%(message)s")
        logging.getLogger("a").error("after")
    """
    inside = f"""
        import sys
        from cluster.framework_log import FrameworkLog
        with FrameworkLog(None, "http://h/v1") as log:
            exec({textwrap.dedent(talk)!r})
        print(len(log.lines))
    """
    plain, heard = (
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        for code in (f"exec({textwrap.dedent(talk)!r})", inside)
    )
    assert plain.stderr == heard.stderr
    assert "before anybody set up logging" in plain.stderr
    assert "ERROR|after" in plain.stderr
    assert heard.stdout == "3\n"
