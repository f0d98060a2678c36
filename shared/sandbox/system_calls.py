"""The kernel's filter for a program: which system calls are refused, as a classic BPF program.

Namespaces and limits shut a program in already. These calls are ways around them: new namespaces with their
own mounts, memory that no limit counts, and sockets of kinds that a network namespace does not separate.
Numbers: Linux, arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h; they never change.
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass

REFUSED = {
    "socket": (41, 198),
    # Each on x86_64, on aarch64. Other processes:
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    # Other roots and namespaces:
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsmount": (432, 432),
    "mount_setattr": (442, 442),
    # Memory that no limit of the process counts:
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    # Large parts of the kernel that a small program has no use for:
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "kexec_load": (246, 104),
}

CLONE_NAMESPACES = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET of <linux/sched.h>."""

CLONE3 = 435
"""Its flags are in memory that a filter cannot read; told that it is missing, the C library uses clone."""

FOREIGN_NUMBERS = 0x40000000
"""From here on x86_64 counts the calls of its 32-bit pointers again."""

# <linux/bpf_common.h>, <linux/seccomp.h>: what is loaded (`struct seccomp_data`), compared and answered.
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_BITS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
ALLOW, KILL_PROCESS, ERROR = 0x7FFF0000, 0x80000000, 0x00050000


@dataclass(frozen=True, slots=True)
class Machine:
    audit: int
    """AUDIT_ARCH_... of <linux/audit.h>."""
    column: int
    """In `REFUSED`."""
    clone: int


MACHINES = {"x86_64": Machine(0xC000003E, 0, 56), "aarch64": Machine(0xC00000B7, 1, 220)}
"""By `platform.machine()`; both are little-endian."""


def system_call_filter(machine: str) -> bytes:
    """Instructions for SECCOMP_MODE_FILTER, 8 bytes each. `machine` is one of `MACHINES`."""
    known = MACHINES[machine]
    lines = [
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, known.audit),
        (RETURN, 0, 0, KILL_PROCESS),
        (LOAD, 0, 0, NUMBER),
        *_answered(JUMP_AT_LEAST, FOREIGN_NUMBERS, ERROR | errno.ENOSYS),
        *_answered(JUMP_EQUAL, CLONE3, ERROR | errno.ENOSYS),
    ]
    for numbers in REFUSED.values():
        lines += _answered(JUMP_EQUAL, numbers[known.column], ERROR | errno.EPERM)
    lines += [
        (JUMP_EQUAL, 0, 3, known.clone),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        *_answered(JUMP_BITS, CLONE_NAMESPACES, ERROR | errno.EPERM),
        (RETURN, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("<HBBI", *line) for line in lines)


def _answered(jump: int, value: int, answer: int) -> list[tuple[int, int, int, int]]:
    """Where the comparison holds the call gets that answer, else the next line is read."""
    return [(jump, 0, 1, value), (RETURN, 0, 0, answer)]
