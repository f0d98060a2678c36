"""Write `locks/<name>.txt` from pyproject.toml's dependency groups: `python -m runtime_envs.lock [NAME...]`.

A lock carries names, versions and hashes, and no address: it installs from whatever index a machine uses.
Versions already in a lock are kept as long as they satisfy pyproject.toml; `--upgrade` takes the newest.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from typing import TYPE_CHECKING

import uv

from runtime_envs.catalog import ENVIRONMENTS, ROOT, Environment
from shared.errors import EnvironmentFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

OLDEST_PYTHON = "3.11"
"""A universal lock holds from this version on, with markers where versions differ."""
TIMEOUT_S = 600


def compile_command(environment: Environment, *, upgrade: bool) -> list[str]:
    command = [uv.find_uv_bin(), "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
    command += ["--python-version", OLDEST_PYTHON, "--no-header", "--no-emit-index-url"]
    command += ["--output-file", str(environment.lock.relative_to(ROOT))]
    if environment.kind == "project":
        command += ["pyproject.toml"]
    command += ["--group", f"pyproject.toml:{environment.group}"]
    if environment.kind == "model":
        command.append("--no-deps")
    if upgrade:
        command.append("--upgrade")
    return command


def write_lock(environment: Environment, *, upgrade: bool = False) -> None:
    environment.lock.parent.mkdir(exist_ok=True)
    command = compile_command(environment, upgrade=upgrade)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode:
        raise EnvironmentFailed(f"{environment.name} cannot be locked:\n{done.stderr.strip()}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m runtime_envs.lock", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="environments to lock; all when none is named"
    )
    parser.add_argument(
        "--upgrade", action="store_true", help="take the newest versions that pyproject.toml allows"
    )
    options = parser.parse_args(arguments)
    unknown = set(options.names) - set(ENVIRONMENTS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(ENVIRONMENTS)}")
    for name in options.names or ENVIRONMENTS:
        try:
            write_lock(ENVIRONMENTS[name], upgrade=options.upgrade)
        except EnvironmentFailed as error:
            print(error, file=sys.stderr)
            return error.exit_code
        print(f"locked {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
