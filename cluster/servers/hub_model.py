"""`hf:OWNER/REPO/FILE.gguf`: a model file from the Hugging Face hub, fetched once into the hub's own cache.

The library keeps what was fetched of a file that is not whole and goes on from there. It looks at
HF_ENDPOINT, HF_HOME, HF_TOKEN and HF_HUB_OFFLINE.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import constants, hf_hub_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)
from huggingface_hub.utils.tqdm import tqdm

from shared.errors import ServerUnavailable, SettingsError, UserError

# Otherwise it looks for an AI agent around it to tell the hub of, and asks the hub for a list of them.
constants.HF_HUB_DISABLE_TELEMETRY = True

HUB = "hf:"
_NAME = re.compile(r"hf:([\w.-]+/[\w.-]+)/((?:[\w .-]+/)*[\w .-]+\.gguf)")
_PART = re.compile(r"-\d{5}-of-\d{5}\.gguf$")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def is_hub_name(name: str) -> bool:
    return name.startswith(HUB)


def repository_and_file(name: str) -> tuple[str, str]:
    """Raises SettingsError for what is no such name."""
    found = _NAME.fullmatch(name)
    if not found or ".." in name.split("/"):
        raise SettingsError(
            f'"{name}" names no file on the Hugging Face hub: write hf:OWNER/REPOSITORY/FILE.gguf.'
        )
    if _PART.search(name):
        raise SettingsError(
            f'"{name}" is one part of several: join them with llama-gguf-split, and give the path.'
        )
    return found[1], found[2]


def hub_file(name: str, on_progress: Callable[[str], None]) -> Path:
    """The file on this machine, fetched first when it is not there.

    Raises:
        UserError: There is no such file, the hub wants a key for it, or it cannot be reached.
    """
    repository, file = repository_and_file(name)
    try:
        return Path(hf_hub_download(repository, file, tqdm_class=_told(file, on_progress)))
    except HFValidationError as error:
        raise SettingsError(f'"{name}" names no repository: {error}') from None
    except GatedRepoError:
        problem = f"wants to know who asks for {repository}: accept its terms there, and set HF_TOKEN"
    except RepositoryNotFoundError:
        problem = f"has no repository {repository} that it shows us; for a private one set HF_TOKEN"
    except LocalEntryNotFoundError:
        raise ServerUnavailable(
            f"{name} is not on this machine, and the Hugging Face hub cannot be reached at "
            f"{constants.ENDPOINT}. Check the network, or set HF_ENDPOINT to a mirror; or copy the file here "
            "and give its path: llamacpp:/path/to/model.gguf."
        ) from None
    except EntryNotFoundError:
        problem = f"has no file {file} in {repository}"
    except (HfHubHTTPError, httpx2.HTTPError) as error:
        said = str(error).partition("\n")[0] or type(error).__name__
        raise ServerUnavailable(
            f"Fetching {name} from {constants.ENDPOINT} failed ({said}). "
            "Try again: what was fetched is kept, and it goes on from there."
        ) from None
    except OSError as error:
        raise UserError(
            f"{name} cannot be kept in {constants.HF_HUB_CACHE}: {error.strerror or error}. "
            "Make room there, or set HF_HOME to a folder with space and write permission."
        ) from None
    raise UserError(f"The Hugging Face hub at {constants.ENDPOINT} {problem}.")


def require_digest(name: str, path: Path, sha256: str) -> None:
    """The hub's cache calls a large file by its digest. Raises UserError when the file has another one."""
    stated = path.resolve().name
    if _SHA256.fullmatch(stated) and stated != sha256:
        raise UserError(
            f"{name} is damaged: its sha256 is {sha256}, and the hub says {stated}. "
            f"Remove {path.resolve()}, and it is fetched again."
        )


def _told(file: str, on_progress: Callable[[str], None]) -> type[tqdm]:
    """A progress bar that says how far it is in words; it draws nothing where there is no terminal."""

    class Told(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._bytes = int(kwargs.get("initial") or 0)
            self._of = int(kwargs.get("total") or 0)
            super().__init__(*args, **{**kwargs, "disable": True})  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> bool | None:
            self._bytes += int(n or 0)
            share = f" of {self._of / 1e6:,.0f} MB ({self._bytes / self._of:.0%})" if self._of else " MB"
            on_progress(f"{file}: {self._bytes / 1e6:,.0f}{share}")
            return None

    return Told
