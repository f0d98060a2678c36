"""An experiment's folder: write-once records, safe against a kill at any moment.

results/<experiment>/
    manifest.json                      everything that could change a result
    runs/<run_id>/attempt-N.json       a RunRecord
    runs/<run_id>/attempt-N.calls.jsonl  its calls, a JSON object per line
    verdicts/<judge>/<run_id>.K.json   a Verdict (repeat K)
    checks/<run_id>.json               a CheckResult
    logs/                              of model servers
    runs.csv, report.html, ...         derived: delete them freely

Each record is a JSON object {"sha256": ..., "body": ...}, the digest being of the body.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO, TypeVar

from pydantic import ValidationError

from shared.errors import CorruptRecord, ResultsMismatch, StoreFailed
from shared.manifest import Manifest
from shared.plan import digest
from shared.records import SCHEMA_VERSION, Call, CheckResult, RunRecord, Strict, Verdict

RecordType = TypeVar("RecordType", bound=Strict)


class Store:
    """One experiment's folder. Reading needs no lock; `lock` is for whoever writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: TextIO | None = None

    @classmethod
    def existing(cls, folder: Path) -> Store:
        """Raises ResultsMismatch when there is no experiment in `folder`."""
        store = cls(folder)
        if not store.manifest_path.is_file():
            raise ResultsMismatch(f"No experiment in {folder}: it has no manifest.json.")
        store.manifest()
        return store

    @property
    def manifest_path(self) -> Path:
        return self.folder / "manifest.json"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def lock(self) -> None:
        """Keep other writers out until this process ends or `unlock`."""
        self._make(self.folder)
        handle = (self.folder / ".lock").open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            raise ResultsMismatch(
                f"Another levelfield is writing to {self.folder}. Wait for it, or give another --out."
            ) from None
        self._lock = handle

    def unlock(self) -> None:
        if self._lock:
            self._lock.close()
            self._lock = None

    def begin(self, manifest: Manifest) -> Manifest:
        """Write the manifest, or check that the one already there describes the same experiment.

        Raises:
            ResultsMismatch: With what differs.
        """
        if not self.manifest_path.exists():
            if any(self.folder.glob("runs/*/*.json")):
                raise ResultsMismatch(f"{self.folder} holds runs but no manifest.json. Give another --out.")
            self._write(self.manifest_path, manifest)
            return manifest
        old = self.manifest()
        self.require_same(old.differs_from(manifest))
        return old

    def require_same(self, differing: list[str]) -> None:
        """Raises ResultsMismatch unless nothing differs between the experiment here and the one to run."""
        if differing:
            raise ResultsMismatch(
                f"{self.folder} holds another experiment; it differs in {', '.join(differing)}. "
                "Give another --out, or --fresh for a new folder; the old one stays as it is."
            )

    def manifest(self) -> Manifest:
        return self._read(self.manifest_path, Manifest)

    def write_run(self, record: RunRecord, calls: Iterable[Call]) -> RunRecord:
        """The calls first, then the record: a record on disk has its calls beside it."""
        folder = self.folder / "runs" / record.key.run_id
        text = "".join(call.model_dump_json() + "\n" for call in calls)
        record = record.model_copy(update={"calls_sha256": digest(text)})
        self._make(folder)
        self._write_text(folder / f"attempt-{record.attempt}.calls.jsonl", text)
        self._write(folder / f"attempt-{record.attempt}.json", record)
        return record

    def attempts(self) -> Iterator[RunRecord]:
        """Every attempt at every run, in the order of their names."""
        for path in sorted(self.folder.glob("runs/*/attempt-*.json"), key=_natural):
            yield self._read(path, RunRecord)

    def runs(self) -> list[RunRecord]:
        """The attempt that counts for each run: the first that says something final, else the last."""
        chosen: dict[str, RunRecord] = {}
        for record in self.attempts():
            before = chosen.get(record.key.run_id)
            if before is None or not before.status.is_final:
                chosen[record.key.run_id] = record
        return sorted(chosen.values(), key=lambda record: record.position)

    def calls(self, record: RunRecord) -> list[Call]:
        path = self.folder / "runs" / record.key.run_id / f"attempt-{record.attempt}.calls.jsonl"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if digest(text) != record.calls_sha256:
            raise CorruptRecord(_corrupt(path, "does not match the digest in its record"))
        return [Call.model_validate_json(line) for line in text.splitlines()]

    def write_verdict(self, verdict: Verdict) -> None:
        folder = self.folder / "verdicts" / slug(verdict.judge)
        self._make(folder)
        self._write(folder / f"{verdict.run_id}.{verdict.repeat}.json", verdict)

    def verdicts(self) -> list[Verdict]:
        paths = sorted(self.folder.glob("verdicts/*/*.json"), key=_natural)
        return [self._read(path, Verdict) for path in paths]

    def write_check(self, check: CheckResult) -> None:
        self._make(self.folder / "checks")
        self._write(self.folder / "checks" / f"{check.run_id}.json", check, replace=True)

    def checks(self) -> list[CheckResult]:
        return [self._read(path, CheckResult) for path in sorted(self.folder.glob("checks/*.json"))]

    def write_derived(self, name: str, text: str) -> Path:
        """A file that can be made again from the records, such as runs.csv."""
        path = self.folder / name
        self._write_text(path, text)
        return path

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreFailed(_cannot_write(folder, error)) from error

    def _write(self, path: Path, record: Strict, *, replace: bool = False) -> None:
        if path.exists() and not replace:
            raise StoreFailed(f"{path} is already written, and records are written once.")
        body = record.model_dump(mode="json")
        text = json.dumps({"sha256": digest(body), "body": body}, indent=1, ensure_ascii=False)
        self._write_text(path, text + "\n")

    def _write_text(self, path: Path, text: str) -> None:
        temporary = path.with_name(f".{path.name}.part")
        try:
            with temporary.open("w", encoding="utf-8") as handle:
                handle.write(text)
                handle.flush()
                os.fsync(handle.fileno())
            temporary.replace(path)
            directory = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise StoreFailed(_cannot_write(path, error)) from error

    def _read(self, path: Path, record_type: type[RecordType]) -> RecordType:
        try:
            envelope: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            body, stored = envelope["body"], envelope["sha256"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CorruptRecord(_corrupt(path, f"cannot be read ({error})")) from None
        version = body.get("schema_version", 0) if isinstance(body, dict) else 0
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise ResultsMismatch(
                f"{path} was written by a newer Levelfield: its schema is {version}, this one knows "
                f"{SCHEMA_VERSION}. Update Levelfield to read it."
            )
        if digest(body) != stored:
            raise CorruptRecord(_corrupt(path, "does not match its checksum"))
        try:
            return record_type.model_validate(body)
        except ValidationError as error:
            raise CorruptRecord(_corrupt(path, f"is not a {record_type.__name__} ({error})")) from None


def slug(setting: str) -> str:
    """A folder name for a model setting: "ollama:qwen3:14b" -> "ollama-qwen3-14b"."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", setting).strip("-.") or "model"


def _natural(path: Path) -> tuple[str, list[int], str]:
    return (str(path.parent), [int(n) for n in re.findall(r"\d+", path.name)], path.name)


def _corrupt(path: Path, why: str) -> str:
    return f"{path} {why}. Restore it from a copy, or delete it to have that part done again."


def _cannot_write(path: Path, error: OSError) -> str:
    return (
        f"Cannot write {path}: {error.strerror}. Everything recorded before is safe: "
        "make room or give write permission, then run the same command again."
    )
