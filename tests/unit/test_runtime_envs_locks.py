"""The locks and the catalogue."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from runtime_envs.catalog import ENVIRONMENTS, FRAMEWORKS, ROOT, environment, framework, process_variables
from shared.errors import SettingsError

LOCKED = re.compile(r"^([a-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


def _versions(name: str) -> dict[str, str]:
    return dict(LOCKED.findall(ENVIRONMENTS[name].lock.read_text(encoding="utf-8")))


def test_ray_is_the_same_in_every_environment_that_has_it() -> None:
    """Driver and workers must run one version of Ray, so no lock may name another."""
    versions = {name: _versions(name).get("ray") for name in ENVIRONMENTS}
    kinds = {name: ENVIRONMENTS[name].kind for name in ENVIRONMENTS}
    assert {versions[name] for name in kinds if kinds[name] in {"framework", "project"}} == {"2.60.0"}
    assert {versions[name] for name in kinds if kinds[name] in {"server", "model", "peer"}} == {None}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_lock_names_no_address(name: str) -> None:
    """A lock holds names, versions and hashes only: no host, index, path or command."""
    for line in ENVIRONMENTS[name].lock.read_text(encoding="utf-8").splitlines():
        assert "://" not in line
        assert not line.startswith(("-", "/", "#"))
        assert " @ " not in line


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_locked_package_has_a_hash(name: str) -> None:
    """Each package is followed by at least one sha256."""
    text = ENVIRONMENTS[name].lock.read_text(encoding="utf-8")
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)
    assert blocks[1:]
    for block in blocks[1:]:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block[:80]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_lock_holds_what_its_group_pins(name: str) -> None:
    """Whatever pyproject.toml pins exactly for an environment stands so in its lock."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    locked = _versions(name)
    for wanted in groups[ENVIRONMENTS[name].group]:
        if isinstance(wanted, str) and "==" in wanted:
            package, version = wanted.split("==")
            assert locked[package.split("[")[0]] == version


def test_every_framework_has_a_folder_and_an_environment() -> None:
    """The catalogue, the folders in frameworks/ and the environments name the same things."""
    folders = {path.parent.name for path in (ROOT / "frameworks").glob("*/adapter.py")}
    assert folders == set(FRAMEWORKS)
    assert {row.environment for row in FRAMEWORKS.values()} == {
        row.name for row in ENVIRONMENTS.values() if row.kind == "framework"
    }


def test_unknown_name_is_answered_with_the_nearest() -> None:
    """A misspelt framework or environment is the user's mistake, and the message names the right one."""
    with pytest.raises(SettingsError, match='Did you mean "langgraph"'):
        framework("langraph")
    with pytest.raises(SettingsError, match='Did you mean "llamacpp"'):
        environment("llamacp")


def test_frameworks_write_below_the_runs_own_folder(tmp_path: Path) -> None:
    """Every folder variable points below the run's scratch folder, and HOME is left alone."""
    variables = process_variables(framework("crewai"), tmp_path)
    assert variables["CREWAI_STORAGE_DIR"].startswith(str(tmp_path))
    assert all(v.startswith(str(tmp_path)) for k, v in variables.items() if k.startswith("XDG_"))
    assert "HOME" not in variables
    assert variables["CREWAI_DISABLE_TELEMETRY"] == "true"


def test_where_our_traces_go_is_kept_from_frameworks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint and its key, set for Levelfield's own traces, are empty in a framework's process."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=planted-key")
    variables = process_variables(framework("langgraph"), tmp_path)
    assert variables["OTEL_EXPORTER_OTLP_ENDPOINT"] == variables["OTEL_EXPORTER_OTLP_HEADERS"] == ""
    assert "planted-key" not in str(variables)
