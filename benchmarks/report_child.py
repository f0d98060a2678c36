"""One report in a process of its own, which says at its end what it took.

`python -m benchmarks.report_child ours|plain FOLDER OUT [--records]`
"""

from __future__ import annotations

import json
import resource
import runpy
import sys
from pathlib import Path


def main() -> None:
    who, source, out, *rest = sys.argv[1:]
    if who == "ours":
        # Without --records the folder holds no records, and the report is that of its table.
        module, sys.argv[1:] = "analysis.report", [source, "--out", out]
    else:
        module, sys.argv[1:] = "benchmarks.plain_report", [source, out, *rest]
    try:
        runpy.run_module(module, run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"processor_s": used.ru_utime + used.ru_stime, "peak_mb": peak_mb()}))


def peak_mb() -> float:
    """Of this program alone: ru_maxrss also counts what was there before it began, its parent's memory."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
