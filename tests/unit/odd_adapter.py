"""An adapter that does what a run's id says: for tests of the process that it runs in."""

from __future__ import annotations

import os
import signal
import subprocess
import time

from shared.contract import Outcome, RunRequest

DISTRIBUTIONS: tuple[str, ...] = ()


def run(request: RunRequest) -> Outcome:
    print("what a framework prints goes nowhere near the answer", flush=True)
    match request.run_id:
        case "dies":
            if os.fork():
                os._exit(3)
            time.sleep(600)  # and holds what it inherited
        case "hangs":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "leaves":
            subprocess.Popen(["sleep", "600"], start_new_session=True)
    return Outcome(
        "report", {}, details={"variables": dict(os.environ), "cores": sorted(os.sched_getaffinity(0))}
    )
