"""In a framework's own environment: run its adapter on each request of a file, and write down what came of it.

`python -m tests.conformance.run_scenarios FRAMEWORK REQUESTS RESULTS`
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from frameworks.run_one import request_from


def _result(adapter: Any, raw: dict[str, Any]) -> dict[str, Any]:
    began = time.monotonic()
    result: dict[str, Any] = {"outcome": None, "error": None, "message": ""}
    try:
        result["outcome"] = dataclasses.asdict(adapter.run(request_from(raw)))
    except Exception as error:  # noqa: BLE001 - whatever an adapter raises is what the suite looks at
        result |= {"error": type(error).__name__, "message": str(error)}
    return result | {"seconds": time.monotonic() - began}


def main(framework: str, requests: Path, results: Path) -> None:
    adapter = importlib.import_module(f"frameworks.{framework}.adapter")
    asked = json.loads(requests.read_text(encoding="utf-8"))
    answered = {scenario: _result(adapter, raw) for scenario, raw in asked.items()}
    results.write_text(json.dumps(answered), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
