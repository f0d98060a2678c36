"""A copy of the code whose framework `direct` does what a test wants, before or after its real run."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.functional.command import ROOT

ROOMS = ("analysis", "cluster", "frameworks", "judge", "runtime_envs", "shared")
WRAPPED = """

_run = run
FOLDER = {folder!r}


def run(request):
    import os, subprocess, sys, time
    item = request.run_id.split(".")[1]
{body}
    return _run(request)
"""


def faulty_checkout(folder: Path, body: str) -> dict[str, str]:
    """The variables to run it with. `body`: Python, indented by 4; knows `item`, `request` and FOLDER."""
    checkout = folder / "checkout"
    for room in ROOMS:
        shutil.copytree(ROOT / room, checkout / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", checkout)
    adapter = checkout / "frameworks" / "direct" / "adapter.py"
    wrapped = WRAPPED.format(folder=str(folder), body=body)
    adapter.write_text(adapter.read_text(encoding="utf-8") + wrapped, encoding="utf-8")
    return {"PYTHONPATH": str(checkout)}
