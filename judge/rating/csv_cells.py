"""Cells that no spreadsheet takes for a formula, and rows back from whatever a spreadsheet saved."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence

FORMULA = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""How a formula begins (OWASP, CSV injection), also in full-width characters."""
SHIELD = "'"
"""What spreadsheets themselves put before text that is not to be worked out."""
SHIELDED = FORMULA | {SHIELD}
DELIMITERS = ",;\t"
"""A comma, or what spreadsheets save where a comma is the decimal mark."""
BYTE_ORDER_MARKS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}


class UnreadableCsv(ValueError):
    """The message says where, and what to do."""


def shielded(text: str) -> str:
    return f"{SHIELD}{text}" if text[:1] in SHIELDED else text


def unshielded(text: str) -> str:
    """What was shielded; other text, also with an apostrophe of its own, stays as it is."""
    return text[1:] if text[:1] == SHIELD and text[1:2] in SHIELDED else text


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """RFC 4180; every cell that is text is shielded."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([shielded(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return text.getvalue()


def csv_rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Row number, as spreadsheets count, and cells, for each row that is not blank. Raises UnreadableCsv."""
    text = _decoded(content)
    first_line = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, 1):
            if any(cell.strip() for cell in cells):
                yield number, [unshielded(cell) for cell in cells]
    except csv.Error as error:
        raise UnreadableCsv(f"row {number + 1}: not a row of a CSV file ({error})") from None


def _decoded(content: bytes) -> str:
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            raise UnreadableCsv(f'the file is {encoding}: save it as "CSV UTF-8"')
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        raise UnreadableCsv(f'line {line}: byte 0x{byte:02x} is not UTF-8: save it as "CSV UTF-8"') from None
