"""Which kind of isolation this machine offers: found by a real trial, once for each process."""

from __future__ import annotations

import json
import platform
import shutil
from functools import cache

from shared.errors import SandboxFailed, SandboxUnavailable
from shared.sandbox.isolated_run import run_isolated
from shared.sandbox.isolation import KINDS, Isolation
from shared.sandbox.limits import Limits
from shared.sandbox.system_calls import MACHINES

TRIAL = """
import json, os, socket
try:
    socket.socket()
except PermissionError:
    shut = True
else:
    shut = False
print(json.dumps({"pid": os.getpid(), "privileged": os.geteuid() == 0, "shut": shut,
                  "outside": [name for name in ("/etc", "/proc", "/home", "/tmp") if os.path.exists(name)]}))
"""
EXPECTED = {"pid": 2, "privileged": False, "shut": True, "outside": []}
TRIAL_LIMITS = Limits(cpu_s=10, wall_s=60)
"""A slow machine is no reason to refuse."""

CURE = (
    "Programs that a model wrote run nowhere else. On Debian or Ubuntu `make sandbox`, as root, installs "
    "bubblewrap; in a container, namespaces must be allowed too; see docs/sandbox.md."
)


@cache
def choose_isolation() -> Isolation:
    """The first kind whose trial shows it shut in. Raises SandboxUnavailable where there is none."""
    failures = []
    for isolation in KINDS:
        failure = why_not(isolation)
        if failure is None:
            return isolation
        failures.append(f"{isolation.name}: {failure}")
    raise SandboxUnavailable(f"No sandbox can be had on this machine ({'; '.join(failures)}). {CURE}")


def why_not(isolation: Isolation) -> str | None:
    """None when a program was really run in it and found itself shut in."""
    if platform.machine() not in MACHINES:
        return f"the processor is {platform.machine()!r}, known are {', '.join(MACHINES)}"
    if shutil.which(isolation.tool) is None:
        return "not installed"
    try:
        ended = run_isolated(isolation, TRIAL, "", TRIAL_LIMITS)
    except (SandboxFailed, OSError) as error:
        return str(error)
    if ended.how != "exited" or ended.exit_code != 0:
        return f"its trial ended badly ({ended.how}): {ended.stderr.strip()[-300:]}"
    found = json.loads(ended.stdout)
    return None if found == EXPECTED else f"its trial was not shut in: {found}"
