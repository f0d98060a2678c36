"""Where each judge of a panel is asked, with whose key, and what is missing for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cluster.judge_servers import check_judges, judge_options, needs_no_node
from shared.errors import SettingsError
from shared.settings import BenchmarkSettings, load_settings

HERE, THERE, OWN = "http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1", "http://127.0.0.1:3/v1"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name, key in (("LLM", "key-llm"), ("JUDGE", "key-judge")):
        monkeypatch.setenv(f"LEVELFIELD_{name}_API_KEY", key)
    monkeypatch.setenv("OWN_KEY", "key-own")


def panel(**given: Any) -> BenchmarkSettings:
    servers = {
        "openai:own": {"base_url": OWN, "api_key_variable": "OWN_KEY"},
        "openai:open": {"base_url": OWN},
    }
    judges = "openai:m,openai:own,openai:open,openai:other,ollama:q,llamacpp:smollm2-135m"
    settings = {
        "llm_model": "openai:m",
        "llm_base_url": HERE,
        "judge_model": judges,
        "judge_servers": servers,
    }
    return load_settings(settings | given)


@pytest.mark.parametrize(
    ("judge", "base_url", "key"),
    [
        ("openai:m", HERE, "key-llm"),
        ("openai:own", OWN, "key-own"),
        ("openai:open", OWN, None),
        ("openai:other", None, "key-judge"),
    ],
)
def test_each_judge_has_its_own_address_and_key(judge: str, base_url: str | None, key: str | None) -> None:
    """A key goes to the address that it was given for and to no other."""
    options = judge_options(panel(), judge, Path())
    assert (options.base_url, options.api_key) == (base_url, key)


def test_the_judges_common_address() -> None:
    """Judges without an entry of their own are at judge_base_url, the subject's name there included."""
    settings = panel(judge_base_url=THERE)
    for judge in ("openai:other", "openai:m"):
        options = judge_options(settings, judge, Path())
        assert (options.base_url, options.api_key) == (THERE, "key-judge")


def test_who_needs_a_node() -> None:
    """A judge with a stated address does not; the subject, an embedded model and the usual places do."""
    free = [judge for judge in panel().panel if needs_no_node(panel(), judge)]
    assert free == ["openai:own", "openai:open"]
    settings = panel(judge_base_url=THERE)
    free = [judge for judge in settings.panel if needs_no_node(settings, judge)]
    assert free == ["openai:m", "openai:own", "openai:open", "openai:other", "ollama:q"]


def test_what_is_missing_is_told_before_any_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A service without an address and a key that is not set are errors with what to do."""
    with pytest.raises(SettingsError, match="LEVELFIELD_JUDGE_BASE_URL"):
        check_judges(panel())
    check_judges(panel(judge_base_url=THERE))
    monkeypatch.delenv("OWN_KEY")
    with pytest.raises(SettingsError, match="openai:own is to be in OWN_KEY, which is not set"):
        check_judges(panel(judge_base_url=THERE))
    (tmp_path / ".env").write_text("OWN_KEY=key-from-file\n")
    assert judge_options(panel(), "openai:own", Path()).api_key == "key-from-file"


def test_no_key_shows() -> None:
    """Neither settings nor options print one, and the manifest's settings have the variable's name alone."""
    settings = panel()
    shown = f"{settings!r} {settings.public} {judge_options(settings, 'openai:own', Path())!r}"
    assert "OWN_KEY" in shown
    assert not any(key in shown for key in ("key-llm", "key-judge", "key-own"))


def test_a_judges_key_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The variable that a plan names may also be set as one that names a file."""
    (tmp_path / "key").write_text("key-in-file\n")
    monkeypatch.delenv("OWN_KEY")
    monkeypatch.setenv("OWN_KEY_FILE", str(tmp_path / "key"))
    assert judge_options(panel(), "openai:own", tmp_path).api_key == "key-in-file"
    (tmp_path / "key").write_text("")
    with pytest.raises(SettingsError, match=r"OWN_KEY_FILE is .*holds no key"):
        check_judges(panel())
