"""A server program that knows nothing of us, as a process of ours: `python program_main.py`.

Such a program would outlive the process that started it. So it is started by this one, which reads the
command as a JSON line on stdin, says the program's process id on stdout, and, when stdin ends, ends the
program with all that descends from it. What the program prints goes to stderr, where the log is.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil

TIED = Path(__file__).resolve().parents[2] / "runtime_envs" / "tied.py"
PR_SET_CHILD_SUBREAPER = 36
"""From <sys/prctl.h>."""
GRACE_S = 3.0
"""For the program to end by itself, and remove what it has in shared memory. Less than our own parent gives
us, which is twice own_process.STOP_TIMEOUT_S."""
NOT_THEIRS = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
"""Ours; in another program's Python they would put our modules before its own."""


def main() -> None:
    command = json.loads(sys.stdin.readline())["command"]
    # The end of stdin is the word to end. Our parent terminates us when that takes long on a busy machine: to
    # go then would leave the program's own processes behind. A handler, because what is ignored is inherited.
    signal.signal(signal.SIGTERM, lambda *_: None)
    if sys.platform == "linux":
        # vLLM killed leaves its engine behind: so that it becomes ours then, and is found below.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    program = subprocess.Popen(
        # Tied to this process as well: nobody reads stdin any more when this one is killed.
        [sys.executable, "-I", str(TIED), str(os.getpid()), *command],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        env={name: value for name, value in os.environ.items() if _is_theirs(name)},
    )
    print(json.dumps({"pid": program.pid}), flush=True)
    threading.Thread(target=_end_with_parent, args=(program,), daemon=True).start()
    program.wait()
    while left := psutil.Process().children(recursive=True):
        for process in left:
            process.kill()
        psutil.wait_procs(left, timeout=GRACE_S)
    os._exit(0)


def _is_theirs(name: str) -> bool:
    return name not in NOT_THEIRS and not name.startswith("LEVELFIELD_") and not name.endswith("_API_KEY")


def _end_with_parent(program: subprocess.Popen[bytes]) -> None:
    sys.stdin.read()
    program.terminate()
    try:
        program.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        program.kill()


if __name__ == "__main__":
    main()
