"""Which environments there are, and which framework runs in which."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeVar

from shared.errors import SettingsError
from shared.suggest import unknown_name
from shared.versions import split_version, version_shown

ROOT = Path(__file__).resolve().parent.parent
LOCKS = Path(__file__).resolve().parent / "locks"

T = TypeVar("T")
Kind = Literal["framework", "server", "model", "documents", "peer", "project"]
"""Documents: what reads and searches people's own files. A peer is what Levelfield itself is measured beside,
by `make benchmark` alone."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One locked set of packages."""

    name: str
    kind: Kind
    group: str
    """Dependency group of pyproject.toml that it is locked from."""
    locks: Path = LOCKS

    @property
    def lock(self) -> Path:
        return self.locks / f"{self.name}.txt"


@dataclass(frozen=True, slots=True)
class Framework:
    """One column of the comparison."""

    name: str
    """Also the folder in `frameworks/`, but for the version that it may end with."""
    title: str
    """As its makers write it."""
    environment: str
    telemetry_off: dict[str, str] = field(default_factory=dict)
    """Environment variables to set before it is imported."""
    package: str = ""
    """The distribution whose version a plan may name; empty: it has none."""
    patterns: tuple[str, ...] = ("pipeline", "handoff")
    """What its adapter says that it knows, for those who cannot import it."""

    @property
    def adapter(self) -> str:
        """The module to import in the framework's environment: the same for all versions."""
        return f"frameworks.{split_version(self.name)[0]}.adapter"


def _environments(*rows: Environment) -> dict[str, Environment]:
    return {row.name: row for row in rows}


def _frameworks(*rows: Framework) -> dict[str, Framework]:
    return {row.name: row for row in rows}


ENVIRONMENTS = _environments(
    Environment("project", "project", "dev"),
    Environment("plain", "framework", "plain"),
    Environment("langgraph", "framework", "langgraph"),
    Environment("crewai", "framework", "crewai"),
    Environment("autogen", "framework", "autogen"),
    Environment("agent_framework", "framework", "agent_framework"),
    Environment("openai_agents", "framework", "openai_agents"),
    Environment("llamacpp", "server", "llamacpp"),
    Environment("model-smollm2-135m", "model", "model-smollm2-135m"),
    Environment("model-qwen2.5-coder-1.5b", "model", "model-qwen2.5-coder-1.5b"),
    Environment("documents", "documents", "documents"),
    Environment("bench-litellm", "peer", "bench-litellm"),
    Environment("bench-inspect", "peer", "bench-inspect"),
    Environment("bench-deepeval", "peer", "bench-deepeval"),
)

# Checked with strace: with these set, each framework contacts nothing but the model's address.
FRAMEWORKS = _frameworks(
    Framework("direct", "Direct", "plain"),
    Framework("scripted", "Scripted", "plain"),
    Framework("langgraph", "LangGraph", "langgraph", {"LANGSMITH_TRACING": "false"}, "langgraph"),
    Framework(
        "crewai",
        "CrewAI",
        "crewai",
        {
            "CREWAI_DISABLE_TELEMETRY": "true",
            "CREWAI_TRACING_ENABLED": "false",
            "CREWAI_DISABLE_VERSION_CHECK": "true",
            "OTEL_SDK_DISABLED": "true",
        },
        "crewai",
        patterns=("pipeline",),
    ),
    Framework(
        "autogen", "AutoGen", "autogen", {"AUTOGEN_DISABLE_RUNTIME_TRACING": "true"}, "autogen-agentchat"
    ),
    Framework(
        "agent_framework",
        "Microsoft Agent Framework",
        "agent_framework",
        {"AGENT_FRAMEWORK_USER_AGENT_DISABLED": "true"},
        "agent-framework-core",
    ),
    Framework(
        "openai_agents",
        "OpenAI Agents SDK",
        "openai_agents",
        {"OPENAI_AGENTS_DISABLE_TRACING": "1"},
        "openai-agents",
    ),
)


def environment(name: str) -> Environment:
    return _named(name, ENVIRONMENTS, "environment")


def framework(name: str) -> Framework:
    """Also in a version: "langgraph@1.1.x" is LangGraph in an environment of that name."""
    base, specifier = split_version(name)
    if not specifier:
        return _named(name, FRAMEWORKS, "framework")
    for row in FRAMEWORKS.values():
        if base == row.package != row.name:
            raise SettingsError(f'"{base}" is the package of {row.title}: write {row.name}{specifier}.')
    found = _named(base, FRAMEWORKS, "framework")
    if not found.package:
        raise SettingsError(f"{base}{specifier} cannot be run: {base} is no package and has no versions.")
    return replace(found, name=name, title=f"{found.title} {version_shown(name)}", environment=name)


def process_variables(framework: Framework, scratch: Path) -> dict[str, str]:
    """What a framework's process is started with: telemetry off, no proxy, its own folders below `scratch`.

    Frameworks that keep state under the user's home would otherwise hand it from run to run. HOME itself
    stays as it is: an environment's own files may lie below it. All that a run contacts is its node's
    gateway, so a proxy for the outside would only be in the way. Where Levelfield sends its own traces, and
    with which key, is kept from frameworks: one could send its own there too, within the measured time. A set
    of texts has the same order in every process: some frameworks let the model read one.
    """
    return {
        **{name: "" for name in os.environ if name.startswith("OTEL_EXPORTER_")},
        **framework.telemetry_off,
        "PYTHONHASHSEED": "0",
        "NO_PROXY": "*",
        "no_proxy": "*",
        "CREWAI_STORAGE_DIR": str(scratch / "crewai"),
        "XDG_CACHE_HOME": str(scratch / "cache"),
        "XDG_CONFIG_HOME": str(scratch / "config"),
        "XDG_DATA_HOME": str(scratch / "data"),
        "XDG_STATE_HOME": str(scratch / "state"),
    }


def _named(name: str, table: dict[str, T], what: str) -> T:
    if name not in table:
        raise SettingsError(unknown_name(what, name, table))
    return table[name]
