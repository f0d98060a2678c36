"""The text of a document, page by page where it has pages."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docx
import pypdf
from docx.table import Table
from pypdf.errors import PyPdfError

MAX_UNPACKED_BYTES = 200_000_000
"""Of a DOCX, which is a zip: a small one can hold terabytes."""
PDF_MARK, PDF_MARK_WITHIN = b"%PDF-", 1024
CONTROLS = {chr(code) for code in range(32)} - set("\t\n\r\f\v\b\x1b")


class Unreadable(Exception):
    """The message says why, for the user's list of what was skipped."""


@dataclass(frozen=True, slots=True)
class Page:
    number: int | None
    text: str


def read_document(path: Path) -> list[Page]:
    """Pages with any text. Raises Unreadable."""
    try:
        pages = _READERS[path.suffix.lower()](path)
    except Unreadable:
        raise
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror or error}") from None
    except RecursionError:
        raise Unreadable("is nested too deeply") from None
    except Exception as error:  # noqa: BLE001 - a damaged file can raise anything in its reader, and the rest goes on
        raise Unreadable(f"is damaged: {type(error).__name__}: {error}"[:200]) from None
    # Half a surrogate pair, which a broken font table can yield, is nothing that can be stored.
    pages = [Page(page.number, page.text.encode("utf-8", "replace").decode()) for page in pages]
    if not any(page.text.strip() for page in pages):
        raise Unreadable("has no text" + (" (scanned pages?)" if path.suffix.lower() == ".pdf" else ""))
    return [page for page in pages if page.text.strip()]


def _read_pdf(path: Path) -> list[Page]:
    with path.open("rb") as file:
        if PDF_MARK not in file.read(PDF_MARK_WITHIN):
            raise Unreadable("is no PDF, whatever its name says")
    try:
        reader = pypdf.PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("is encrypted: save it without a password to have it indexed")
        return [Page(number, page.extract_text()) for number, page in enumerate(reader.pages, 1)]
    except PyPdfError as error:
        raise Unreadable(f"is a damaged PDF: {error}"[:200]) from None


def _read_docx(path: Path) -> list[Page]:
    if not zipfile.is_zipfile(path):
        raise Unreadable("is no DOCX, whatever its name says (or an encrypted one)")
    with zipfile.ZipFile(path) as packed:
        if sum(entry.file_size for entry in packed.infolist()) > MAX_UNPACKED_BYTES:
            raise Unreadable(f"unpacks to more than {MAX_UNPACKED_BYTES / 1e6:,.0f} MB")
        if "word/document.xml" not in packed.namelist():
            raise Unreadable("is no DOCX, whatever its name says")
    return [Page(None, "\n\n".join(_blocks(docx.Document(str(path)))))]


def _blocks(document: Any) -> Iterator[str]:
    """Paragraphs and tables in their order; a table's row is a line."""
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            yield "\n".join(" | ".join(cell.text.strip() for cell in row.cells) for row in block.rows)
        elif block.text.strip():
            yield block.text


def _read_text(path: Path) -> list[Page]:
    content = path.read_bytes()
    try:
        text = content.decode("utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    if not CONTROLS.isdisjoint(text):
        raise Unreadable("holds binary data and no text")
    return [Page(None, text)]


_READERS: dict[str, Callable[[Path], list[Page]]] = {
    ".pdf": _read_pdf,
    ".docx": _read_docx,
    ".md": _read_text,
    ".markdown": _read_text,
    ".txt": _read_text,
}
