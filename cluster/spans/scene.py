"""What all spans of an experiment have in common."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from shared.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Scene:
    """Whose spans they are and what may stand in them."""

    experiment: str
    version: str
    """Levelfield's."""
    provider: str
    """The convention's gen_ai.provider.name: the prefix of the model's setting, e.g. "llamacpp"."""
    content: bool
    """Whether prompts, answers and error messages stand in the spans too."""

    @classmethod
    def of(cls, manifest: Manifest, *, content: bool) -> Scene:
        provider, _, _ = str(manifest.settings.get("llm_model", "")).partition(":")
        return cls(manifest.experiment, manifest.levelfield, provider, content)

    @property
    def resource(self) -> Resource:
        """Not `Resource.create`, which adds what the environment says: a trace made again is to be equal."""
        return Resource(
            {
                "service.name": "levelfield",
                "service.version": self.version,
                "levelfield.experiment": self.experiment,
            }
        )

    @property
    def scope(self) -> InstrumentationScope:
        return InstrumentationScope("levelfield", self.version)
