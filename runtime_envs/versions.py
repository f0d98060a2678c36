"""The environment of a framework in a version that a plan names: `resolve("langgraph@1.1.x")` is its lock.

It is locked like the others, from the framework's dependency group, with the stated version in place of the
pinned one. The group's other packages keep their locked versions where they fit, and move where they must.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import tempfile
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import uv
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from runtime_envs.build import BuiltEnvironment, build, build_environment, one_builder
from runtime_envs.catalog import ENVIRONMENTS, ROOT, Environment, Framework, environment, framework
from runtime_envs.installer import cure_for
from runtime_envs.lock import OLDEST_PYTHON, TIMEOUT_S
from shared.cache_root import cache_root
from shared.errors import EnvironmentFailed, PlanError, SettingsError
from shared.record_files import write_whole
from shared.versions import split_version, versioned_name

SHOWN_CHARACTERS = 400
"""Of uv's words on why nothing fits."""
_LOCKED = re.compile(r"^([a-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)

OnProgress = Callable[[str], None]


def resolve(name: str, *, again: bool = False, on_progress: OnProgress = lambda _: None) -> str:
    """The lock's text, worked out once and then kept in the cache folder.

    Args:
        name: As `shared.versions.versioned_name` makes it.
        again: Ask the package index although a lock is kept: it may have a newer version by now.
        on_progress: Told when the index is asked, which takes from seconds to minutes.

    Raises:
        SettingsError: The framework is unknown, or has no versions.
        PlanError: No set of packages has this version.
        EnvironmentFailed: The index does not answer.
    """
    wanted = framework(name)
    base = _base(name)
    wishes = requirements(wanted, base.group)
    made_of = hashlib.sha256("\n".join([*wishes, base.lock.read_text(encoding="utf-8")]).encode())
    kept = cache_root() / "locks" / f"{name}-{made_of.hexdigest()[:12]}.txt"
    kept.parent.mkdir(parents=True, exist_ok=True)
    with one_builder(kept, name, on_progress):
        if again or not kept.exists():
            on_progress(f"{wanted.title}: asking the package index which packages fit")
            write_whole(kept, _compiled(wanted, base, wishes).encode())
        return kept.read_text(encoding="utf-8")


def environment_of(name: str, lock: str | None) -> Environment:
    """Where a framework runs; of one in a stated version, as its lock says, which is put on this machine."""
    wanted = framework(name)
    if lock is None:
        return environment(wanted.environment)
    folder = cache_root() / "locks" / hashlib.sha256(lock.encode()).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    derived = Environment(wanted.environment, "framework", _base(name).group, folder)
    if not derived.lock.exists():
        write_whole(derived.lock, lock.encode())
    return derived


def build_named(name: str, on_progress: OnProgress = lambda _: None) -> BuiltEnvironment:
    """An environment by its own name, or that of a framework in a version: "crewai==1.14.*".

    Raises:
        SettingsError: There is none of that name.
        PlanError: No set of packages has the version.
        EnvironmentFailed: It cannot be built.
    """
    try:
        known = versioned_name(name)
    except ValueError as error:
        raise SettingsError(f"{error}.") from None
    if not split_version(known)[1]:
        return build(known, on_progress=on_progress)
    return build_environment(
        environment_of(known, resolve(known, on_progress=on_progress)), on_progress=on_progress
    )


def moved_packages(name: str, lock: str) -> list[str]:
    """What differs from the framework's own environment besides the framework: "langchain 1.2.18 (1.4.7)"."""
    before = dict(_LOCKED.findall(_base(name).lock.read_text(encoding="utf-8")))
    after = dict(_LOCKED.findall(lock))
    own = framework(name).package
    return [
        f"{package} {after.get(package, 'left out')} ({before.get(package, 'not there')})"
        for package in sorted({*before, *after} - {own})
        if before.get(package) != after.get(package)
    ]


def requirements(wanted: Framework, group: str) -> list[str]:
    """The group's, with the version wanted; what the group includes, which is Ray, stays pinned."""
    found = []
    for entry in _groups()[group]:
        if isinstance(entry, dict):
            found += [str(shared) for shared in _groups()[entry["include-group"]]]
            continue
        requirement = Requirement(entry)
        extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
        own = canonicalize_name(requirement.name) == wanted.package
        found.append(f"{requirement.name}{extras}{split_version(wanted.name)[1] if own else ''}")
    return found


def _compiled(wanted: Framework, base: Environment, wishes: list[str]) -> str:
    with tempfile.TemporaryDirectory(prefix="levelfield-lock-") as scratch:
        wishes_file, lock = Path(scratch) / "wishes.in", Path(scratch) / "lock.txt"
        wishes_file.write_text("\n".join(wishes) + "\n", encoding="utf-8")
        lock.write_bytes(base.lock.read_bytes())  # uv keeps the versions in it that fit
        command = [uv.find_uv_bin(), "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
        command += ["--python-version", OLDEST_PYTHON, "--no-header", "--no-emit-index-url", "--no-annotate"]
        command += ["--upgrade-package", wanted.package, "--output-file", str(lock), str(wishes_file)]
        try:
            done = subprocess.run(
                command, cwd=scratch, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise EnvironmentFailed(
                f"{wanted.title}: the package index did not answer within {TIMEOUT_S} s. Try again."
            ) from None
        if done.returncode:
            raise _unresolved(wanted, done.stderr)
        text = lock.read_text(encoding="utf-8")
    if "://" in text:
        raise EnvironmentFailed(f"{wanted.title}: its lock would name an address, so it is not used.")
    return text


def _unresolved(wanted: Framework, said: str) -> Exception:
    wish = f"{wanted.package}{split_version(wanted.name)[1]}"
    reason = re.sub(r"\s+", " ", re.sub(r"^.*?cause:", "", said, flags=re.DOTALL)).strip()[:SHOWN_CHARACTERS]
    if "No solution found" in said:
        return PlanError(f"{wish}: no set of packages has it. uv: {reason}")
    return EnvironmentFailed(f"{wish} cannot be resolved. uv: {reason}\n{cure_for(said)}")


def _base(name: str) -> Environment:
    return ENVIRONMENTS[framework(split_version(name)[0]).environment]


@cache
def _groups() -> dict[str, list[str | dict[str, str]]]:
    found: dict[str, list[str | dict[str, str]]] = tomllib.loads(
        (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    )["dependency-groups"]
    return found
