"""The engine as a process: started with the environment's interpreter, asked in lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self

from shared.documents.index_place import open_manifest
from shared.documents.passage import Passage, Way
from shared.errors import IndexUnusable, NodeFailed
from shared.own_process import OwnProcess

ROOT = Path(__file__).resolve().parent.parent.parent
START_TIMEOUT_S = 120.0
"""Its imports take 2 to 3 s here, far longer from a disk that is cold or across a network."""
SEARCH_TIMEOUT_S = 60.0
VARIABLES = {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
"""The folder that a user happens to stand in, such as one of documents, is no place to import from."""


class EngineProcess:
    def __init__(self, python: Path, index: Path) -> None:
        self._index = index
        command = [str(python), "-m", "shared.documents.engine"]
        self._process = OwnProcess(
            command, index / "engine.log", VARIABLES, called="The process that reads documents"
        )

    def start(self) -> None:
        self._process.start({"index": str(self._index)}, START_TIMEOUT_S)

    def ask(self, message: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """Raises IndexUnusable with its reason, NodeFailed when it ended or does not answer."""
        try:
            line = self._process.ask(json.dumps(message).encode(), timeout_s)
        except NodeFailed:
            self.stop()  # a late answer would pass for that to the next question
            raise
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise IndexUnusable(answer["error"])
        return answer

    @property
    def alive(self) -> bool:
        return self._process.alive

    def stop(self) -> None:
        self._process.stop()


class DocumentSearch:
    """An index that is open for questions; use it with `with`, or close it."""

    def __init__(self, index: Path) -> None:
        """Raises IndexUnusable."""
        self.manifest = open_manifest(index)
        self._engine = EngineProcess(Path(self.manifest.python), index)
        self._engine.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def find(self, query: str, most: int, way: Way = "both") -> list[Passage]:
        """The best first."""
        answer = self._engine.ask(
            {"do": "search", "query": query, "most": most, "way": way}, SEARCH_TIMEOUT_S
        )
        return [Passage(**passage) for passage in answer["passages"]]

    @property
    def alive(self) -> bool:
        return self._engine.alive

    def close(self) -> None:
        self._engine.stop()
