"""In a framework's own environment: one request through the worker, without Ray, and what came of it as JSON.

`python -m tests.conformance.run_worker FRAMEWORK REQUEST RESULT`
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from pathlib import Path

from cluster.framework_worker import FrameworkWorker
from frameworks.run_one import request_from
from shared.trace import VARIABLE


def main(framework: str, request: Path, result: Path) -> None:
    worker = FrameworkWorker()
    boot = worker.boot(f"frameworks.{framework}.adapter")
    executed = worker.execute(request_from(json.loads(request.read_text(encoding="utf-8"))))
    found = {"boot": boot, "result": executed}
    told = {name: dataclasses.asdict(value) for name, value in found.items()}
    told["variable_left"] = os.environ.get(VARIABLE)
    result.write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
