"""What is here, what is missing, and the command that mends it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

from cluster.servers.ollama_server import ollama_origin
from cluster.servers.probe import ask
from cluster.servers.vllm_server import VLLM_BASE_URL
from runtime_envs.build import available
from runtime_envs.catalog import FRAMEWORKS
from shared.cache_root import cache_root
from shared.errors import SandboxUnavailable, ServerUnavailable, SettingsError
from shared.sandbox.choose_isolation import choose_isolation
from shared.settings import load_settings

NEEDED_DISK_GB = 4
"""All environments and the embedded model take 1.5 GB; the rest is room for results and Ray's own files."""

PROBE_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Examined:
    """One line of the doctor's report."""

    ok: bool
    what: str
    found: str
    cure: str = ""
    optional: bool = False
    """Whether the default path works without it."""


def examine() -> list[Examined]:
    """In the order a newcomer needs them."""
    return [*_machine(), *_environments(), *_servers(), _sandbox(), _settings()]


def _machine() -> Iterator[Examined]:
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield Examined(fits, "Python", platform.python_version(), "" if fits else "install Python 3.11 to 3.13")
    yield Examined(True, "Ray", version("ray"))
    yield Examined(True, "Levelfield", version("levelfield"))
    yield Examined(True, "cores", str(os.cpu_count()))
    folder = cache_root()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free_gb = shutil.disk_usage(existing).free / 1e9
    cure = "" if free_gb >= NEEDED_DISK_GB else f"free space, or set LEVELFIELD_CACHE (now {folder})"
    yield Examined(free_gb >= NEEDED_DISK_GB, "disk", f"{free_gb:.0f} GB free", cure)
    gpus = _gpus()
    yield Examined(bool(gpus), "GPU", gpus or "none: the embedded model runs on the CPU", optional=True)


def _gpus() -> str:
    from ray._private.accelerators import NvidiaGPUAcceleratorManager  # noqa: PLC0415 - heavy, and only here

    count = NvidiaGPUAcceleratorManager.get_current_node_num_accelerators()
    kind = NvidiaGPUAcceleratorManager.get_current_node_accelerator_type()
    return f"{count} x {kind}" if count else ""


def _environments() -> Iterator[Examined]:
    users: dict[str, list[str]] = {}
    for framework in FRAMEWORKS.values():
        users.setdefault(framework.environment, []).append(framework.name)
    for state in available():
        if state.kind in ("project", "peer"):
            continue
        names = ", ".join(users.get(state.name, [state.kind]))
        found = f"built, {state.size_bytes / 1e6:,.0f} MB" if state.built else "the first run builds it"
        cure = "" if state.built else f"levelfield envs build {state.name}"
        yield Examined(state.built, f"environment {state.name} ({names})", found, cure, optional=True)


def _servers() -> Iterator[Examined]:
    try:
        ollama = ollama_origin(os.environ.get("OLLAMA_HOST") or "127.0.0.1")
    except SettingsError as error:
        yield Examined(False, "Ollama", str(error), "correct OLLAMA_HOST", optional=True)
        ollama = ""
    servers = {
        "Ollama": (ollama and f"{ollama}/api/version", "ollama serve"),
        "vLLM": (f"{VLLM_BASE_URL}/models", "vllm serve MODEL"),
    }
    for name, (url, command) in servers.items():
        if url and _answers(url):
            yield Examined(True, name, f"answers at {url}", optional=True)
        elif url:
            cure = f"only if you want it: {command}"
            yield Examined(False, name, f"does not answer at {url}", cure, optional=True)


def _answers(url: str) -> bool:
    try:
        return ask(url, timeout_s=PROBE_TIMEOUT_S).status == 200
    except ServerUnavailable:
        return False


def _sandbox() -> Examined:
    try:
        found = f"{choose_isolation().name}, for tasks that run programs"
    except SandboxUnavailable as refused:
        return Examined(False, "sandbox", str(refused), "make sandbox", optional=True)
    return Examined(True, "sandbox", found, optional=True)


def _settings() -> Examined:
    try:
        settings = load_settings()
    except SettingsError as error:
        return Examined(False, "settings", str(error), "correct the environment or .env")
    judges = ", ".join(settings.panel) or "nobody"
    return Examined(True, "model", f"{settings.llm_model}, judged by {judges}")
