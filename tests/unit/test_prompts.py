"""The wording: the same for every framework, complete in itself, and readable without any library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shared.tasks.load_task import load_task

ROOT = Path(__file__).parents[2]
TASK = load_task("company_research")
FRAMEWORKS = [path.name for path in (ROOT / "frameworks").iterdir() if (path / "adapter.py").exists()]


def test_what_crosses_into_environments_needs_only_the_standard_library() -> None:
    """Contract, prompts and tools import in a Python that sees no installed package, and pull in no other room."""
    modules = ["shared.contract"] + [
        f"shared.{room}.{path.stem}"
        for room in ("prompts", "tools")
        for path in sorted((ROOT / "shared" / room).glob("*.py"))
        if path.stem != "__init__"
    ]
    script = (
        f"import sys, importlib; sys.path.insert(0, {str(ROOT)!r})\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "ours = {name for name in sys.modules if name.startswith('shared.')}\n"
        "bad = {n for n in ours if n.split('.')[1] not in {'contract', 'prompts', 'tools', 'trace'}}\n"
        "sys.exit(f'also imported: {bad}' if bad else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("mode", ["prefetched", "agent"])
def test_each_request_stands_alone(mode: str) -> None:
    """Each agent's user turn names the company and its own work, since frameworks put other turns before it."""
    for spec in TASK.agents("stripe", mode):  # type: ignore[arg-type] - the parameters are the two modes
        assert "Stripe" in spec.request
        assert not any(
            name in (spec.instructions + spec.request).lower() for name in FRAMEWORKS if "_" not in name
        )


def test_requests_ask_for_what_is_checked() -> None:
    """The writer is asked for the length and headings that the checks count, the researcher for all six queries."""
    form = TASK.definition.report
    assert form
    researcher, _, writer = TASK.agents("stripe", "agent")
    assert f"{form.min_words} to {form.max_words} words" in writer.request
    asked = [line.removeprefix("## ") for line in writer.request.splitlines() if line.startswith("## ")]
    assert asked == list(form.sections)
    assert ", ".join(TASK.definition.queries) in researcher.request.replace("\n", " ")
