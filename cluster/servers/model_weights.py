"""Which file a `llamacpp:` setting means, and whether it can be a model at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cluster.servers.hub_model import hub_file, is_hub_name, repository_and_file, require_digest
from runtime_envs.models import MODELS, model_file
from shared.errors import SettingsError, UserError
from shared.suggest import unknown_name

GGUF_MAGIC = b"GGUF"
"""First bytes of every model file that llama.cpp reads (gguf specification, "File structure")."""


@dataclass(frozen=True, slots=True)
class WeightsFile:
    path: Path
    name: str
    """For people and for requests; no folder."""
    sha256: str


def check_name(name: str) -> None:
    """Raises SettingsError for an embedded model that nobody knows; a path is looked at by `find_weights`."""
    if is_hub_name(name):
        repository_and_file(name)
        return
    if name not in MODELS and not _is_path(name):
        raise SettingsError(
            f"{unknown_name('embedded model', name, MODELS)} Or give the path of a .gguf file, or one on the "
            "Hugging Face hub: hf:OWNER/REPOSITORY/FILE.gguf."
        )


def find_weights(name: str, on_progress: Callable[[str], None]) -> WeightsFile:
    """The file of an embedded model, the one at a path, or one from the Hugging Face hub."""
    check_name(name)
    if name in MODELS:
        embedded = model_file(name, on_progress=on_progress)
        return WeightsFile(checked_file(embedded), name, MODELS[name].sha256)
    path = checked_file(hub_file(name, on_progress) if is_hub_name(name) else Path(name).expanduser())
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if is_hub_name(name):
        require_digest(name, path, sha256)
    return WeightsFile(path, path.name, sha256)


def checked_file(path: Path) -> Path:
    """Raises UserError unless it is a file that begins like a model."""
    try:
        with path.open("rb") as file:
            magic = file.read(len(GGUF_MAGIC))
    except FileNotFoundError:
        raise UserError(f"There is no model file {path}. Give the path of a .gguf file.") from None
    except OSError as error:
        raise UserError(f"The model file {path} cannot be read: {error.strerror}.") from None
    if magic != GGUF_MAGIC:
        raise UserError(f"{path} is not a GGUF model: llama.cpp reads no other format. Convert it first.")
    return path


def _is_path(name: str) -> bool:
    return "/" in name or name.startswith("~") or name.endswith(".gguf")
