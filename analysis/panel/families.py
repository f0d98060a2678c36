"""The family of a model, read from its setting."""

from __future__ import annotations

import re

SAME_FAMILY = {
    "chatgpt": "gpt", "o": "gpt", "meta": "llama", "codellama": "llama", "codegemma": "gemma",
    "mixtral": "mistral", "ministral": "mistral", "codestral": "mistral", "qwq": "qwen",
}  # fmt: skip
"""Leading letters of a name -> the family's, where a maker names models of one line differently."""
NO_MODEL = frozenset({"replay", "scripted"})
"""Backends whose name after the colon is no model's."""


def model_family(setting: str) -> str | None:
    """The leading letters of the model's name: "ollama:qwen3:14b" -> "qwen". None: the setting tells none.

    Backend, folder and organisation come before the name and are left out.
    """
    backend, colon, name = setting.partition(":")
    if not colon:
        backend, name = "", setting
    if backend in NO_MODEL:
        return None
    letters = re.match(r"[a-z]+", re.split(r"[/\\]", name.strip())[-1].lower())
    return SAME_FAMILY.get(letters.group(), letters.group()) if letters else None
