"""Started inside the new namespaces, before the program: closes what is still open, then starts it and waits.

Read as text and run there as `python -I -S -c <this> <order>`, so it needs the standard library only and
nothing of ours. It is process 1 of its namespace: when it ends, the kernel kills all that the program left.
The order is JSON, made in `shared/sandbox/isolated_run.py`.
"""

from __future__ import annotations

import base64
import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

# <sys/mount.h>, <linux/mount.h>
MS_NOSUID, MS_NODEV, MS_BIND, MNT_DETACH = 2, 4, 4096, 2
SYS_MOUNT_SETATTR, AT_RECURSIVE, AT_FDCWD = 442, 0x8000, -100
MOUNT_ATTR_RDONLY_NOSUID_NODEV = 1 | 2 | 4

# <sys/prctl.h>, <linux/capability.h>
PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 4, 22, 38
SECCOMP_MODE_FILTER = 2
CAPABILITY_VERSION_3 = 0x20080522

SCRATCH = "/scratch"
OWN_ROOT = "/tmp"  # noqa: S108 - a mount point that every machine has, inside our own namespace

libc = ctypes.CDLL(None, use_errno=True)


def main(order: dict[str, Any]) -> None:
    os.umask(0o022)
    if order["binds"] is not None:
        build_root(order["binds"], order["hidden"])
    open_scratch(order)
    drop_privileges(order["user"])
    refuse_system_calls(base64.b64decode(order["filter"]))
    limit(order)
    start(order)


def build_root(binds: list[list[str]], hidden: list[str]) -> None:
    """A root that holds these files read-only, an empty folder for scratch, and nothing else."""
    sources = [os.open(source, os.O_PATH) for source, _ in binds]
    mount("tmpfs", OWN_ROOT, "tmpfs", 0, "size=1m,mode=0755")
    for source, (_, inside) in zip(sources, binds, strict=True):
        opened, target = Path(f"/proc/self/fd/{source}"), Path(OWN_ROOT + inside)
        if opened.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
        mount(str(opened), str(target), None, MS_BIND, None)
        os.close(source)
    for folder in hidden:
        mount("tmpfs", OWN_ROOT + folder, "tmpfs", 0, "size=4k,mode=0755")
    Path(OWN_ROOT + SCRATCH).mkdir()
    os.chdir(OWN_ROOT)
    check(libc.pivot_root(b".", b"."), "pivot_root")
    check(libc.umount2(b".", MNT_DETACH), "umount2")
    os.chdir("/")
    read_only = (ctypes.c_uint64 * 4)(MOUNT_ATTR_RDONLY_NOSUID_NODEV, 0, 0, 0)
    check(
        libc.syscall(
            SYS_MOUNT_SETATTR,
            AT_FDCWD,
            b"/",
            AT_RECURSIVE,
            read_only,
            ctypes.c_size_t(ctypes.sizeof(read_only)),
        ),
        "mount_setattr",
    )


def open_scratch(order: dict[str, Any]) -> None:
    """The one folder that the program may write, in memory, with the program in it."""
    # Two inodes are the folder's own and the program's.
    bounds = f"size={order['scratch_bytes']},nr_inodes={order['scratch_files'] + 2},mode=0777"
    mount("tmpfs", SCRATCH, "tmpfs", MS_NOSUID | MS_NODEV, bounds)
    os.chdir(SCRATCH)
    with os.fdopen(order["program_fd"], "rb") as program:
        Path("program.py").write_bytes(program.read())


def drop_privileges(user: int | None) -> None:
    """To a user of nobody's, where we may choose one; without any capability in every case."""
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    check(libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")
    check(prctl(PR_SET_NO_NEW_PRIVS, 1), "no_new_privs")
    # Nothing inside can look into this process.
    check(prctl(PR_SET_DUMPABLE, 0), "dumpable")


def refuse_system_calls(instructions: bytes) -> None:
    class Filter(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))

    program = Filter(len(instructions) // 8, instructions)
    check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program)), "seccomp")


def limit(order: dict[str, Any]) -> None:
    for name, value in order["rlimits"].items():
        resource.setrlimit(getattr(resource, name), tuple(value))


def start(order: dict[str, Any]) -> None:
    """Run the program to its end. The status says "locked", then how it ended and the seconds it computed."""
    status = order["status_fd"]
    os.set_inheritable(status, False)

    def out_of_time(*_: object) -> None:
        os.write(status, b"wall_limit\n")
        os._exit(0)

    # Process 1 hears only signals that it handles. This one ends all in time even when nobody waits outside.
    signal.signal(signal.SIGALRM, out_of_time)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.write(status, b"locked\n")
    child = os.fork()
    if child == 0:
        os.execve(order["command"][0], order["command"], order["environment"])  # noqa: S606 - no shell is wanted
    signal.setitimer(signal.ITIMER_REAL, order["wall_s"])
    while True:
        ended, how, used = os.wait4(-1, 0)
        if ended == child:
            break
    cpu_s = used.ru_utime + used.ru_stime
    os.write(status, f"{os.waitstatus_to_exitcode(how)} {cpu_s}\n".encode())
    os._exit(0)


def mount(source: str, target: str, kind: str | None, flags: int, data: str | None) -> None:
    arguments = [None if word is None else word.encode() for word in (source, target, kind, data)]
    check(libc.mount(*arguments[:3], ctypes.c_ulong(flags), arguments[3]), f"mount {source} on {target}")


def prctl(option: int, *values: Any) -> int:
    words = [value if not isinstance(value, int) else ctypes.c_ulong(value) for value in values]
    return int(libc.prctl(option, *words, *[ctypes.c_ulong(0)] * (4 - len(words))))


def check(answer: int, what: str) -> None:
    if answer != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
