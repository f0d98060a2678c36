"""Files that are whole or not there; a record in one is {"sha256": ..., "body": ...}, the body's digest."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, TypeVar

import orjson
from pydantic import ValidationError

from shared.errors import CorruptRecord, ResultsMismatch, StoreFailed
from shared.plan import digest
from shared.records import SCHEMA_VERSION
from shared.strict import Strict

RecordType = TypeVar("RecordType", bound=Strict)


def make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreFailed(_cannot_write(folder, error)) from error


def write_whole(path: Path, content: bytes) -> None:
    """Beside its place, to the disk, then renamed. Raises StoreFailed."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as handle:
            handle.write(content)
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


def write_record(path: Path, record: Strict, *, replace: bool = False) -> None:
    if path.exists() and not replace:
        raise StoreFailed(f"{path} is already written, and records are written once.")
    body = record.model_dump(mode="json")
    write_whole(path, _readable({"sha256": digest(body), "body": body}))


def read_record(path: Path, record_type: type[RecordType]) -> RecordType:
    """Raises CorruptRecord, or ResultsMismatch for a newer schema."""
    try:
        content = path.read_bytes()
        whole, body = _plain_body(content)
        if not whole:
            envelope: dict[str, Any] = json.loads(content.decode("utf-8"))
            body, stored = envelope["body"], envelope["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptRecord(corrupt(path, f"cannot be read ({error})")) from None
    version = body.get("schema_version", 0) if isinstance(body, dict) else 0
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise ResultsMismatch(
            f"{path} was written by a newer Levelfield: its schema is {version}, this one knows "
            f"{SCHEMA_VERSION}. Update Levelfield to read it."
        )
    if not whole and digest(body) != stored:
        raise CorruptRecord(corrupt(path, "does not match its checksum"))
    try:
        return record_type.model_validate(body)
    except ValidationError as error:
        raise CorruptRecord(corrupt(path, f"is not a {record_type.__name__} ({error})")) from None


def _plain_body(content: bytes) -> tuple[bool, Any]:
    """Whether the body has its digest as orjson spells it, and the body.

    Five times as fast as json. Where the two spell the same value in two ways (0.00001 and 1e-05, an integer
    of over 64 bits) the digest differs: whoever reads it has to look again, with json.
    """
    try:
        envelope = orjson.loads(content)
        body, stored = envelope["body"], envelope["sha256"]
        spelt = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    except (ValueError, KeyError, TypeError):
        return False, None
    return hashlib.sha256(spelt).hexdigest() == stored, body


def _readable(envelope: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(envelope, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # an integer of over 64 bits, which a framework's details may hold
        return f"{json.dumps(envelope, indent=2, ensure_ascii=False)}\n".encode()


def corrupt(path: Path, why: str) -> str:
    return f"{path} {why}. Restore it from a copy, or delete it to have that part done again."


def _cannot_write(path: Path, error: OSError) -> str:
    return (
        f"Cannot write {path}: {error.strerror}. Everything recorded before is safe: "
        "make room or give write permission, then run the same command again."
    )
