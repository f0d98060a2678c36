"""What the machine is, for the manifest: from psutil and /proc, never from the network."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import psutil

from cluster.gpu_load import describe_gpus


def describe_machine() -> dict[str, Any]:
    """Processor, cores, memory, system and GPUs of this machine."""
    return {
        "processor": _processor(),
        "cores": psutil.cpu_count(logical=False) or psutil.cpu_count(),
        "threads": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "gpus": describe_gpus(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
