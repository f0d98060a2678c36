"""Several tasks in one experiment: each has its own report, nothing is pooled, and what holds in all is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.across.examine import across_tasks
from analysis.across.result import AcrossTasks
from analysis.read_runs import read_runs, tasks_in
from analysis.report import write_reports
from cluster.cli import main
from shared.errors import UserError
from tests.unit.analysis_rows import analyse_rows, clean_rows, write_rows

ITEMS = ("Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta", "Eta", "Theta")
TOKENS = {
    "research": {"direct": 2000, "crewai": 3000, "langgraph": 2400, "autogen": 2600},
    "support": {"direct": 900, "crewai": 1500, "langgraph": 600, "autogen": 900},
}
"""crewai sends more everywhere; langgraph more here and less there; autogen more in research alone."""


def rows_of(task: str) -> list[dict[str, Any]]:
    rows = clean_rows(items=ITEMS)
    for row in rows:
        number = ITEMS.index(row["item"])
        jitter = (number * 7 + row["iteration"] * 3 + len(row["framework"])) % 5
        prompt = TOKENS[task][row["framework"]] + 10 * number + jitter
        row |= {"task": task, "prompt_tokens": prompt, "native_prompt_tokens": prompt}
        row |= {"completion_tokens": 500 + jitter, "native_completion_tokens": 500 + jitter}
        row |= {"total_tokens": row["prompt_tokens"] + row["completion_tokens"]}
        row |= {
            "server_prompt_tokens": row["prompt_tokens"],
            "server_completion_tokens": row["completion_tokens"],
        }
        row["passed"] = "" if task == "research" else row["framework"] != "autogen"
    return rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("two"), [*rows_of("research"), *rows_of("support")])


@pytest.fixture(scope="module")
def across(folder: Path) -> AcrossTasks:
    write_reports(folder, json_out=folder / "report.json")
    return AcrossTasks.model_validate(json.loads((folder / "report.json").read_text()))


def verdicts(across: AcrossTasks, metric: str) -> dict[str, str]:
    return {holding.subject: holding.verdict for holding in across.holdings if holding.metric == metric}


def test_what_holds_is_told_from_what_turns_round(across: AcrossTasks) -> None:
    """A planted difference is said to hold, to turn round, or to be shown in one task only, as it was planted."""
    assert verdicts(across, "tokens") == {"crewai": "all_higher", "langgraph": "mixed", "autogen": "some"}
    assert "1 difference between frameworks holds in all of them, 1 turns round" in across.headline
    (crewai,) = (h for h in across.holdings if (h.subject, h.metric) == ("crewai", "tokens"))
    assert crewai.tasks["research"].share == pytest.approx(1000 / 2537, rel=0.02)
    assert crewai.tasks["support"].share == pytest.approx(600 / 1437, rel=0.02)
    assert crewai.tasks["support"].low is not None
    assert (
        "CrewAI against No framework (direct): tokens higher in every task (+39% to +42%)."
        in across.sentences
    )


def test_each_task_is_as_if_it_were_alone(across: AcrossTasks, folder: Path, tmp_path: Path) -> None:
    """A task's part of a common report is the report of its rows alone."""
    for task in TOKENS:
        write_reports(write_rows(tmp_path / task, rows_of(task)), json_out=tmp_path / f"{task}.json")
        alone = json.loads((tmp_path / f"{task}.json").read_text())
        together = json.loads(across.tasks[task].model_dump_json())
        for found in (alone, together):
            del found["setup"], found["runs"]
        assert together == alone
        assert (folder / f"report-{task}.html").is_file()


def test_pass_shares_are_told_by_task(across: AcrossTasks) -> None:
    """A task's own exact score is a column of its profile, empty where a task has none."""
    autogen, direct = across.profiles["autogen"], across.profiles["direct"]
    assert (autogen["support"].passed, direct["support"].passed) == (0, 1)
    assert autogen["research"].passed is None


def test_the_page(across: AcrossTasks, folder: Path) -> None:
    """It leads to each task's report, has no mean over tasks, and runs only scripts of its own."""
    page = (folder / "report.html").read_text()
    for task in across.tasks:
        assert f'href="report-{task}.html"' in page
    assert "higher in every task" in page
    assert "turns round" in page
    assert "default-src &#39;none&#39;" in page
    markdown = (folder / "report.md").read_text()
    assert across.headline in markdown
    assert "`report-support.html`" in markdown


def test_nothing_else_pools_tasks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever reads runs of several tasks has to name one, and the commands say how."""
    assert tasks_in(folder) == ["research", "support"]
    with pytest.raises(UserError, match="--task: research, support"):
        read_runs(folder)
    with pytest.raises(UserError, match='"support"'):
        read_runs(folder, "suport")
    assert set(read_runs(folder, "support").table["task"]) == {"support"}
    for command in (["cost"], ["plan-size"], ["gate"], ["whatif"]):
        with pytest.raises(SystemExit) as ended:
            main([*command, str(folder)])
        assert ended.value.code == 2
        assert "--task" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["cost", str(folder), "--task", "support"])
    assert ended.value.code in {0, None}


def test_without_a_floor_every_pair_is_told(tmp_path: Path) -> None:
    """Where no plain run is there to compare with, each pair is compared the same way round in every task."""
    rows = [row for task in TOKENS for row in rows_of(task) if row["framework"] in {"crewai", "langgraph"}]
    write_reports(write_rows(tmp_path, rows), json_out=tmp_path / "report.json")
    found = AcrossTasks.model_validate(json.loads((tmp_path / "report.json").read_text()))
    (holding,) = (h for h in found.holdings if h.metric == "tokens")
    assert (holding.subject, holding.reference, holding.verdict) == ("crewai", "LangGraph", "all_higher")


def test_few_items_conclude_nothing(tmp_path: Path) -> None:
    """With too few items for any test, the page says so and claims no difference."""
    rows = [row for task in TOKENS for row in rows_of(task) if row["item"] in ITEMS[:2]]
    written = write_reports(write_rows(tmp_path, rows))
    assert "in none are there enough items" in written.headline


def test_the_way_is_the_tests_own(tmp_path: Path) -> None:
    """One run that took an age turns a mean round, and not what the ranks show: no task says the opposite here."""
    rows = [row for task in TOKENS for row in rows_of(task) if row["framework"] in {"crewai", "direct"}]
    for row in rows:
        faster = row["framework"] == "crewai" and row["item"] != "Alpha"
        row["latency_s"] = 10.0 + ITEMS.index(row["item"]) - (2 if faster else 0)
        if row["framework"] == "crewai" and row["item"] == "Alpha":
            row["latency_s"] = 10.5
    found = across_tasks(
        {task: analyse_rows(tmp_path / task, [r for r in rows if r["task"] == task]) for task in TOKENS}
    )
    (holding,) = (h for h in found.holdings if h.metric == "latency_s")
    assert holding.verdict == "all_lower"
    assert [difference.higher for difference in holding.tasks.values()] == [False, False]


def test_no_item_that_all_completed(tmp_path: Path) -> None:
    """Where no share can be told there is still a page, with the way that the tests show."""
    halves = {"crewai": ITEMS[:6], "langgraph": ITEMS[2:]}
    rows = [
        row
        for task in TOKENS
        for row in rows_of(task)
        if row["framework"] == "direct" or row["item"] in halves.get(row["framework"], ())
    ]
    written = write_reports(write_rows(tmp_path, [r | {"overall": r["overall"]} for r in rows]))
    assert written.report.is_file()


def test_tasks_whose_names_make_one_file_name(tmp_path: Path) -> None:
    """Each task has a page of its own, whatever its name is written in."""
    rows = [{**row, "task": {"research": "\u65c5\u884c", "support": "\u7814\u7a76"}[row["task"]]}
            for task in TOKENS for row in rows_of(task) if row["item"] in ITEMS[:2]]  # fmt: skip
    write_reports(write_rows(tmp_path, rows))
    assert len(list(tmp_path.glob("report-*.html"))) == 2
