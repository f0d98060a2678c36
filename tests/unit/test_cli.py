"""The command line as a user meets it: help with examples, and mistakes in one message with exit code 2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.cli import main

ROOT = Path(__file__).resolve().parents[2]
LEVELFIELD = (str(Path(sys.executable).with_name("levelfield")),)
MODULE = (sys.executable, "-m", "cluster")


def command(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run where no .env of a developer is, and no settings of theirs."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LEVELFIELD_")}
    return subprocess.run(
        words,
        cwd=folder,
        env=inherited | {"COLUMNS": "200", "PYTHONPATH": str(ROOT)} | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def is_the_users(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    """Exit code 2, one message with each of `parts`, no traceback, and nothing on stdout."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    for part in parts:
        assert part in done.stderr


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same place and variables for commands that run in this process, which saves the imports."""
    for name in [name for name in os.environ if name.startswith("LEVELFIELD_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def exit_code(*words: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return ended.value.code


def test_help_names_the_commands(tmp_path: Path) -> None:
    """`levelfield --help` lists every command and needs no experiment, model or network."""
    done = command(tmp_path, *LEVELFIELD, "--help")
    assert done.returncode == 0
    for name in ("run", "status", "judge", "report", "fairness", "spans", "doctor", "envs"):
        assert f" {name} " in done.stdout


def test_help_on_running_has_an_example(tmp_path: Path) -> None:
    """`levelfield run --help` shows a whole command line to copy."""
    done = command(tmp_path, *LEVELFIELD, "run", "--help")
    assert done.returncode == 0
    assert "Example: levelfield run plans/full.yaml --model ollama:qwen3:14b" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        *("run", "status", "judge", "judge audit", "report", "fairness", "spans", "doctor"),
        *("envs build", "envs list", "item generate", "item add"),
    ],
)
def test_every_commands_help_has_an_example(
    here: Path, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The example begins as the command does, and default folders are not lost to the markup."""
    assert exit_code(*words.split(), "--help") == 0
    shown = capsys.readouterr().out
    assert f"Example: levelfield {words}" in shown
    assert "results/." not in shown


def test_an_unknown_plan(tmp_path: Path) -> None:
    """A plan that is not there is named, through either way in."""
    is_the_users(command(tmp_path, *LEVELFIELD, "run", "plans/none.yaml"), "plans/none.yaml")
    is_the_users(command(tmp_path, *MODULE, "plans/none.yaml"), "plans/none.yaml")


def test_an_unknown_model_prefix(tmp_path: Path) -> None:
    """It is refused before anything starts, with the nearest right one, and no folder is made."""
    done = command(tmp_path, *LEVELFIELD, "run", str(ROOT / "plans/dry.yaml"), "--model", "olama:qwen3:14b")
    is_the_users(done, 'Unknown model prefix "olama"', 'Did you mean "ollama"')
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_experiment(tmp_path: Path) -> None:
    """`status` says that there is no experiment in it."""
    is_the_users(command(tmp_path, *LEVELFIELD, "status", "/nonexistent"), "No experiment in /nonexistent")


@pytest.mark.parametrize("name", ["report", "judge"])
def test_commands_on_a_folder_make_none(here: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt folder is told, not made."""
    assert exit_code(name, "misspelt") == 2
    assert "No experiment in misspelt" in capsys.readouterr().err
    assert list(here.iterdir()) == []


def test_judging_needs_no_second_word(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`judge DIR`, options first or last, is `judge reports DIR`, and its help tells of both ways and of audits."""
    for words in (["misspelt"], ["reports", "misspelt"], ["--model", "scripted:instant", "misspelt"]):
        assert exit_code("judge", *words) == 2
        assert "No experiment in misspelt" in capsys.readouterr().err
    assert exit_code("judge", "audit", "misspelt") == 2
    assert "No experiment in misspelt" in capsys.readouterr().err
    assert exit_code("judge", "--help") == 0
    shown = capsys.readouterr().out
    assert "levelfield judge DIR" in shown
    assert "audit" in shown
    assert "reports" in shown


def test_an_unknown_option(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt option is the user's mistake too."""
    assert exit_code("run", "--modl", "x") == 2
    assert "--modl" in capsys.readouterr().err


def test_an_unknown_setting(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt variable is answered with the right one."""
    monkeypatch.setenv("LEVELFIELD_LLM_MODL", "x")
    assert exit_code("run", str(ROOT / "plans/dry.yaml")) == 2
    assert 'Did you mean "llm_model"' in capsys.readouterr().err


def test_what_an_error_quotes_cannot_steer_the_terminal(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Escape sequences and markup in a name that an error repeats are shown as text."""
    assert exit_code("run", str(ROOT / "plans/dry.yaml"), "--model", "\x1b[31m[red]x:y") == 2
    assert '"?[31m[red]x"' in capsys.readouterr().err
