"""Settings come from the command line, the environment, .env and the plan, in this order."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import SettingsError
from shared.settings import load_settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("LLM_MODEL", "JUDGE_MODEL", "CONTEXT_LENGTH", "TRACE_CONTENT"):
        monkeypatch.delenv(f"LEVELFIELD_{name}", raising=False)


def test_precedence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each source gives way to the one before it, and a command line's None counts as not given."""
    plan = {"llm_model": "openai:plan"}
    assert load_settings().llm_model == "llamacpp:smollm2-135m"
    assert load_settings({"llm_model": None}, plan).llm_model == "openai:plan"
    (tmp_path / ".env").write_text("LEVELFIELD_LLM_MODEL=openai:dotenv\nSOMEBODY_ELSES=1\n")
    assert load_settings({}, plan).llm_model == "openai:dotenv"
    monkeypatch.setenv("LEVELFIELD_LLM_MODEL", "openai:environment")
    assert load_settings({}, plan).llm_model == "openai:environment"
    assert load_settings({"llm_model": "openai:flag"}, plan).llm_model == "openai:flag"


@pytest.mark.parametrize("source", ["plan", "environment", ".env"])
def test_an_unknown_key_names_the_nearest(
    source: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A misspelt key is an error from every source."""
    if source == "environment":
        monkeypatch.setenv("LEVELFIELD_LLM_MODLE", "x")
    if source == ".env":
        (tmp_path / ".env").write_text("LEVELFIELD_LLM_MODLE=x\n")
    plan = {"llm_modle": "x"} if source == "plan" else {}
    with pytest.raises(SettingsError, match='Did you mean "llm_model"'):
        load_settings({}, plan)


def test_a_bad_value_is_named() -> None:
    """The message names the setting and what is wrong with it."""
    with pytest.raises(SettingsError, match="context_length"):
        load_settings({}, {"context_length": 3})


def test_keys_stay_out_of_plans_and_manifests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan with a key is refused, and a key from the environment shows nowhere."""
    with pytest.raises(SettingsError, match="LEVELFIELD_LLM_API_KEY"):
        load_settings({}, {"llm_api_key": "sk-planted"})
    monkeypatch.setenv("LEVELFIELD_LLM_API_KEY", "sk-planted")
    settings = load_settings()
    assert "sk-planted" not in f"{settings!r} {settings.public} {settings.identity}"


def test_a_key_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file's one line is the key, for the model and the judge alike; where it stands goes nowhere."""
    for name in ("llm", "judge"):
        file = tmp_path / f"{name} key"
        file.write_text(f"sk-planted-{name}\n")
        monkeypatch.setenv(f"LEVELFIELD_{name.upper()}_API_KEY_FILE", str(file))
    settings = load_settings()
    assert settings.llm_api_key
    assert settings.judge_api_key
    assert settings.llm_api_key.get_secret_value() == "sk-planted-llm"
    assert settings.judge_api_key.get_secret_value() == "sk-planted-judge"
    assert "sk-planted" not in f"{settings!r} {settings.public} {settings.identity}"
    assert not [name for name in settings.public if "api_key" in name]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file"),
        (b"", "holds no key"),
        (b"sk-planted\nsecond line", "holds no key"),
        (b"sk-planted-\xff", "holds no key"),
        (b"sk-planted" * 2000, "holds no key"),
    ],
    ids=["missing", "empty", "two lines", "binary", "too long"],
)
def test_a_key_file_that_holds_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, message: str
) -> None:
    """The message names the variable and the file, and shows nothing of what stands in it."""
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("LEVELFIELD_LLM_API_KEY_FILE", str(file))
    with pytest.raises(
        SettingsError, match=f"LEVELFIELD_LLM_API_KEY_FILE is {file}, which .*{message}"
    ) as caught:
        load_settings()
    assert "sk-planted" not in str(caught.value)


def test_a_key_and_a_file_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two places for one key are refused: which of them is meant could not be told."""
    (tmp_path / "key").write_text("sk-planted")
    monkeypatch.setenv("LEVELFIELD_LLM_API_KEY", "sk-other")
    monkeypatch.setenv("LEVELFIELD_LLM_API_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(SettingsError, match="are both set: keep one"):
        load_settings()


@pytest.mark.parametrize(
    "key",
    ["llm_api_key", "judge_api_key", "llm_api_key_file", "judge_api_key_file", "vllm_python", "ray_address"],
)
def test_what_no_plan_may_state(key: str) -> None:
    """A plan comes from others: it holds no key, has no file read for one, and names no program to run."""
    with pytest.raises(SettingsError, match=f"does not belong in a plan file: set LEVELFIELD_{key.upper()}"):
        load_settings({}, {key: "/bin/sh"})


def test_a_vllm_of_ours_is_part_of_the_identity(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """How it is started can change a run; where its interpreter is cannot."""
    plan = {"llm_model": "vllm:m", "vllm_prefix_caching": True, "vllm_tool_call_parser": "hermes"}
    assert "vllm_prefix_caching" not in load_settings({}, plan).identity
    monkeypatch.setenv("LEVELFIELD_VLLM_PYTHON", str(tmp_path / "python"))
    identity = load_settings({}, plan).identity
    assert (identity["vllm_prefix_caching"], identity["vllm_tool_call_parser"]) == (True, "hermes")
    assert str(tmp_path) not in f"{identity}"
    assert "vllm_python" not in load_settings({}, plan).public
    with pytest.raises(SettingsError, match="vllm_tool_call_parser"):
        load_settings({}, {"vllm_tool_call_parser": "hermes --port=1"})


def test_a_panel_of_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judges stand in a plan's list or with commas in the environment; the first is the main one."""
    plan = {"judge_model": ["llamacpp:smollm2-135m", "openai:b"]}
    settings = load_settings({}, plan)
    assert settings.panel == ("llamacpp:smollm2-135m", "openai:b")
    assert settings.judge == "llamacpp:smollm2-135m"
    again = load_settings({}, {name: value for name, value in settings.public.items() if value is not None})
    assert again.panel == settings.panel
    monkeypatch.setenv("LEVELFIELD_JUDGE_MODEL", " openai:c , openai:d,")
    assert load_settings({}, plan).panel == ("openai:c", "openai:d")
    monkeypatch.setenv("LEVELFIELD_JUDGE_MODEL", "")
    assert load_settings({}, plan).panel == ("llamacpp:smollm2-135m",)
    with pytest.raises(SettingsError, match="named more than once: openai:c"):
        load_settings({"judge_model": "openai:c,openai:c"})
    assert load_settings({"judge_model": "openai:c"}).identity == load_settings().identity


def test_the_subject_as_judge_has_no_server_of_its_own() -> None:
    """The model under test judges on its own nodes, unless its name stands for another service."""
    subject = {"llm_model": "openai:m", "llm_base_url": "http://127.0.0.1:1/v1"}
    assert load_settings(subject).is_subject("openai:m")
    assert load_settings(subject | {"judge_base_url": "http://127.0.0.1:1/v1"}).is_subject("openai:m")
    assert not load_settings(subject | {"judge_base_url": "http://127.0.0.1:2/v1"}).is_subject("openai:m")
    servers = {"openai:m": {"base_url": "http://127.0.0.1:3/v1"}}
    assert not load_settings(subject | {"judge_servers": servers}).is_subject("openai:m")
    assert not load_settings(subject).is_subject("openai:n")
    assert load_settings({"judge_base_url": "http://127.0.0.1:2/v1"}).is_subject("llamacpp:smollm2-135m")


def test_a_judges_key_is_named_and_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """A panel's plan holds names of variables: a key in their place is refused without being shown."""
    server = {"base_url": "http://127.0.0.1:1/v1", "api_key_variable": "sk-planted"}
    with pytest.raises(SettingsError, match="api_key_variable") as raised:
        load_settings({}, {"judge_servers": {"openai:b": server}})
    assert "sk-planted" not in str(raised.value)
    monkeypatch.setenv("LEVELFIELD_JUDGE_SERVERS", "sk-planted")
    with pytest.raises(SettingsError, match="judge_servers") as raised:
        load_settings()
    assert "sk-planted" not in str(raised.value)


def test_a_variable_of_others_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables for the cache and for tracebacks do not count as misspelt settings."""
    for name in ("LEVELFIELD_CACHE", "LEVELFIELD_DEBUG"):
        monkeypatch.setenv(name, "1")
    assert load_settings().llm_model == "llamacpp:smollm2-135m"


def test_tracing_makes_no_other_experiment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prompts stay out of spans by default, and asking for them changes no run."""
    assert load_settings().trace_content is False
    identity = load_settings().identity
    monkeypatch.setenv("LEVELFIELD_TRACE_CONTENT", "true")
    assert load_settings().trace_content is True
    assert load_settings().identity == identity


PLAN = {"llm_base_url": "https://models.example/v1"}
JUDGES = {"openai:j": {"base_url": "https://judges.example/v1", "api_key_variable": "JUDGE_KEY"}}


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (PLAN, "LEVELFIELD_LLM_BASE_URL"),
        ({"judge_base_url": "https://models.example/v1"}, "LEVELFIELD_JUDGE_BASE_URL"),
        ({"judge_servers": JUDGES}, "LEVELFIELD_JUDGE_SERVERS"),
        ({"llm_base_url": "https://127.0.0.1.models.example/v1"}, "LEVELFIELD_LLM_BASE_URL"),
        ({"llm_base_url": "http://127.0.0.1@models.example/v1"}, "LEVELFIELD_LLM_BASE_URL"),
        ({"llm_base_url": "http://[::1"}, "LEVELFIELD_LLM_BASE_URL"),
    ],
)
def test_no_key_goes_to_an_address_of_the_plan(
    plan: dict[str, object], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan from others cannot have a key sent to a server of its own: whoever trusts it says so himself."""
    monkeypatch.setenv("LEVELFIELD_LLM_API_KEY", "sk-planted-1")
    monkeypatch.setenv("LEVELFIELD_JUDGE_API_KEY", "sk-planted-2")
    with pytest.raises(SettingsError, match=f"your key would be sent there.*set {said}") as refused:
        load_settings({}, plan)
    assert "sk-planted" not in str(refused.value)


def test_an_address_of_the_plan_that_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is used without a key, on this machine, and where the user states it as well."""
    assert load_settings({}, PLAN).llm_base_url == PLAN["llm_base_url"]
    monkeypatch.setenv("LEVELFIELD_LLM_API_KEY", "sk-planted")
    assert load_settings({}, {"llm_base_url": "http://127.0.0.1:8000/v1"}).llm_base_url
    monkeypatch.setenv("LEVELFIELD_LLM_BASE_URL", PLAN["llm_base_url"])
    assert load_settings({}, PLAN).llm_base_url == PLAN["llm_base_url"]
