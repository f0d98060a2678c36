"""Several inference nodes of one machine have cores of their own: no run feels what another node starts.

Standard library only: framework processes keep to them too, in their own environments.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path

TOPOLOGY = Path("/sys/devices/system/cpu")


def share_of(
    cores: Iterable[int], index: int, nodes: int, sibling: Callable[[int], int] | None = None
) -> frozenset[int]:
    """The cores of one of a machine's nodes; all of them where there is one node, or fewer cores than nodes.

    Args:
        cores: What there is to share, by the kernel's numbers.
        index: Of the node on its machine, from 0.
        nodes: How many there are.
        sibling: The first of the kernel's numbers for the same physical core, which is never shared if it can
            be helped; None: as the kernel says.
    """
    key = sibling or _first_sibling
    ordered = sorted(cores, key=lambda core: (key(core), core))
    if nodes == 1 or nodes > len(ordered):
        return frozenset(ordered)
    each = len(ordered) // nodes
    return frozenset(ordered[index * each : (index + 1) * each])


def keep_to(cores: Collection[int]) -> None:
    """All threads of this process, and whatever it starts from now on."""
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # it ended meanwhile
            os.sched_setaffinity(int(task.name), cores)


def _first_sibling(core: int) -> int:
    """See Documentation/admin-guide/cputopology.rst of Linux: "0,32" or "0-1"."""
    try:
        text = (TOPOLOGY / f"cpu{core}" / "topology" / "thread_siblings_list").read_text(encoding="ascii")
        return int(text.replace("-", ",").split(",")[0])
    except (OSError, ValueError):
        return core
