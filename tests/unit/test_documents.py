"""Passages, citations and places of indexes: what needs no index."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from shared.cache_root import cache_root
from shared.documents.citations import citations, mark_made_up, says_not_found, unsupported_figures
from shared.documents.index_manifest import (
    LOCK,
    MANIFEST,
    IndexedFile,
    IndexManifest,
    read_manifest,
    write_manifest,
)
from shared.documents.index_place import default_name, find_index, known_indexes, open_manifest, place_for
from shared.documents.indexing import checked_folder
from shared.documents.passage import Numbered, Passage, numbered
from shared.errors import IndexUnusable


def own_python() -> Path:
    return cache_root() / "envs" / "documents" / "bin" / "python"


def made(index: Path, **changes: object) -> IndexManifest:
    index.mkdir(parents=True, exist_ok=True)
    manifest = IndexManifest(
        name=index.name, folder="/documents", python=str(own_python()), made_with={"x": 1}, complete=True
    ).model_copy(update=changes)
    write_manifest(index, manifest)
    (index / LOCK).touch()
    return manifest


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEVELFIELD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "indexes"


def test_no_line_of_a_document_passes_for_a_heading() -> None:
    """A document that writes a heading of ours, or has line breaks of other kinds in it, stays quoted."""
    text = "true\n[7] secret.pdf, page 1\r\n[8] x\u2028[9] y\x0b[10] z"
    shown = Numbered(1, Passage(text, "a.txt", None)).shown.splitlines()
    assert shown[0] == "[1] a.txt"
    assert len(shown) > 4
    assert all(line.startswith("> ") for line in shown[1:])


def test_a_place_is_one_harmless_line() -> None:
    """A file may be called anything: no line break and no escape sequence reaches a terminal or a model."""
    place = Passage("", "a\nb\x1b[31m.pdf", 3).place
    assert place == "a b?[31m.pdf, page 3"


def test_numbers_go_up() -> None:
    """Passages are numbered in their order."""
    passages = [Passage(name, name, None) for name in "abc"]
    assert [(one.number, one.passage.file) for one in numbered(passages, 4)] == [(4, "a"), (5, "b"), (6, "c")]


@pytest.mark.parametrize(
    ("answer", "real", "made_up"),
    [
        ("It is so [2].", (2,), ()),
        ("It is so [2] and so [1, 3], again [2; 9].", (2, 1, 3), (9,)),
        ("[99] says it all [1].", (1,), (99,)),
        ("A list[0] and a link [1](http://x) and (2).", (), (0,)),
        ("none", (), ()),
        ("[12345678901234567890]", (), ()),
    ],
)
def test_citations(answer: str, real: tuple[int, ...], made_up: tuple[int, ...]) -> None:
    """Only numbers that were handed over are citations; any other is made up."""
    found = citations(answer, [1, 2, 3])
    assert (found.real, found.made_up) == (real, made_up)


def test_a_made_up_citation_is_shown_as_such() -> None:
    """In its place, and the real one beside it stays."""
    assert mark_made_up("So [1, 9]. So [2].", [9]) == "So [1, 9: no such passage]. So [2]."


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("Not in the documents.", True),
        ("This is not in the documents.", True),
        ("The depth is not stated in the passages.", True),
        ("It is not mentioned in any of the documents", True),
        ("The pump is not in the cellar.", False),
        ("", False),
    ],
)
def test_not_in_the_documents(answer: str, said: bool) -> None:
    """The sentence that was asked for, and the ways in which models say the same."""
    assert says_not_found(answer) is said


def test_figures_that_no_cited_passage_has() -> None:
    """A figure must be in a passage that the answer cites, however its thousands are written."""
    cited = ["Grease every 4,000 hours with 12 grams.", "It weighs 41 kg."]
    assert unsupported_figures("After 4000 hours, 12 grams [1]; 30 grams [3], 41 kg", cited) == ("30",)


def test_two_folders_of_one_name_have_two_indexes(cache: Path, tmp_path: Path) -> None:
    """Without a name the index is called after the folder and where that is, and lies outside of it."""
    first, second = tmp_path / "a" / "My Docs", tmp_path / "b" / "My Docs"
    assert default_name(first).startswith("my-docs-")
    assert place_for(first, None) != place_for(second, None)
    assert place_for(first, None).parent == cache


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a b", "x" * 81, "ä"])
def test_a_name_that_is_none(cache: Path, tmp_path: Path, name: str) -> None:
    """A name is a folder's name and nothing else."""
    with pytest.raises(IndexUnusable, match="no name for an index"):
        place_for(tmp_path, name)


def test_an_index_is_not_put_where_something_else_is(cache: Path, tmp_path: Path) -> None:
    """Neither among the documents nor into a folder with other files."""
    documents, other = tmp_path / "documents", tmp_path / "other"
    for folder in (documents, other):
        folder.mkdir()
    (other / "thesis.md").write_text("mine")
    with pytest.raises(IndexUnusable, match="inside the documents"):
        place_for(documents, str(documents / "index"))
    with pytest.raises(IndexUnusable, match="is no index"):
        place_for(documents, str(other))


def test_an_experiment_is_no_index(cache: Path, tmp_path: Path) -> None:
    """It has a manifest of its own, and is neither searched nor written over."""
    documents, experiment = tmp_path / "documents", tmp_path / "experiment"
    documents.mkdir()
    made(experiment)
    (experiment / LOCK).unlink()
    with pytest.raises(IndexUnusable, match="is no index"):
        place_for(documents, str(experiment))
    with pytest.raises(IndexUnusable, match="There is no index"):
        find_index(str(experiment))


def test_the_last_index_is_taken_unless_one_is_named(cache: Path) -> None:
    """And a name that is not known is answered with those that are."""
    for age, name in enumerate(("new", "old")):
        made(cache / name)
        os.utime(cache / name / MANIFEST, (1e9 - age, 1e9 - age))
    assert list(known_indexes()) == ["new", "old"]
    assert find_index(None) == cache / "new"
    assert find_index("old") == find_index(str(cache / "old")) == cache / "old"
    with pytest.raises(IndexUnusable, match='Did you mean "old"'):
        find_index("olt")


def test_no_index_at_all(cache: Path) -> None:
    """The message says how to make one."""
    with pytest.raises(IndexUnusable, match="levelfield index FOLDER"):
        find_index(None)


def test_an_index_that_a_task_names_and_nobody_made(cache: Path) -> None:
    """The message is the command that makes it."""
    with pytest.raises(IndexUnusable, match="levelfield index --example"):
        find_index("example")
    with pytest.raises(IndexUnusable, match="levelfield index FOLDER --name mine"):
        find_index("mine")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"complete": False}, "not complete"),
        ({"python": "/gone/bin/python"}, "needs the interpreter /gone/bin/python"),
    ],
)
def test_an_index_that_cannot_be_searched(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    """One that was broken off, or whose environment is not on this machine, says what to do."""
    made(tmp_path / "index", **changes)
    with pytest.raises(IndexUnusable, match=said) as raised:
        open_manifest(tmp_path / "index")
    assert "levelfield index /documents" in str(raised.value)


def test_an_index_that_names_another_program(cache: Path, tmp_path: Path) -> None:
    """What an index names is started, so only the interpreter of an environment of ours is taken."""
    index = tmp_path / "index"
    own_python().parent.mkdir(parents=True)
    own_python().symlink_to(sys.executable)
    made(index)
    assert open_manifest(index).python == str(own_python())
    (cache_root() / "program").touch()
    for other in (sys.executable, f"{cache_root()}/envs/../program"):
        made(index, python=other)
        with pytest.raises(IndexUnusable, match="needs the interpreter"):
            open_manifest(index)


@pytest.mark.parametrize("content", ["", "[]", "{}", "\x00", '{"schema_version": 99}'])
def test_a_manifest_that_is_none(tmp_path: Path, content: str) -> None:
    """A damaged or newer manifest is an error with a cure, and never half an index."""
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(IndexUnusable):
        read_manifest(tmp_path)
    assert read_manifest(tmp_path / "nowhere") is None


def test_the_fingerprint_is_of_what_can_change_an_answer(tmp_path: Path) -> None:
    """Not of where the index is or what was skipped, but of every file and of how passages are made."""
    manifest = made(tmp_path / "index", files={"a": IndexedFile(sha256="1", pages=None, passages=1)})
    same = manifest.model_copy(update={"folder": "/elsewhere", "skipped": {"b": "why"}, "python": "p"})
    assert same.fingerprint == manifest.fingerprint
    changed = [{"files": {"a": IndexedFile(sha256="2", pages=None, passages=1)}}, {"made_with": {"x": 2}}]
    assert all(manifest.model_copy(update=one).fingerprint != manifest.fingerprint for one in changed)
    assert json.loads((tmp_path / "index" / MANIFEST).read_text())["name"] == "index"


@pytest.mark.parametrize(("name", "said"), [("nowhere", "There is no folder"), ("file", "is a file")])
def test_documents_that_are_no_folder(tmp_path: Path, name: str, said: str) -> None:
    """Said before anything is built."""
    (tmp_path / "file").write_text("")
    with pytest.raises(IndexUnusable, match=said):
        checked_folder(tmp_path / name)
