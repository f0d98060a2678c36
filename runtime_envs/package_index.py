"""When versions were released: from the simple index in JSON (PEP 691, PEP 700) that uv uses here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import uv
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from shared.maturity import Releases

TIMEOUT_S = 20
JSON_TYPE = "application/vnd.pypi.simple.v1+json"
YEAR = timedelta(days=365)
_INDEX = re.compile(r"^(?:--index-url|--extra-index-url) +(https?://\S+)$", re.MULTILINE)


class IndexUnreachable(Exception):
    """No web index is set, or it gave no answer; the text says which, and holds no address."""


@dataclass(frozen=True)
class PackageIndex:
    """One index, by the address of its simple API."""

    url: str = field(repr=False)  # may hold credentials

    @classmethod
    def configured(cls) -> PackageIndex:
        """The one that uv installs from, whatever variables and files say so.

        Raises:
            IndexUnreachable: uv uses no web index.
        """
        if any(os.environ.get(name) for name in ("UV_NO_INDEX", "UV_OFFLINE")):  # the command tells neither
            raise IndexUnreachable("uv is set to use no package index")
        command = [uv.find_uv_bin(), "pip", "compile", "--quiet", "--no-header", "--emit-index-url", "-"]
        done = subprocess.run(command, input="", capture_output=True, text=True, timeout=60, check=False)
        found = _INDEX.search(done.stdout)
        if found is None:
            raise IndexUnreachable("uv is set to use no package index on the web")
        return cls(found[1])

    def releases(self, name: str, installed: str, now: datetime) -> Releases | None:
        """Of one distribution, None when the index does not have it.

        Raises:
            IndexUnreachable: No answer, or none in JSON.
        """
        page = self._page(name)
        return None if page is None else releases_of(page, installed, now)

    def _page(self, name: str) -> dict[str, Any] | None:
        request = urllib.request.Request(  # noqa: S310 - http(s) only, see _INDEX
            f"{self.url.rstrip('/')}/{canonicalize_name(name)}/", headers={"Accept": JSON_TYPE}
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - as above
                page = json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise IndexUnreachable(f"it answered with status {error.code}") from None
        except ValueError:
            raise IndexUnreachable("it does not answer in JSON (PEP 691)") from None
        except OSError as error:
            reason = getattr(error, "reason", error)
            raise IndexUnreachable(f"no connection ({type(reason).__name__})") from None
        if not isinstance(page, dict):
            raise IndexUnreachable("it does not answer in JSON (PEP 691)")
        return page


def releases_of(page: dict[str, Any], installed: str, now: datetime) -> Releases:
    """From a project's page; a version's date is that of its first file."""
    first: dict[Version, datetime | None] = {}
    yanked: dict[Version, bool] = {}
    for file in page.get("files", ()):
        version = _version(str(file.get("filename", "")))
        if version is None:
            continue
        at = _time(file.get("upload-time"))
        known = first.get(version)
        first[version] = min(filter(None, (at, known)), default=None)
        yanked[version] = yanked.get(version, True) and bool(file.get("yanked"))
    final = [version for version in first if not version.is_prerelease and not yanked[version]]
    newest = max(final, default=None)
    timed = any(first.values())
    recent = [version for version, at in first.items() if at and now - YEAR <= at <= now]
    return Releases(
        released_at=_day(first.get(Version(installed))),
        newest=str(newest) if newest else None,
        newest_released_at=_day(first.get(newest)) if newest else None,
        in_12_months=sum(not version.is_prerelease for version in recent) if timed else None,
        pre_releases_in_12_months=sum(version.is_prerelease for version in recent) if timed else None,
    )


def _version(filename: str) -> Version | None:
    try:
        if filename.endswith(".whl"):
            return parse_wheel_filename(filename)[1]
        return parse_sdist_filename(filename)[1]
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None


def _time(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _day(at: datetime | None) -> str | None:
    return at.date().isoformat() if at else None
