"""The example workflow: YAML that says what the documentation says, with commands that the product takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from cluster.cli import app
from cluster.experiment import check_frameworks
from shared.plan import Plan

WORKFLOW = Path("docs/examples/gate.yml")
PAGE = Path("docs/gate.md")
VARIABLES = {
    "FRAMEWORK": "langgraph",
    "BASE": "==1.2.*",
    "HEAD": "==1.3.0.dev17",
    "GITHUB_STEP_SUMMARY": "s.md",
}


def steps() -> list[dict[str, Any]]:
    (job,) = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"].values()
    found: list[dict[str, Any]] = job["steps"]
    return found


def filled(text: str) -> str:
    return re.sub(r"\$(\w+)", lambda name: VARIABLES[name[1]], text)


def commands(text: str) -> list[list[str]]:
    """Each call of `levelfield`, in words, continued lines joined."""
    lines = text.replace("\\\n", " ").splitlines()
    calls = [line.strip() for line in lines if re.match(r"\s*(\.venv/bin/)?levelfield ", line)]
    return [shlex.split(filled(call), comments=True)[1:] for call in calls]


def parsed(words: list[str]) -> dict[str, Any]:
    """By the product's own parser, without running anything. Raises what it raises for a wrong option."""
    group = typer.main.get_command(app)
    name, *arguments = words
    command = group.commands[name]  # type: ignore[attr-defined]
    context = command.make_context(name, arguments)
    found: dict[str, Any] = context.params
    return found


def test_the_workflow_runs_and_gates() -> None:
    """Its commands parse, the gate names the versions of the plan, and all outputs are kept."""
    run, gate = (words for step in steps() for words in commands(step.get("run", "")))
    assert parsed(run)["out"] == Path("../results")
    given = parsed(gate)
    assert (given["base_name"], given["head_name"]) == ("langgraph==1.2.*", "langgraph==1.3.0.dev17")
    assert given["base"] == Path("../results")
    assert given["markdown"] == Path("s.md")
    kept = steps()[-1]["with"]["path"].split()
    assert given["junit"].name in kept


def test_the_workflows_plan() -> None:
    """The plan that it writes is one: two versions, the floor, a noise floor, five items or more."""
    (script,) = (step["run"] for step in steps() if "cat > plan.yaml" in step.get("run", ""))
    text = re.search(r"<<PLAN\n(.*)\nPLAN", script, re.DOTALL)
    assert text
    plan = Plan.model_validate(yaml.safe_load(filled(text[1])))
    check_frameworks(plan)
    assert plan.frameworks == ["direct", "langgraph@1.2.x", "langgraph@1.3.0.dev17"]
    assert plan.aa == ["langgraph@1.2.x"]
    assert len(plan.tasks[0].items) >= 5


def test_the_page_has_commands_that_the_product_takes() -> None:
    """Every command in docs/gate.md parses."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    calls = [words for block in blocks for words in commands(block)]
    assert {words[0] for words in calls} >= {"run", "gate", "diff"}
    for words in calls:
        parsed(words)


def test_a_wrong_option_would_be_noticed() -> None:
    """The parser that these tests use refuses what the product refuses."""
    with pytest.raises(Exception, match="No such option"):
        parsed(["gate", "a", "--margins", "5%"])
