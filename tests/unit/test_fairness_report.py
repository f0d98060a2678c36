"""The proof where people meet it: the command, the terminal, the report's section and its alarm."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from analysis.fairness.command import fairness_command
from analysis.fairness.examine import examine_folder
from analysis.fairness.result import Fairness
from analysis.fairness.terminal import print_fairness
from analysis.fairness.view import parameters_table, step_title
from analysis.report import write_report
from cluster.runs_csv import write_runs_csv
from shared.calls import Call
from shared.errors import ResultsMismatch
from tests.unit.analysis_rows import PUBLISHED
from tests.unit.fairness_wire import conversation, each_body, examined, experiment, planned, quoted

ROOT = Path(__file__).parents[2]
BOTH = ("idiomatic", "equalised")


def _warm(body: dict[str, Any]) -> None:
    body["temperature"] = 0.7


def _reported(folder: Path, **wanted: Any) -> tuple[str, Any]:
    store = experiment(folder, **wanted)
    write_runs_csv(store)
    path, analysis = write_report(folder)
    return path.read_text(encoding="utf-8"), analysis


def _section(page: str) -> str:
    found = re.search(r'<section id="fairness".*?</section>', page, re.DOTALL)
    assert found
    return found[0]


def _printed(fairness: Fairness, width: int = 160) -> str:
    console = Console(width=width, no_color=True)
    with console.capture() as capture:
        print_fairness(fairness, console)
    return capture.get()


def test_strict_makes_a_violation_the_exit_status(tmp_path: Path) -> None:
    """With --strict a violation is 1 and equal treatment 0; without it both are 0."""
    experiment(tmp_path / "bad", spoil={"alpha": each_body(_warm)})
    experiment(tmp_path / "good")
    quiet = Console(quiet=True)
    assert fairness_command(tmp_path / "bad", None, quiet, strict=True) == 1
    assert fairness_command(tmp_path / "bad", None, quiet, strict=False) == 0
    assert fairness_command(tmp_path / "good", None, quiet, strict=True) == 0


def test_notes_do_not_fail_a_strict_check(tmp_path: Path) -> None:
    """What a framework does on top where its own way is allowed is no violation."""
    styles = {"direct": planned, "alpha": quoted}
    experiment(tmp_path / "e", styles=styles, arms=("idiomatic",))
    assert examine_folder(tmp_path / "e").notes  # type: ignore[union-attr]
    assert fairness_command(tmp_path / "e", None, Console(quiet=True), strict=True) == 0


def test_command_line(tmp_path: Path) -> None:
    """`levelfield fairness DIR --json FILE --strict` prints the verdict, writes the file and exits with 1."""
    experiment(tmp_path / "e", spoil={"alpha": each_body(_warm)})
    out = tmp_path / "new" / "fairness.json"
    words = ["fairness", str(tmp_path / "e"), "--json", str(out), "--strict"]
    command = [sys.executable, "-m", "cluster", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("Treatment was not equal: 1 violation in 18 requests")
    assert "temperature_differs (rule 4)" in done.stdout
    written = Fairness.model_validate_json(out.read_text(encoding="utf-8"))
    assert [finding.code for finding in written.findings] == ["temperature_differs"]


def test_folder_without_an_experiment(tmp_path: Path) -> None:
    """A folder that holds no experiment is one clear error."""
    with pytest.raises(ResultsMismatch, match="No experiment"):
        fairness_command(tmp_path, None, Console(quiet=True), strict=False)


def test_terminal_tells_it_all(tmp_path: Path) -> None:
    """Verdict, counts, parameters, the forms of each step, findings and where to look."""
    styles = {"direct": planned, "alpha": conversation, "beta": quoted}
    found = examined(tmp_path / "e", styles=styles, arms=BOTH, spoil={"alpha": each_body(_warm)})
    shown = _printed(found)
    assert shown.startswith("Treatment was not equal")
    for words in ("Requests on the wire", "0.7", "Messages in the idiomatic arm", "direct | alpha | beta"):
        assert words in shown
    assert "See runs/t.x.1.equalised.alpha/attempt-1.calls.jsonl, call 1." in shown


def test_terminal_is_not_steered(tmp_path: Path) -> None:
    """Escape sequences and markup from the wire are shown as text."""

    def steer(body: dict[str, Any]) -> None:
        body["messages"][-1]["content"] += "\x1b[2J[red]gone[/red]"
        body["x\x1b[31m"] = "[bold]\x07"

    found = examined(tmp_path / "e", spoil={"alpha": each_body(steer)})
    shown = _printed(found)
    assert "\x1b[2J" not in shown
    assert "\x1b[31m" not in shown
    assert "x\\x1b[31m" in shown
    assert "\x1b" not in found.model_dump_json()
    assert "[red]gone[/red]" in found.model_dump_json()


def test_report_has_the_section(tmp_path: Path) -> None:
    """Verdict first, then counts, parameters, violations, what is left and the steps, in the page and the JSON."""
    styles = {"direct": planned, "alpha": conversation, "beta": quoted}
    page, analysis = _reported(tmp_path / "e", styles=styles, arms=BOTH, spoil={"alpha": each_body(_warm)})
    section = _section(page)
    for words in ("Treatment was not equal", "Requests on the wire", "Parameters of the requests"):
        assert words in section
    assert section.index("Treatment was not equal") < section.index("Requests on the wire")
    assert "What is left in the equalised arm" in section
    assert re.search(
        r"<ins><span class=\"unseen\">\[added\] </span><span class=\"own\">[^<]*Here is what your", section
    )
    assert "<del>" in section
    assert section.count('<details class="step" open>') == 2  # analyst and writer of the equalised arm
    assert json.loads(analysis.model_dump_json())["fairness"]["findings"]
    assert page.count('id="fairness"') == 1
    assert len(page.encode()) < 5_200_000


def test_alarm_when_treatment_was_unequal(tmp_path: Path) -> None:
    """One alarm says so, with the codes; equal treatment raises none."""
    page, analysis = _reported(tmp_path / "bad", spoil={"alpha": each_body(_warm)})
    [alarm] = [alarm for alarm in analysis.alarms if alarm.code == "unequal_treatment"]
    assert alarm.severity == "high"
    assert alarm.evidence == {"violations": {"temperature_differs": 1}}
    assert "Frameworks were not treated alike" in page
    _, clean = _reported(tmp_path / "good")
    assert "unequal_treatment" not in {alarm.code for alarm in clean.alarms}


def test_table_of_runs_alone(tmp_path: Path) -> None:
    """A plain CSV has no requests, and the section says no more than that."""
    path, analysis = write_report(PUBLISHED, tmp_path / "r.html")
    section = _section(path.read_text(encoding="utf-8"))
    assert "the requests behind it are not known" in section
    assert "<table" not in section
    assert analysis.fairness is None


def test_what_was_sent_stays_text(tmp_path: Path) -> None:
    """Markup in prompts, keys, roles and names is escaped, wherever the section shows it."""
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script>"

    def inject(body: dict[str, Any]) -> None:
        body["messages"].append({"role": evil, "content": evil, evil: evil})
        body[evil] = evil
        body["temperature"] = evil

    page, _ = _reported(tmp_path / "e", spoil={"alpha": each_body(inject)})
    section = _section(page)
    assert "<img" not in section
    assert "<script" not in section
    assert "&lt;img src=x" in section


def test_every_difference_is_marked_without_colour(tmp_path: Path) -> None:
    """Added and left-out stretches are `ins` and `del` elements with words for those who hear the page."""
    page, _ = _reported(tmp_path / "e", styles={"direct": planned, "alpha": quoted})
    section = _section(page)
    marks = re.findall(r"<(ins|del)>(?!underlined|struck)(.{0,30})", section)
    assert marks
    assert all(text.startswith('<span class="unseen">[') for _, text in marks)


def test_large_experiment_has_a_bounded_section(tmp_path: Path) -> None:
    """Forty-five runs of frameworks that change everything cost well under a megabyte."""

    def noise(body: dict[str, Any]) -> None:
        for number, message in enumerate(body["messages"]):
            message["content"] = f"{number} {id(body)} " * 3_000 + message["content"]
        body[f"key-{id(body)}"] = "v" * 10_000

    names = ("direct", "a1", "a2", "a3", "a4", "a5")
    spoil = {name: each_body(noise) for name in names[1:]}
    page, analysis = _reported(
        tmp_path / "e", styles=dict.fromkeys(names, planned), spoil=spoil, iterations=2, arms=BOTH
    )
    assert len(_section(page).encode()) < 700_000
    assert len(analysis.fairness.model_dump_json()) < 1_500_000


def test_values_by_arm(tmp_path: Path) -> None:
    """Where a framework's arms differ in a parameter, the table says which sent what, and how often."""
    arms = itertools.cycle(BOTH)

    def warm_in_one_arm(calls: list[Call]) -> list[Call]:
        return each_body(_warm)(calls) if next(arms) == "idiomatic" else calls

    found = examined(tmp_path / "e", arms=BOTH, spoil={"alpha": warm_in_one_arm})
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in parameters_table(found).rows}
    assert rows["temperature"] == ["0", "idiomatic: 0.7; equalised: 0", "0"]
    assert rows["max_tokens"][0] == "400 (2), 401 (2), 402 (2)"
    assert rows["User-Agent"] == ["test/1"] * 3


def test_titles_of_steps(tmp_path: Path) -> None:
    """A step is named by its agent, a request of a tool loop by its number."""
    found = examined(tmp_path / "e", tools=True, styles={"direct": planned, "alpha": quoted})
    titles = [step_title(step, 1) for step in found.steps]
    assert titles == [
        "researcher: the same messages from 2 frameworks",
        "researcher, request 2: the same messages from 2 frameworks",
        "analyst: 2 different forms from 2 frameworks",
        "writer: 2 different forms from 2 frameworks",
    ]
