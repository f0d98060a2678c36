"""`python -m cluster.framework_main PIPE PARENT`: the process of one run, started by `framework_host`.

Through the pipe comes an adapter's module and then, later, a request; back go what `FrameworkWorker` makes of
them. After that it waits to be ended, as its node ends it, with all that the framework left running.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import traceback
from multiprocessing.connection import Connection

from cluster.framework_worker import ERROR_CHARACTERS, FrameworkWorker

PR_SET_PDEATHSIG = 1
"""linux/prctl.h"""


def main(end: int, parent: int) -> None:
    # Whatever state the framework is in, and even if it holds the interpreter.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        return
    os.set_inheritable(end, False)
    pipe = Connection(end)
    worker = FrameworkWorker()
    try:
        pipe.send(worker.boot(pipe.recv()))
    except Exception:  # noqa: BLE001 - whatever an import raises is told in words: its class is not known outside
        pipe.send(traceback.format_exc()[-ERROR_CHARACTERS:])
        return
    pipe.send(worker.execute(pipe.recv()))
    while True:
        signal.pause()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
