"""What a results folder's manifest says. A missing or odd key costs a line, not the report."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.acceptance import Acceptance
from shared.judge_panel import BETWEEN
from shared.stopping import Stopping

SHOWN_SECTIONS = ("settings", "plan", "server", "hardware")
_SECRET = re.compile(r"api_?key|secret|password|authorization|credential", re.IGNORECASE)


@dataclass(frozen=True)
class Manifest:
    experiment: str = ""
    created_at: str | None = None
    sections: dict[str, dict[str, str]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    planned_runs: int | None = None
    frameworks: frozenset[str] = frozenset()
    """Those with an environment: what a second name may stand beside."""
    looks: int = 1
    """How often the results may be looked at (`shared.stopping`)."""
    acceptance: Acceptance = field(default_factory=Acceptance)
    """When a report is accepted."""
    levelfield: str = ""
    """The version that made it; empty when something else did."""
    identity: dict[str, str] = field(default_factory=dict)
    """What must be the same for runs to be pooled; nested keys joined by dots."""

    @property
    def looks_note(self) -> str:
        """Empty without a stopping rule."""
        if self.looks == 1:
            return ""
        return (
            f"The plan states a stopping rule with {self.looks} looks, the end among them: the corrected p "
            f"values of the paired tests are multiplied by {self.looks}; the classic tests are not. "
            "Intervals are as if the number of items had been fixed."
        )

    def setting(self, name: str) -> str:
        return self.sections.get("settings", {}).get(name, "")

    @property
    def judges(self) -> tuple[str, ...]:
        """The first is the main one; empty: the model under test."""
        return judges_named(self.setting("judge_model"))


def judges_named(setting: str) -> tuple[str, ...]:
    """Each once, also when a foreign manifest repeats one."""
    return tuple(dict.fromkeys(filter(None, map(str.strip, setting.split(BETWEEN)))))


def read_manifest(path: Path, task: str | None = None) -> Manifest:
    """With `task`, the planned runs are those of that task."""
    if not path.exists():
        return Manifest()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return Manifest(notes=[f"manifest.json could not be read, so nothing of it is shown ({error})."])
    if not isinstance(content, dict):
        return Manifest(notes=["manifest.json holds no object."])
    body = content.get("body")  # records on disk are {"sha256": ..., "body": ...}
    return from_mapping(body if isinstance(body, dict) else content, task)


def from_mapping(content: Mapping[str, Any], task: str | None = None) -> Manifest:
    frameworks = {str(k): v for k, v in _mapping(content.get("frameworks")).items() if isinstance(v, dict)}
    notes = content.get("notes")
    acceptance, odd = _acceptance(_mapping(content.get("plan")).get("acceptance"))
    return Manifest(
        experiment=str(content.get("experiment") or ""),
        created_at=str(content["created_at"]) if content.get("created_at") else None,
        sections={name: _flat(_mapping(content.get(name))) for name in SHOWN_SECTIONS if content.get(name)},
        titles={name: str(info["title"]) for name, info in frameworks.items() if info.get("title")},
        versions={
            name: {str(k): str(v) for k, v in _mapping(info.get("versions")).items()}
            for name, info in frameworks.items()
        },
        notes=[*(map(str, notes) if isinstance(notes, list) else ()), *odd],
        acceptance=acceptance,
        planned_runs=_planned(_mapping(content.get("plan")), task),
        looks=_looks(_mapping(content.get("plan")).get("stopping")),
        frameworks=frozenset(frameworks),
        levelfield=str(content.get("levelfield") or ""),
        identity=_flat(_mapping(content.get("identity"))),
    )


def _acceptance(stated: object) -> tuple[Acceptance, list[str]]:
    """As stated, or the default with a note where that cannot be used."""
    if stated is None:
        return Acceptance(), []
    try:
        return Acceptance.model_validate(stated), []
    except ValidationError:
        return Acceptance(), ["The manifest's criteria of acceptance cannot be read: the defaults are used."]


def _planned(plan: Mapping[str, Any], name: str | None) -> int | None:
    """How many runs the plan asks for; None when it is not the kind of plan we know."""
    try:
        items = sum(len(task["items"]) for task in plan["tasks"] if name in {None, task["name"]})
        subjects = len(plan["frameworks"]) + len(plan.get("aa", ()))
        return subjects * len(plan["arms"]) * int(plan["iterations"]) * items
    except (KeyError, TypeError, ValueError):
        return None


def _looks(stated: object) -> int:
    try:
        return Stopping.model_validate(stated).count if stated else 1
    except ValidationError:
        return 1


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _flat(section: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested keys joined by dots, as text; values that look like credentials are withheld."""
    flat: dict[str, str] = {}
    for key, value in section.items():
        name = f"{prefix}{key}"
        if _SECRET.search(str(key)):
            flat[name] = "(withheld)"
        elif isinstance(value, dict):
            flat.update(_flat(value, f"{name}."))
        elif isinstance(value, list):
            flat[name] = ", ".join(str(part) for part in value)
        elif value is not None:
            flat[name] = str(value)
    return flat
