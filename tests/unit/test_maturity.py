"""Maturity facts: from installed metadata, and release dates from an index that a test answers for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.metadata import Distribution
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from cluster.cli import main
from cluster.maturity import keep_maturity, write_maturity
from cluster.workspace import Workspace
from runtime_envs.catalog import ENVIRONMENTS, FRAMEWORKS
from runtime_envs.installed import Installed, read_installed
from runtime_envs.maturity import describe_installed, distribution_facts, own_requirements
from runtime_envs.package_index import IndexUnreachable, PackageIndex, releases_of
from runtime_envs.pins import can_meet, conflicts_between
from shared.maturity import MATURITY_FILE, Maturity
from tests.unit.answering_server import Answer, AnsweringServer
from tests.unit.guide_experiment import facts_of, maturity_of

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def install(environment: Path, name: str, version: str = "1.0", *, size: int = 100, lines: str = "") -> None:
    """A distribution's metadata, as an installer leaves it."""
    folder = environment / "lib/python3.11/site-packages" / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True)
    text = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{lines}\n\nIts words.\n"
    (folder / "METADATA").write_text(text, encoding="utf-8")
    record = f'"{name}/a,b.py",sha256=x,{size}\n{name}/c.py,,\n'
    (folder / "RECORD").write_text(record, encoding="utf-8")


def installed(folder: Path, own: dict[str, str], **others: str) -> Installed:
    """Own distributions with their lines of metadata, and what else is there."""
    for name, lines in (own | others).items():
        install(folder, name, lines=lines)
    return read_installed(folder, [Requirement(name) for name in own])


def metadata(tmp_path: Path, lines: str, version: str = "1.0") -> Distribution:
    install(tmp_path, "thing", version, lines=lines)
    return read_installed(tmp_path, [Requirement("thing")]).own["thing"]


def test_everything_needed_is_counted_once(tmp_path: Path) -> None:
    """Needs of needs count, so does an asked extra; what only others need, and other platforms, do not."""
    install(
        tmp_path, "thing",
        lines="Requires-Dist: Needed_One>=1\nRequires-Dist: extra-one; extra == 'more'\n"
        "Requires-Dist: other-extra; extra == 'less'\nRequires-Dist: windows; sys_platform == 'win32'",
    )  # fmt: skip
    install(tmp_path, "needed-one", size=1000, lines="Requires-Dist: deep\nRequires-Dist: thing")
    for name in ("deep", "extra-one", "other-extra", "windows", "ray"):
        install(tmp_path, name, size=7)
    found = read_installed(tmp_path, [Requirement("thing[more]==1.0")])
    assert set(found.closure) == {"thing", "needed-one", "deep", "extra-one"}
    assert found.size_bytes == 100 + 1000 + 7 + 7


def test_odd_metadata_cost_nothing_else(tmp_path: Path) -> None:
    """A requirement that no one can read is passed over, a missing distribution is not there."""
    install(tmp_path, "thing", lines="Requires-Dist: ???\nRequires-Dist: gone>=3")
    found = read_installed(tmp_path, [Requirement("thing"), Requirement("absent")])
    assert list(found.closure) == ["thing"]
    assert list(found.own) == ["thing"]


@pytest.mark.parametrize(
    ("lines", "licence"),
    [
        ("License-Expression: MIT\nLicense: old words", "MIT"),
        (
            "License: MIT\nClassifier: License :: OSI Approved :: Apache Software License",
            "Apache Software License",
        ),
        ("License: BSD-3-Clause", "BSD-3-Clause"),
        ("License: The whole text\n        of a licence", None),
        ("", None),
    ],
)
def test_licence_as_stated(tmp_path: Path, lines: str, licence: str | None) -> None:
    """The expression before the classifiers before the free field; a whole text is no name."""
    assert distribution_facts(metadata(tmp_path, lines), None).licence == licence


@pytest.mark.parametrize(
    ("version", "pre_release", "below_one"),
    [("1.2.0", False, False), ("0.9.9", False, True), ("2.0.0rc1", True, False), ("1.0.dev3", True, False)],
)
def test_version_says_what_is_unfinished(
    tmp_path: Path, version: str, *, pre_release: bool, below_one: bool
) -> None:
    """Pre-releases by PEP 440, and 0.x as what it says of itself."""
    facts = distribution_facts(
        metadata(tmp_path, "Classifier: Development Status :: 4 - Beta", version), None
    )
    assert (facts.pre_release, facts.below_one, facts.status) == (pre_release, below_one, "Beta")


@pytest.mark.parametrize(
    ("a", "b", "meet"),
    [
        ("<3,>=2.30", "<4,>=3.0.0", False),
        ("<3,>=2.30", ">=2.45", True),
        (">=1.93", "<4,>=3", True),
        ("<2", "<3", True),
        ("~=2.11.9", ">=2.12", False),
        ("~=2.11", ">=2.12,<3", True),
        ("==1.5.*", ">1.4,!=1.5", True),
        ("==1.5", "!=1.5", False),
        (">1.0", "<1.0.1", True),
        ("", "==0.1rc1", True),
    ],
)
def test_ranges_that_meet(a: str, b: str, *, meet: bool) -> None:
    """Whether some version satisfies both, whatever the bounds are made of."""
    assert can_meet(SpecifierSet(a), SpecifierSet(b), []) is meet
    assert can_meet(SpecifierSet(b), SpecifierSet(a), []) is meet


def test_conflicts_are_named_from_both_sides(tmp_path: Path) -> None:
    """Two frameworks whose own pins on openai exclude each other conflict; a third conflicts with neither."""
    pins = {"old": "openai<3,>=2.30", "new": "openai<4,>=3", "lax": "openai>=1"}
    all_of = {
        name: installed(tmp_path / name, {name: f"Requires-Dist: {pin}"}, openai="")
        for name, pin in pins.items()
    }
    (found,) = conflicts_between("old", all_of)
    assert (found.framework, found.package, found.theirs) == ("new", "openai", "<4,>=3")
    assert [each.framework for each in conflicts_between("new", all_of)] == ["old"]
    assert conflicts_between("lax", all_of) == []


def page(**versions: str | None) -> dict[str, Any]:
    """An index's page with a wheel and a source archive of each version."""
    files = [
        {"filename": filename, **({"upload-time": at} if at else {})}
        for version, at in ((name.removeprefix("v").replace("_", "."), at) for name, at in versions.items())
        for filename in (f"my_thing-{version}-py3-none-any.whl", f"my-thing-{version}.tar.gz")
    ]
    return {"files": files}


def test_releases_of_a_page() -> None:
    """Dates are of the first file; the newest is neither yanked nor a pre-release; a year is counted back."""
    found = page(
        v1_0="2025-01-02T03:04:05Z", v1_1="2025-07-01T00:00:00.123Z", v1_2="2026-05-01T00:00:00Z",
        v2_0rc1="2026-05-02T00:00:00Z", v1_3="2026-05-03T00:00:00Z",
    )  # fmt: skip
    for file in found["files"]:
        if "1.3" in file["filename"]:
            file["yanked"] = "broken"
    found["files"] += [{"filename": "nonsense.exe", "upload-time": "2026-05-05T00:00:00Z"}, {}]
    releases = releases_of(found, "1.1", NOW)
    assert (releases.released_at, releases.newest, releases.newest_released_at) == (
        "2025-07-01", "1.2", "2026-05-01",
    )  # fmt: skip
    assert (releases.in_12_months, releases.pre_releases_in_12_months) == (3, 1)


def test_an_index_without_times() -> None:
    """Where an index keeps no times there are versions and no dates, not zero releases."""
    releases = releases_of(page(v1_0=None, v1_1=None), "1.0", NOW)
    assert releases.newest == "1.1"
    assert (releases.released_at, releases.newest_released_at, releases.in_12_months) == (None, None, None)


def test_the_index_that_uv_uses_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address comes from uv's own settings, JSON is asked for, and its answer is in the facts."""
    found = installed(tmp_path, {"my-thing": ""})
    with AnsweringServer() as server:
        server.answers["GET /simple/my-thing/"] = Answer(page(v1_0="2026-05-01T00:00:00Z"))
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"{server.origin}/simple")
        facts = describe_installed({"crewai": found}, [], ask_index=True)
        assert server.lines() == ["GET /simple/my-thing/"]
        assert "json" in str(server.asked[0].headers["Accept"])
    assert facts.index == "asked"
    releases = facts.frameworks["crewai"].distributions[0].releases
    assert releases is not None
    assert releases.released_at == "2026-05-01"


@pytest.mark.parametrize("answer", [Answer(b"<html>"), Answer({}, 500), Answer([])])
def test_an_index_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    """No dates and a note without any address; what is installed is told all the same."""
    found = installed(tmp_path, {"my-thing": ""})
    with AnsweringServer() as server:
        server.answers["GET /simple/my-thing/"] = answer
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"{server.origin}/simple")
        facts = describe_installed({"crewai": found}, [], ask_index=True)
    assert facts.index == "not_reachable"
    assert facts.frameworks["crewai"].distributions[0].releases is None
    assert "could not be asked" in facts.notes[0]
    assert "127.0.0.1" not in facts.model_dump_json()


def test_no_index_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where uv may use none, none is asked; and one that is gone is said to be."""
    with monkeypatch.context() as without:
        without.setenv("UV_NO_INDEX", "1")
        with pytest.raises(IndexUnreachable, match="no package index"):
            PackageIndex.configured()
    with pytest.raises(IndexUnreachable, match="no connection"):
        PackageIndex("http://127.0.0.1:9/simple").releases("x", "1", NOW)


def test_a_package_that_the_index_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no releases, and the others' are asked for."""
    found = installed(tmp_path, {"absent": "", "my-thing": ""})
    with AnsweringServer() as server:
        server.answers["GET /simple/my-thing/"] = Answer(page(v1_0="2026-05-01T00:00:00Z"))
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"{server.origin}/simple")
        facts = describe_installed({"crewai": found}, [], ask_index=True)
    assert [each.releases is None for each in facts.frameworks["crewai"].distributions] == [True, False]


def test_an_address_with_a_password_is_kept_out_of_sight() -> None:
    """An index may be set with credentials: they are in no text of the object."""
    assert "secret" not in repr(PackageIndex("https://user:secret@index.invalid/simple"))


def test_own_requirements_are_those_of_pyproject() -> None:
    """Every framework has some, the floor has none, and each is in its lock; Ray is not one of them."""
    for name, framework in FRAMEWORKS.items():
        own = own_requirements(name)
        assert bool(own) == (framework.environment != "plain")
        lock = ENVIRONMENTS[framework.environment].lock.read_text(encoding="utf-8")
        for each in own:
            assert each.name != "ray"
            assert f"{each.name}{each.specifier}" in lock


def workspace(folder: Path, frameworks: list[str]) -> tuple[Workspace, list[str]]:
    """As much of one as the gathering uses, and what is said in it."""
    said: list[str] = []
    plan = SimpleNamespace(frameworks=frameworks)
    work = SimpleNamespace(
        store=SimpleNamespace(folder=folder),
        experiment=SimpleNamespace(plan=plan),
        progress=SimpleNamespace(warn=said.append),
    )
    return cast("Workspace", work), said


def test_a_run_gathers_what_needs_no_network(tmp_path: Path) -> None:
    """The file is there after a run, with the index not asked; facts already there stay as they are."""
    work, said = workspace(tmp_path, ["direct"])
    keep_maturity(work)
    facts = Maturity.model_validate_json((tmp_path / MATURITY_FILE).read_bytes())
    assert (facts.index, facts.frameworks, said) == ("not_asked", {}, [])
    write_maturity(tmp_path / MATURITY_FILE, maturity_of({"crewai": facts_of()}))
    keep_maturity(work)
    assert "crewai" in json.loads((tmp_path / MATURITY_FILE).read_text())["frameworks"]


def test_gathering_never_fails_a_run(tmp_path: Path) -> None:
    """Facts that cannot be written are a warning."""
    (tmp_path / "file").write_text("x")
    work, said = workspace(tmp_path / "file" / "folder", ["direct"])
    keep_maturity(work)
    assert len(said) == 1
    assert "could not be gathered" in said[0]


def test_command_without_any_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing installed is the user's to mend: exit code 2, and the command that installs."""
    monkeypatch.setenv("LEVELFIELD_CACHE", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as ended:
        main(["maturity", "--offline"])
    assert ended.value.code == 2
    assert "levelfield envs build" in capsys.readouterr().err
