"""Check that a framework's environment works before any run needs it: `preflight("langgraph", built)`.

A Ray task whose interpreter lacks Ray, or cannot import its adapter, does not fail: it waits for ever.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runtime_envs.catalog import ROOT, framework, process_variables
from shared.errors import EnvironmentFailed
from shared.versions import split_version

if TYPE_CHECKING:
    from runtime_envs.build import BuiltEnvironment
    from runtime_envs.catalog import Framework

QUOTED_LINES = 8
TIMEOUT_S = 120
"""Imports take 2 to 14 s here on two busy cores; a network disk is slower."""
MARK = "levelfield-preflight "

_PROBE = """
import importlib, importlib.metadata, json, platform, sys, time
began = time.perf_counter()
import ray
ray_s = time.perf_counter() - began
adapter = importlib.import_module(sys.argv[1])
names = ("ray", *adapter.DISTRIBUTIONS)
print(sys.argv[2] + json.dumps({
    "versions": {name: importlib.metadata.version(name) for name in names},
    "python": platform.python_version(),
    "ray_import_s": ray_s,
    "adapter_import_s": time.perf_counter() - began - ray_s,
}))
"""


@dataclass(frozen=True, slots=True)
class Preflight:
    framework: str
    versions: dict[str, str]
    """Of Ray and of the distributions that the adapter names."""
    python: str
    ray_import_s: float
    adapter_import_s: float


def preflight(name: str, built: BuiltEnvironment, timeout_s: float = TIMEOUT_S) -> Preflight:
    """Import Ray and the framework's adapter in its environment, in a process of its own."""
    checked = framework(name)
    with tempfile.TemporaryDirectory(prefix="levelfield-preflight-") as scratch:
        said = _probe(checked, built, Path(scratch), timeout_s)
    return Preflight(framework=name, **said)


def _probe(checked: Framework, built: BuiltEnvironment, scratch: Path, timeout_s: float) -> dict[str, Any]:
    variables = os.environ | process_variables(checked, scratch) | {"PYTHONPATH": str(ROOT)}
    variables.pop("VIRTUAL_ENV", None)
    try:
        process = subprocess.Popen(
            [str(built.python), "-c", _PROBE, checked.adapter, MARK],
            cwd=scratch,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise _failed(checked, built, f"its interpreter does not start: {error.strerror or error}") from error
    try:
        output, _ = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise _failed(checked, built, f"importing it was not done after {timeout_s:.0f} s") from None
    finally:
        _end_group(process)
    if process.returncode:
        last = "\n".join(f"  {line}" for line in output.strip().splitlines()[-QUOTED_LINES:])
        raise _failed(checked, built, f"importing it ended with status {process.returncode}:\n{last}")
    answers = [line for line in output.splitlines() if line.startswith(MARK)]
    if not answers:
        raise _failed(checked, built, "it answered nothing")
    said: dict[str, Any] = json.loads(answers[-1].removeprefix(MARK))
    return said


def _end_group(process: subprocess.Popen[str]) -> None:
    """The process and whatever it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _failed(checked: Framework, built: BuiltEnvironment, why: str) -> EnvironmentFailed:
    cure = f"Remove {built.path} and run `levelfield envs build {built.name}` to build it anew."
    if split_version(checked.name)[1]:
        cure = f"{checked.adapter} may not work with this version: name another one in the plan."
    return EnvironmentFailed(f"{checked.title} cannot be used: {why}\n{cure}")
