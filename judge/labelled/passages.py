"""The labelled set: passages of reports, and what they were labelled against."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from shared.strict import Strict
from shared.yardsticks import CheckSpec

FOLDER = Path(__file__).parent

_OWN_LINE = re.compile(r"-|#|\||\d\.")


class LabelledSentence(Strict):
    text: str
    facts: tuple[str, ...] = ()
    """Ids of the known facts that it states."""
    unsupported: tuple[str, ...] = ()
    """Its figures and names that no source knows."""


class LabelledPassage(Strict):
    item: str
    origin: str
    """A model, or "written" for this set."""
    sentences: tuple[LabelledSentence, ...]

    @property
    def text(self) -> str:
        """One paragraph: items of lists, rows and headings on lines of their own."""
        parts = []
        for sentence in self.sentences:
            parts += ["\n" if _OWN_LINE.match(sentence.text) else " ", sentence.text]
        return "".join(parts).strip()


class LabelledSet(Strict):
    task: str
    tune: tuple[LabelledPassage, ...]
    """Looked at while the rules were written."""
    held_out: tuple[LabelledPassage, ...]


def read_labelled(name: str = "company_research") -> LabelledSet:
    return LabelledSet.model_validate(_yaml(FOLDER / f"{name}.yaml"))


def read_yardsticks(name: str = "company_research") -> dict[str, CheckSpec]:
    """By item: the known facts as they were when the passages were labelled."""
    found = _yaml(FOLDER / f"{name}.yardsticks.yaml")
    return {item: CheckSpec.model_validate(spec) for item, spec in found.items()}


def _yaml(path: Path) -> dict[str, object]:
    content: dict[str, object] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content
