"""Rows into a file as they come: CSV, or Parquet with a type per column."""

from __future__ import annotations

import csv
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from cluster.export.columns import Columns, Kind
from cluster.foreign_text import cell
from shared.errors import InternalError, StoreFailed

BATCH_ROWS = 2_000
BATCH_CHARS = 16_000_000
"""A batch ends at whichever comes first, so that long texts do not pile up."""
ARROW: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "whole": pa.int64(),
    "number": pa.float64(),
    "flag": pa.bool_(),
    "moment": pa.timestamp("us", tz="UTC"),
    "texts": pa.list_(pa.string()),
    "numbers": pa.list_(pa.float64()),
    "json": pa.string(),
}


class TableFile(ABC):
    """Used with `with`; whole or not there: it takes its name when the block ends without an error."""

    suffix = ""

    def __init__(self, folder: Path, name: str, columns: Columns) -> None:
        self.path = folder / f"{name}{self.suffix}"
        self.rows = 0
        self._columns = columns
        self._part = folder / f".{self.path.name}.part"

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            self._close()
            if error is None:
                self._part.replace(self.path)
        except OSError as failure:
            raise cannot_write(self.path, failure) from failure
        finally:
            self._part.unlink(missing_ok=True)

    def write(self, row: Mapping[str, Any]) -> None:
        """Names without a column are left out; a column without a name is empty."""
        try:
            self._write([row.get(name) for name in self._columns])
        except OSError as error:
            raise cannot_write(self.path, error) from error
        self.rows += 1

    @abstractmethod
    def _open(self) -> None: ...

    @abstractmethod
    def _write(self, values: Sequence[Any]) -> None: ...

    @abstractmethod
    def _close(self) -> None: ...


class CsvFile(TableFile):
    suffix = ".csv"

    def _open(self) -> None:
        self._handle = self._part.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._handle, lineterminator="\n")
        self._writer.writerow(self._columns)

    def _write(self, values: Sequence[Any]) -> None:
        kinds = self._columns.values()
        self._writer.writerow(_cell(value, kind) for value, kind in zip(values, kinds, strict=True))

    def _close(self) -> None:
        self._handle.close()


class ParquetFile(TableFile):
    suffix = ".parquet"

    def _open(self) -> None:
        self._schema = pa.schema([(name, ARROW[kind]) for name, kind in self._columns.items()])
        self._writer = pq.ParquetWriter(self._part, self._schema, compression="zstd")
        self._begin_batch()

    def _begin_batch(self) -> None:
        self._waiting: list[list[Any]] = [[] for _ in self._columns]
        self._chars = 0

    def _write(self, values: Sequence[Any]) -> None:
        for waiting, value, kind in zip(self._waiting, values, self._columns.values(), strict=True):
            typed = _typed(value, kind)
            waiting.append(typed)
            self._chars += len(typed) if isinstance(typed, str) else 0
        if len(self._waiting[0]) >= BATCH_ROWS or self._chars >= BATCH_CHARS:
            self._flush()

    def _flush(self) -> None:
        try:
            batch = pa.record_batch(
                [pa.array(values, type=field.type) for values, field in self._filled()], schema=self._schema
            )
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
            raise InternalError(f"{self.path.name}: a value does not fit its column: {error}") from error
        self._writer.write_batch(batch)
        self._begin_batch()

    def _filled(self) -> list[tuple[list[Any], pa.Field]]:
        return list(zip(self._waiting, self._schema, strict=True))

    def _close(self) -> None:
        try:
            if self._waiting[0]:
                self._flush()
        finally:
            self._writer.close()


def cannot_write(path: Path, error: OSError) -> StoreFailed:
    return StoreFailed(
        f"{path} cannot be written ({error.strerror}). Make room or name another --out; what was exported "
        "can be made again."
    )


def _cell(value: Any, kind: Kind) -> Any:
    """What a spreadsheet would compute is marked as text."""
    if value is None or value == "":
        return ""
    if kind == "text":
        return cell(str(value))
    if kind in ("texts", "numbers", "json"):
        return cell(_json(value))
    return value


def _typed(value: Any, kind: Kind) -> Any:
    """As Arrow takes it. An empty text is a value; an empty cell of another kind is none."""
    if value is None or (value == "" and kind != "text"):
        return None
    match kind:
        case "text":
            return str(value)
        case "json":
            return _json(value)
        case "texts":
            return [str(part) for part in value]
        case "moment":
            return _moment(str(value))
        case _:
            return value


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
