"""A framework in a version that a plan states: its name, its lock, its environment, its title."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest
import yaml

from cluster.experiment import describe_experiment, read_plan
from cluster.versions import keep_locks, moved_note, titles_of, version_locks
from runtime_envs.build import BuiltEnvironment, available
from runtime_envs.catalog import ENVIRONMENTS, FRAMEWORKS, framework
from runtime_envs.preflight import preflight
from runtime_envs.versions import environment_of, moved_packages, requirements, resolve
from shared.errors import EnvironmentFailed, PlanError, SettingsError
from shared.plan import Plan, framework_of, ordered_runs
from shared.settings import load_settings
from shared.versions import split_version, version_shown, versioned_name

TASKS = [{"name": "company_research", "items": ["stripe"]}]


@pytest.mark.parametrize(
    ("written", "name", "specifier", "shown"),
    [
        ("langgraph", "langgraph", "", ""),
        ("langgraph==1.1.*", "langgraph@1.1.x", "==1.1.*", "1.1.*"),
        ("langgraph == 1.1.10", "langgraph@1.1.10", "==1.1.10", "1.1.10"),
        ("crewai>=1,<1.15", "crewai@below1.15-from1", "<1.15,>=1", "<1.15,>=1"),
        ("crewai~=1.14.0rc1", "crewai@about1.14.0rc1", "~=1.14.0rc1", "~=1.14.0rc1"),
        ("openai_agents!=0.24.0", "openai_agents@not0.24.0", "!=0.24.0", "!=0.24.0"),
    ],
)
def test_a_version_in_a_plan_and_its_name(written: str, name: str, specifier: str, shown: str) -> None:
    """A specifier becomes a name that file names can hold, which says the same and stays as it is."""
    assert versioned_name(written) == name
    assert versioned_name(name) == name
    assert split_version(name)[1] == specifier
    assert version_shown(name) == shown
    assert not set(name) & set("/\\*<>|:\"?' ")


@pytest.mark.parametrize(
    "written",
    [
        "langgraph==",
        "langgraph===1.1",
        "langgraph==1!2",
        "langgraph==1.1+cpu",
        "langgraph@../x",
        "langgraph=1.1",
    ],
)
def test_what_is_no_version(written: str) -> None:
    """A specifier that is none, or that no file name can hold, is refused with its own words quoted."""
    with pytest.raises(ValueError, match=written.split("=", 1)[0].split("@", 1)[0]):
        versioned_name(written)


def test_a_plan_with_two_versions() -> None:
    """Each version is a column of its own in the same blocks, also against itself, and none counts twice."""
    plan = Plan.model_validate(
        {
            "name": "p",
            "frameworks": ["direct", "langgraph", "langgraph==1.1.*"],
            "aa": "langgraph==1.1.*",
            "tasks": TASKS,
        }
    )
    assert plan.subjects == ["direct", "langgraph", "langgraph@1.1.x", "langgraph@1.1.x-aa"]
    assert Plan.model_validate(plan.model_dump(mode="json")) == plan
    (block,) = ordered_runs(plan)
    assert sorted(key.framework for key in block) == sorted(plan.subjects)
    assert framework_of("langgraph@1.1.x-aa") == "langgraph@1.1.x"
    with pytest.raises(ValueError, match="more than once: langgraph@"):
        Plan.model_validate(
            {"name": "p", "frameworks": ["langgraph==1.1.*", "langgraph ==1.1.*"], "tasks": TASKS}
        )


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("langchain==1.2.*", 'Unknown framework "langchain"'),
        ("langgraf==1.2.*", 'Did you mean "langgraph"'),
        ("openai-agents==0.23.*", "write openai_agents==0.23"),
        ("autogen-agentchat==0.7.4", "write autogen==0.7.4"),
        ("direct==1.0", "has no versions"),
    ],
)
def test_another_package_than_the_frameworks_own(written: str, message: str) -> None:
    """A version of what is no framework is the plan's mistake, and the message says what to write."""
    plan = Plan.model_validate({"name": "p", "frameworks": [written], "tasks": TASKS})
    with pytest.raises(PlanError, match=message):
        version_locks(plan, None)


def test_a_version_is_the_same_framework_elsewhere() -> None:
    """The adapter and the telemetry switches are the framework's; the environment is its own."""
    pinned, older = framework("langgraph"), framework("langgraph@1.1.x")
    assert (older.adapter, older.telemetry_off) == (pinned.adapter, pinned.telemetry_off)
    assert (older.title, older.environment) == ("LangGraph 1.1.*", "langgraph@1.1.x")
    with pytest.raises(SettingsError, match="has no versions"):
        framework("scripted@1.0")


@pytest.mark.parametrize("name", [name for name, row in FRAMEWORKS.items() if row.package])
def test_what_a_version_is_resolved_from(name: str) -> None:
    """The framework's own package has the stated version, Ray its pin, and the rest of the group is free."""
    wishes = requirements(framework(f"{name}@0.1.x"), ENVIRONMENTS[FRAMEWORKS[name].environment].group)
    assert f"{FRAMEWORKS[name].package}==0.1.*" in wishes
    assert "ray==2.60.0" in wishes
    others = [wish for wish in wishes if not wish.startswith((FRAMEWORKS[name].package, "ray=="))]
    assert not any("==" in wish for wish in others)


# --- resolving, with the real uv on an index of made-up wheels -------------------------------------


def wheel(folder: Path, name: str, version: str, *needs: str) -> None:
    """Put into a simple index (PEP 503) of files."""
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    needed = "".join(f"Requires-Dist: {need}\n" for need in needs)
    page = folder / name / "index.html"
    page.parent.mkdir(exist_ok=True)
    file = page.with_name(f"{stem}-py3-none-any.whl")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    links = page.read_text() if page.exists() else ""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    page.write_text(f'{links}<a href="{file.name}#sha256={digest}">{file.name}</a>\n')


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As the real one: the newest langchain needs the newest langgraph."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", (tmp_path / "wheels").as_uri())
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    monkeypatch.setenv("LEVELFIELD_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "wheels"
    folder.mkdir()
    wheel(folder, "ray", "2.60.0")
    wheel(folder, "ray", "2.61.0")
    for version in ("1.1.3", "1.1.4", "1.2.22"):
        wheel(folder, "langgraph", version)
    wheel(folder, "langchain", "1.2.0", "langgraph<1.2")
    wheel(folder, "langchain", "1.4.7", "langgraph>=1.2")
    wheel(folder, "langchain-openai", "1.7.3")
    return folder


def test_a_version_is_resolved_once(index: Path) -> None:
    """The newest that fits the specifier, with hashes and no address, kept although a newer one appears."""
    said: list[str] = []
    lock = resolve("langgraph@1.1.x", on_progress=said.append)
    locked = [line.split(" ")[0] for line in lock.splitlines() if "==" in line]
    assert locked == ["langchain==1.2.0", "langchain-openai==1.7.3", "langgraph==1.1.4", "ray==2.60.0"]
    assert lock.count(" \\\n    --hash=sha256:") >= len(locked)
    assert all(line.startswith("    --hash=") for line in lock.splitlines() if "==" not in line)
    assert "://" not in lock
    assert str(index) not in lock
    assert said
    wheel(index, "langgraph", "1.1.5")
    assert resolve("langgraph@1.1.x") == lock
    assert "langgraph==1.1.5" in resolve("langgraph@1.1.x", again=True)


def test_what_else_moved_is_told(index: Path) -> None:
    """A note names each package that differs from the framework's own environment, but not the framework."""
    lock = resolve("langgraph@1.1.x")
    moved = moved_packages("langgraph@1.1.x", lock)
    assert "langchain 1.2.0 (1.4.7)" in moved
    assert not any(text.startswith(("langgraph ", "ray ", "langchain-openai ")) for text in moved)
    assert "langchain 1.2.0 (1.4.7)" in (moved_note("LangGraph 1.1.4", "langgraph@1.1.x", lock) or "")
    own = ENVIRONMENTS["langgraph"].lock.read_text(encoding="utf-8")
    assert moved_note("LangGraph", "langgraph@1.2.22", own) is None


@pytest.mark.usefixtures("index")
def test_a_version_that_nothing_has() -> None:
    """The plan is refused with uv's reason, in one line and without a traceback."""
    with pytest.raises(
        PlanError, match=r"^langgraph==9\.9\.\*: no set of packages has it\. uv: Because .*9\.9"
    ):
        resolve("langgraph@9.9.x")


def test_an_experiment_keeps_its_lock(index: Path, tmp_path: Path) -> None:
    """A resume installs what was installed, whatever the index says now, and has the same identity."""
    plan_file = tmp_path / "plan.yaml"
    plan_file.write_text(yaml.safe_dump({"name": "p", "frameworks": ["langgraph==1.1.*"], "tasks": TASKS}))
    plan, settings = read_plan(plan_file), load_settings({})
    locks = version_locks(plan, tmp_path / "out")
    keep_locks(tmp_path / "out", locks)
    wheel(index, "langgraph", "1.1.5")
    assert version_locks(plan, tmp_path / "out") == locks
    newer = version_locks(plan, None, again=True)
    assert newer != locks
    first, other = (describe_experiment(plan, settings, found) for found in (locks, newer))
    assert first.identity["environment: langgraph@1.1.x"] != other.identity["environment: langgraph@1.1.x"]
    assert first.name != other.name


@pytest.mark.usefixtures("index")
def test_a_lock_put_on_a_node_is_an_environment() -> None:
    """What is installed is decided by the lock's text: the same text is the same place, wherever it came from."""
    one, same, other = (environment_of("langgraph@1.1.x", text) for text in ("a==1\n", "a==1\n", "a==2\n"))
    assert one.lock.read_text(encoding="utf-8") == "a==1\n"
    assert one == same
    assert one.lock != other.lock
    assert environment_of("langgraph", None) == ENVIRONMENTS["langgraph"]


def test_an_adapter_that_does_not_work_with_a_version(tmp_path: Path) -> None:
    """The version is refused before any run, and the message names the adapter rather than a broken folder."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho \"ImportError: cannot import name 'create_agent'\"\nexit 1\n")
    python.chmod(0o755)
    built = BuiltEnvironment("langgraph@0.9.x", python, "0", tmp_path, 0, 0.0, reused=True)
    with pytest.raises(EnvironmentFailed, match="create_agent") as caught:
        preflight("langgraph@0.9.x", built)
    assert "LangGraph 0.9.*" in str(caught.value)
    assert "frameworks.langgraph.adapter may not work with this version" in str(caught.value)


def test_titles_have_the_exact_version_where_there_are_several() -> None:
    """Two columns of one framework are told apart by what is installed; a single one keeps its plain title."""
    found = {
        "direct": ("Direct", {"ray": "2.60.0"}),
        "crewai": ("CrewAI", {"crewai": "1.15.30"}),
        "langgraph": ("LangGraph", {"langgraph": "1.2.22"}),
        "langgraph@1.1.x": ("LangGraph 1.1.*", {"langgraph": "1.1.10"}),
    }
    assert titles_of(found) == {
        "direct": "Direct", "crewai": "CrewAI", "langgraph": "LangGraph 1.2.22", "langgraph@1.1.x": "LangGraph 1.1.10",
    }  # fmt: skip


def test_the_shipped_plan_with_two_versions() -> None:
    """plans/versions.yaml has two versions of one framework, the floor, a noise floor, and items enough to gate."""
    plan = read_plan(Path("plans/versions.yaml"))
    assert len({split_version(name)[0] for name in plan.frameworks}) == len(plan.frameworks) - 1
    assert "direct" in plan.frameworks
    assert plan.aa
    assert len(plan.tasks[0].items) >= 5
    locks = {name: "" for name in plan.frameworks if split_version(name)[1]}
    describe_experiment(plan, load_settings({}), locks)


@pytest.mark.usefixtures("index")
def test_environments_of_versions_are_listed(tmp_path: Path) -> None:
    """What takes space in the cache is in `levelfield envs list`, also where the catalogue does not have it."""
    folder = tmp_path / "envs" / "langgraph@1.1.x-0123456789ab"
    folder.mkdir(parents=True)
    note = {"lock_sha256": "0", "python": "3.11", "size_bytes": 7, "build_s": 1.0}
    (folder / "levelfield.json").write_text(json.dumps(note))
    (state,) = (state for state in available(tmp_path) if "@" in state.name)
    assert (state.name, state.built, state.size_bytes, state.path) == ("langgraph@1.1.x", True, 7, folder)
