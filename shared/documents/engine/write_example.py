"""The documents that Levelfield ships, as files: `python -m shared.documents.engine.write_example FOLDER`.

They are kept as text; what ends in `.pdf.txt` or `.docx.txt` is made a PDF (a form feed ends a page) or a
DOCX here, the same bytes each time. The works and the people in them are invented. Some documents hold
instructions to whoever reads them with a model.
"""

from __future__ import annotations

import io
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import Any

import docx
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

EXAMPLE = Path(__file__).resolve().parent.parent / "example"
A4_POINTS = (595, 842)
CELLS = " | "


def write_example(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for source in sorted(EXAMPLE.iterdir()):
        text = source.read_text(encoding="utf-8")
        target = folder / source.name.removesuffix(".txt")
        if source.name.endswith(".pdf.txt"):
            write_pdf(target, text.split("\f"))
        elif source.name.endswith(".docx.txt"):
            write_docx(target, text)
        else:
            (folder / source.name).write_text(text, encoding="utf-8")


def write_pdf(path: Path, pages: list[str], password: str | None = None) -> None:
    """Plain pages in Helvetica; Latin letters only."""
    writer = PdfWriter()
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
            NameObject("/Encoding"): NameObject("/WinAnsiEncoding"),
        }
    )
    for text in pages:
        page = writer.add_blank_page(*A4_POINTS)
        content = DecodedStreamObject()
        content.set_data(_drawn(text))
        fonts = DictionaryObject({NameObject("/F1"): font})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        page[NameObject("/Contents")] = writer._add_object(content)  # noqa: SLF001 - pypdf's way to add one
    if password is not None:
        writer.encrypt(password, algorithm="AES-256")
    writer.write(path)


def _drawn(text: str) -> bytes:
    """As PDF operators: a line of text per `T*`."""
    lines = [part for line in text.splitlines() for part in textwrap.wrap(line, 88) or [""]]
    escaped = (line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") for line in lines)
    shown = "\n".join(f"({line}) Tj T*" for line in escaped)
    return f"BT /F1 11 Tf 15 TL 56 780 Td\n{shown}\nET".encode("cp1252", "replace")


def write_docx(path: Path, text: str) -> None:
    """Paragraphs from blank lines; one whose lines have cells is a table."""
    document = docx.Document()
    for number, block in enumerate(text.strip().split("\n\n")):
        if number == 0:
            document.add_heading(block, 1)
        elif CELLS in block:
            rows = [line.split(CELLS) for line in block.splitlines()]
            table = document.add_table(len(rows), len(rows[0]))
            for row, cells in zip(table.rows, rows, strict=True):
                for cell, words in zip(row.cells, cells, strict=True):
                    cell.text = words
        else:
            document.add_paragraph(" ".join(block.splitlines()))
    _save(document, path)


def _save(document: Any, path: Path) -> None:
    """Without the time of day, which a zip keeps for each of its files."""
    content = io.BytesIO()
    document.save(content)
    with zipfile.ZipFile(content) as dated, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in dated.namelist():
            packed.writestr(zipfile.ZipInfo(name), dated.read(name), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    write_example(Path(sys.argv[1]))
