"""What is compared: names, titles and roles of frameworks, of their arms, and of second names for noise."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from shared.plan import framework_of
from shared.versions import split_version, version_shown

Role = Literal["framework", "floor", "dry", "twin"]

KNOWN_TITLES = {
    "agent_framework": "MS Agent Framework",
    "agents_sdk": "OpenAI Agents SDK",
    "autogen": "AutoGen",
    "crewai": "CrewAI",
    "direct": "No framework (direct)",
    "langgraph": "LangGraph",
    "msagent": "MS Agent Framework",
    "openai_agents": "OpenAI Agents SDK",
    "scripted": "Scripted (no model)",
}
AGAIN = " (again)"
USUAL_ARM = "idiomatic"


@dataclass(frozen=True)
class Naming:
    """How runs are named. Two arms of a framework are two subjects: pooled, they would compare patterns."""

    several_arms: bool = False

    def subject(self, framework: str, arm: str) -> str:
        return f"{framework} [{arm}]" if self.several_arms else framework


def arms_of(arms: Iterable[str]) -> list[str]:
    """Each once, the idiomatic first: what a user gets, and what is spoken of where nothing else is said."""
    return sorted(set(arms), key=lambda arm: (arm != USUAL_ARM, arm))


def role_of(framework: str, known: Collection[str]) -> Role:
    """`known`: the experiment's frameworks; a second name counts as one only beside its first."""
    first = twin_of(framework, known)
    if (first or framework) == "scripted":
        return "dry"
    if first:
        return "twin"
    return "floor" if framework == "direct" else "framework"


def twin_of(framework: str, known: Collection[str]) -> str | None:
    """The framework that `framework` is a second name of: "langgraph-aa" -> "langgraph"."""
    first = framework_of(framework)
    return first if first != framework and first in known else None


def title_of(subject: str, known: Collection[str], titles: Mapping[str, str]) -> str:
    """The framework's own spelling of its name, with the arm when `subject` carries one."""
    name, bracket, arm = subject.partition(" [")
    first = twin_of(name, known)
    title = titles.get(first or name) or _known_title(first or name)
    return title + (AGAIN if first else "") + bracket + arm


def _known_title(name: str) -> str:
    """Of a version that no manifest gives a title: "langgraph@1.1.x" -> "LangGraph 1.1.*"."""
    base, version = split_version(name)[0], version_shown(name)
    return f"{KNOWN_TITLES[base]} {version}".rstrip() if base in KNOWN_TITLES else name
