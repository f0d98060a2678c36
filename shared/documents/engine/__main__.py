"""`python -m shared.documents.engine`: a JSON line on stdin says what to do, one on stdout what came of it.

The first line is {"index": FOLDER}. End of file on stdin means that the parent has gone, and so does this
process, whatever state the parent died in.
"""

from __future__ import annotations

import json
import os
import queue
import resource
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from shared.documents.engine.layout import hold
from shared.documents.engine.make_index import IndexMaker, Step, Wanted
from shared.documents.engine.search_index import Search
from shared.errors import IndexUnusable

MAX_DATA_BYTES = 6_000_000_000
"""A document that makes its reader take more than this ends this process and not the machine."""

Message = dict[str, Any]


class Engine:
    def __init__(self, index: Path) -> None:
        self._index = index
        self._steps: Iterator[Step] = iter(())
        self._search: Search | None = None
        self._does: dict[str, Callable[[Message], Message]] = {
            "index": self._begin,
            "step": self._step,
            "search": self._find,
        }

    def answer(self, message: Message) -> Message:
        try:
            return self._does[message["do"]](message)
        except IndexUnusable as error:
            return {"error": str(error)}

    def _begin(self, message: Message) -> Message:
        maker = IndexMaker(
            Wanted(
                self._index,
                Path(message["folder"]),
                int(message["max_file_bytes"]),
                dict(message["given_up"]),
            )
        )
        self._steps = maker.steps()
        return {}

    def _step(self, _: Message) -> Message:
        return next(self._steps)

    def _find(self, message: Message) -> Message:
        if self._search is None:
            hold(self._index, alone=False)
            self._search = Search(self._index)
        found = self._search(message["query"], int(message["most"]), message["way"])
        return {"passages": [asdict(passage) for passage in found]}


def main() -> None:
    # Libraries print: what the parent reads must be ours alone.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_DATA_BYTES, MAX_DATA_BYTES))
    lines: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_read_lines, args=(lines,), daemon=True).start()
    engine = Engine(Path(json.loads(lines.get())["index"]))
    _say(answers, {"ready": True})
    while True:
        _say(answers, engine.answer(json.loads(lines.get())))


def _read_lines(lines: queue.Queue[bytes]) -> None:
    """A thread of its own: it notices the parent's end in the middle of a long document."""
    for line in sys.stdin.buffer:
        lines.put(line)
    os._exit(0)


def _say(answers: BinaryIO, message: Message) -> None:
    answers.write(json.dumps(message).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()
