"""Where what can be made again is kept: environments, models, indexes of documents."""

from __future__ import annotations

import os
from pathlib import Path


def cache_root() -> Path:
    if chosen := os.environ.get("LEVELFIELD_CACHE"):
        return Path(chosen).expanduser().absolute()
    caches = os.environ.get("XDG_CACHE_HOME")
    return (Path(caches) if caches else Path.home() / ".cache") / "levelfield"
