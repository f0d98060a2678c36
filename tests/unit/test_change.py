"""`levelfield diff` and `levelfield gate` on made-up experiments with known changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from analysis.change.changes import same_names
from analysis.change.command import margin_of, wanted_of
from analysis.change.diff import diff
from analysis.change.gate import gate
from analysis.change.gated_pairs import Wanted
from analysis.change.junit import junit
from analysis.change.result import ChangeMetric, Gate, GateLine
from analysis.change.show_diff import diff_markdown, print_diff
from analysis.change.show_gate import gate_markdown
from analysis.change.side import read_sides
from cluster.cli import app, main
from cluster.runs_csv import write_runs_csv
from shared.errors import UserError
from shared.manifest import Manifest
from shared.record_files import read_record, write_record
from shared.records import RunRecord, Status
from tests.unit.analysis_rows import PUBLISHED, clean_rows, write_rows
from tests.unit.measured_experiment import stored_experiment

Change = Callable[[RunRecord], RunRecord]


def same(record: RunRecord) -> RunRecord:
    return record


def scaled(framework: str, metric: str, factor: float) -> Change:
    """`factor` times as many tokens or seconds for one framework, its second name included; "" for all."""

    def change(record: RunRecord) -> RunRecord:
        if framework and not record.key.framework.startswith(framework):
            return record
        if metric == "tokens":
            return record.model_copy(update={"prompt_tokens": round(record.prompt_tokens * factor)})
        return record.model_copy(update={"latency_s": (record.latency_s or 0) * factor})

    return change


def experiment(folder: Path, change: Change = same, told: dict[str, Any] | None = None, **plan: Any) -> Path:
    """With runs.csv; `told` replaces parts of the manifest."""
    store = stored_experiment(folder, change=change, **({"arms": ["idiomatic"]} | plan))
    if told:
        manifest = read_record(store.manifest_path, Manifest)
        write_record(store.manifest_path, manifest.model_copy(update=told), replace=True)
    write_runs_csv(store)
    return folder


def gated(base: Path, head: Path | None = None, *metrics: str, **wanted: Any) -> Gate:
    return gate(*read_sides(base, head), wanted_of(metrics or ["tokens"], "5%", **wanted))


def line_of(found: Gate, framework: str, metric: ChangeMetric = "tokens") -> GateLine:
    (line,) = (one for one in found.lines if (one.framework, one.metric) == (framework, metric))
    return line


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return experiment(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def more_tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Langgraph sends a fifth more."""
    return experiment(tmp_path_factory.mktemp("head"), scaled("langgraph", "tokens", 1.2))


def test_a_planted_regression_fails_its_framework_alone(base: Path, more_tokens: Path) -> None:
    """A fifth more prompt tokens on all six items fails; what did not change is said to be the same."""
    found = gated(base, more_tokens)
    worse = line_of(found, "langgraph")
    # The prompt is about 94 % of langgraph's tokens, the completion stays as it is.
    assert worse.status == "regression"
    assert worse.change == pytest.approx(0.188, abs=0.005)
    assert worse.at_least is not None
    assert worse.at_least > 0.05
    assert worse.p == worse.p_holm == pytest.approx(1 / 64)
    assert line_of(found, "crewai").status == "unchanged"
    assert {line.framework for line in found.lines} == {
        "crewai",
        "langgraph",
    }  # the floor is nobody's product


def test_margins_of_their_own(base: Path, more_tokens: Path) -> None:
    """Within a margin of 30 % the same change is no regression, and says how bad it can be at worst."""
    found = gated(base, more_tokens, "tokens=30%", "latency_s=0.1")
    line = line_of(found, "langgraph")
    assert (line.status, line.margin) == ("no_regression", 0.3)
    assert "at worst" in line.text
    assert line_of(found, "langgraph", "latency_s").margin == 0.1


@pytest.mark.parametrize(
    ("plan", "status", "reason"),
    [
        (
            {"tasks": [{"name": "t", "items": ["alpha", "beta", "gamma", "delta"]}]},
            "not_enough_data",
            "5 items",
        ),
        ({"aa": []}, "not_enough_data", "noise floor"),
    ],
)
def test_what_the_data_do_not_support(tmp_path: Path, plan: dict[str, Any], status: str, reason: str) -> None:
    """Four items, or no framework against itself: a fifth more tokens is told and does not fail."""
    before = experiment(tmp_path / "a", **plan)
    after = experiment(tmp_path / "b", scaled("langgraph", "tokens", 1.2), **plan)
    line = line_of(gated(before, after), "langgraph")
    assert line.status == status
    assert reason in line.text
    assert line.change == pytest.approx(0.188, abs=0.005)


def test_within_the_noise_floor(tmp_path: Path, base: Path) -> None:
    """A change that the test supports and that is smaller than a framework is from itself does not fail."""

    def noisy(record: RunRecord) -> RunRecord:
        again = record.key.framework == "langgraph-aa"
        return scaled("", "tokens", 1.5 if again else 1.2)(record)

    line = line_of(gated(base, experiment(tmp_path / "b", noisy)), "langgraph")
    assert line.status == "undecided"
    assert "noise floor" in line.text
    assert line.noise_head is not None
    assert line.noise_head > 0.2


@pytest.mark.parametrize(("slowed", "status"), [("langgraph", "regression"), ("", "undecided")])
def test_a_slower_machine_is_no_regression(tmp_path: Path, base: Path, slowed: str, status: str) -> None:
    """Where `direct`, which has no framework, got slower by as much, the machine did."""
    after = experiment(tmp_path / "b", scaled(slowed, "latency_s", 1.3))
    line = line_of(gated(base, after, "latency_s"), "langgraph", "latency_s")
    assert line.status == status
    assert ("`direct`" in line.text) == (status == "undecided")


def test_worse_quality_is_less_of_it(tmp_path: Path) -> None:
    """A fifth less quality fails, a fifth more does not; the bound that counts is on the side of worse."""
    rows = clean_rows(("langgraph", "langgraph-aa"), items=tuple("abcdefgh"), iterations=1)
    for row in rows:
        row["overall"] = 6.0 + 0.1 * "abcdefgh".index(row["item"])
    before = write_rows(tmp_path / "a", rows)
    for factor, status in ((0.8, "regression"), (1.25, "no_regression")):
        after = write_rows(
            tmp_path / f"{factor}", [row | {"overall": row["overall"] * factor} for row in rows]
        )
        line = line_of(gated(before, after, "quality"), "langgraph", "quality")
        assert (line.status, line.change) == (status, pytest.approx(factor - 1))


def test_failures_are_points_of_all_runs(tmp_path: Path, base: Path) -> None:
    """From none to all failing is 100 points; the other metrics then have nothing to compare."""

    def failing(record: RunRecord) -> RunRecord:
        worse = record.key.framework.startswith("langgraph")
        return record.model_copy(update={"status": Status.FRAMEWORK_ERROR, "error": "x"}) if worse else record

    found = gated(base, experiment(tmp_path / "b", failing), "failures", "tokens")
    line = line_of(found, "langgraph", "failures")
    assert (line.status, line.change, line.base, line.head) == ("regression", 1.0, 0.0, 1.0)
    assert line_of(found, "langgraph").status == "not_enough_data"


def test_repeats_do_not_count_twice(tmp_path: Path) -> None:
    """Three items with ten iterations each are three items."""
    rows = clean_rows(("langgraph", "langgraph-aa"), items=("a", "b", "c"), iterations=10)
    worse = [row | {"total_tokens": row["total_tokens"] * 1.2} for row in rows]
    line = line_of(gated(write_rows(tmp_path / "a", rows), write_rows(tmp_path / "b", worse)), "langgraph")
    assert (line.status, line.n_items) == ("not_enough_data", 3)


def test_two_versions_in_one_folder(tmp_path: Path) -> None:
    """A version is held against another by the names that plans use; both titles are told."""
    rows = clean_rows(("langgraph", "langgraph-aa", "langgraph@1.1.x"), items=tuple("abcdef"), iterations=1)
    for row in rows:
        row["total_tokens"] = 1000 if "@" in row["framework"] else 1200
    folder = write_rows(tmp_path / "both", rows)
    found = gated(folder, None, base_name="langgraph==1.1.*", head_name="langgraph")
    line = line_of(found, "langgraph")
    assert (line.status, line.change) == ("regression", pytest.approx(0.2))
    assert line.title == "LangGraph 1.1.* \u2192 LangGraph"
    back = gated(folder, None, base_name="langgraph", head_name="langgraph==1.1.*")
    assert line_of(back, "langgraph@1.1.x").status == "no_regression"
    with pytest.raises(UserError, match="against itself"):
        gated(folder, None, base_name="langgraph")
    with pytest.raises(UserError, match=r"BASE has langgraph and langgraph@1\.1\.x"):
        gated(folder, None, base_name="langgraph==1.0.*", head_name="langgraph")


IDENTITY = {"code": "1", "plan: temperature": 0, "environment: langgraph": "old", "task: t": "x"}


def test_other_questions_are_not_compared(tmp_path: Path, base: Path) -> None:
    """Another model, temperature or code makes a gate refuse, by name; another lock is what it is for."""
    before = experiment(tmp_path / "a", told={"identity": IDENTITY})
    for told, name in (
        ({"identity": IDENTITY | {"plan: temperature": 1}}, "plan: temperature"),
        ({"identity": IDENTITY | {"code": "2"}}, "code"),
        ({"identity": IDENTITY | {"task: t": "y"}}, "task: t"),
        ({"identity": IDENTITY, "server": {"digest": "e"}}, "server: digest"),
    ):
        after = experiment(tmp_path / name, told=told)
        with pytest.raises(UserError, match=name):
            gated(before, after)
        found = diff(*read_sides(before, after))
        assert set(found.comparable.values()) == {False}
        assert "may not be compared" in diff_markdown(found)
    newer = experiment(tmp_path / "newer", told={"identity": IDENTITY | {"environment: langgraph": "new"}})
    found = diff(*read_sides(before, newer))
    assert set(found.comparable.values()) == {True}
    assert [(made.what, made.base, made.head, made.spoils) for made in found.made] == [
        ("environment: langgraph", "old", "new", "nothing")
    ]
    assert gated(before, newer).having("unchanged")


def test_another_machine_spoils_times_alone(tmp_path: Path, base: Path) -> None:
    """Tokens can be compared across machines; latency cannot, and the gate says why."""
    after = experiment(tmp_path / "b", told={"hardware": {"processor": "other", "memory_gib": 9}})
    found = gated(base, after, "tokens", "latency_s")
    assert line_of(found, "langgraph").status == "unchanged"
    assert "hardware: processor" in line_of(found, "langgraph", "latency_s").text
    assert diff(*read_sides(base, after)).comparable == {
        "latency_s": False, "framework_s": False, "import_s": False, "tokens": True, "quality": True, "failures": True,
    }  # fmt: skip


def test_a_diff_tells_cells_changes_and_texts(base: Path, tmp_path: Path) -> None:
    """Cells in one alone, changes with interval and p, and which reports are byte-identical."""

    def other_text(record: RunRecord) -> RunRecord:
        changed = record.key.framework == "crewai" and record.key.item == "alpha"
        return record.model_copy(update={"text": "other"}) if changed else record

    items = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta"]
    after = experiment(tmp_path / "b", other_text, tasks=[{"name": "t", "items": items}])
    found = diff(*read_sides(base, after))
    assert found.cells.both == 24  # second names included
    assert found.cells.only_base == []
    assert "crewai [idiomatic] / t/eta" in found.cells.only_head
    latency = next(one for one in found.changes if (one.framework, one.metric) == ("crewai", "latency_s"))
    assert latency.n_items == 6
    assert latency.low is not None
    assert latency.high is not None
    assert latency.low <= (latency.change or 0) <= latency.high
    assert latency.noise_base is not None
    texts = {one.framework: one for one in found.texts}
    assert texts["crewai"].pairs == 6
    assert "t/alpha" in texts["crewai"].changed_items
    assert json.loads(found.model_dump_json())["schema_version"] == 1


def test_the_same_twice(base: Path) -> None:
    """An experiment beside itself: everything the same, every report identical, nothing made differently."""
    found = diff(*read_sides(base, base))
    assert found.made == []
    assert all(change.identical and change.change == 0 for change in found.changes)
    assert all(text.same == text.pairs for text in found.texts)


def test_the_published_runs_beside_an_experiment(base: Path) -> None:
    """A table that says nothing of its making: what can be told is told, and that nobody knows the rest."""
    found = diff(*read_sides(PUBLISHED / "runs.csv", base))
    assert set(found.comparable.values()) == {None}
    assert found.cells.both == 0
    assert any("does not say how it was made" in note for note in found.notes)
    assert {line.status for line in gated(PUBLISHED / "runs.csv", base).lines} == {"not_enough_data"}


@pytest.mark.parametrize("value", ["", "nan", "inf", "-5", "0", "many"])
def test_values_without_a_ratio(tmp_path: Path, value: str) -> None:
    """Empty, infinite, negative or unreadable values give no change and no crash, and never null's friend NaN."""
    rows = clean_rows(("langgraph", "langgraph-aa"), items=tuple("abcdef"), iterations=1)
    before = write_rows(tmp_path / "a", rows)
    after = write_rows(tmp_path / "b", [row | {"total_tokens": value, "prompt_tokens": ""} for row in rows])
    line = line_of(gated(before, after), "langgraph")
    assert line.status == "not_enough_data"
    text = gated(before, after).model_dump_json() + diff(*read_sides(before, after)).model_dump_json()
    assert "NaN" not in text
    assert "Infinity" not in text


HOSTILE = "<img src=x>|`a`\x1b[31m\x00 @someone *b*"


def test_hostile_names(tmp_path: Path) -> None:
    """Mark-up and control characters in names reach neither Markdown, XML nor terminal as such."""
    rows = clean_rows((HOSTILE.replace("\x00", ""), "langgraph"), iterations=1)
    before = write_rows(tmp_path / "a", rows)
    after = write_rows(tmp_path / "b", [row | {"total_tokens": 2 * row["total_tokens"]} for row in rows])
    found, told = gated(before, after), diff(*read_sides(before, after))
    for text in (gate_markdown(found), diff_markdown(told)):
        assert "<img" not in text
        assert "\x1b" not in text
        assert "@someone" not in text
        rows_of_tables = [line for line in text.splitlines() if line.startswith("| ")]
        assert len({line.replace("\\|", "").count("|") for line in rows_of_tables[:4]}) == 1
    ET.fromstring(junit(found))  # noqa: S314 - our own text
    with Console(width=200).capture() as shown:
        print_diff(told, Console(width=200))
    assert "\x1b[31m" not in shown.get()


def test_junit_by_the_schema(tmp_path: Path, base: Path, more_tokens: Path) -> None:
    """What Jenkins' junit-10.xsd asks for: names, counts that add up, one outcome per case, allowed children."""
    root = ET.fromstring(junit(gated(base, more_tokens, "tokens", "latency_s", "quality")))  # noqa: S314
    (suite,) = root
    assert (root.tag, suite.tag) == ("testsuites", "testsuite")
    cases = suite.findall("testcase")
    assert {child.tag for child in suite} <= {"testcase", "system-out", "system-err", "properties"}
    for case in cases:
        assert case.get("name")
        assert case.get("classname")
        assert float(case.get("time") or "x") == 0
        assert [child.tag for child in case] in (["failure"], ["skipped"], ["system-out"])
    for element in (root, suite):
        assert int(element.get("tests") or 0) == len(cases) == 6
        assert int(element.get("failures") or 0) == len(suite.findall("testcase/failure")) == 1
        assert int(element.get("skipped") or 0) == len(suite.findall("testcase/skipped"))
        assert element.get("errors") == "0"
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert "more than the 5 % allowed" in (failure.get("message") or "")


def test_commands_and_exit_codes(tmp_path: Path, base: Path, more_tokens: Path) -> None:
    """1 for a regression, 0 for none and for too little data, 3 for that with --strict; files are written."""
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    runner = CliRunner()
    arguments = ["gate", str(base), str(more_tokens), "--metric", "tokens", "--margin", "5%"]
    files = [
        "--junit",
        str(tmp_path / "new" / "j.xml"),
        "--markdown",
        str(summary),
        "--json",
        str(tmp_path / "g.json"),
    ]
    result = runner.invoke(app, [*arguments, *files])
    assert result.exit_code == 1
    assert "Regression: LangGraph, tokens." in result.output
    assert summary.read_text().startswith("before\n### ")
    assert json.loads((tmp_path / "g.json").read_text())["lines"]
    assert (tmp_path / "new" / "j.xml").exists()
    assert runner.invoke(app, ["gate", str(base), str(base)]).exit_code == 0
    few = experiment(tmp_path / "few", tasks=[{"name": "t", "items": ["alpha"]}])
    worse = experiment(
        tmp_path / "worse", scaled("langgraph", "tokens", 1.2), tasks=[{"name": "t", "items": ["alpha"]}]
    )
    assert runner.invoke(app, ["gate", str(few), str(worse)]).exit_code == 0
    assert runner.invoke(app, ["gate", str(few), str(worse), "--strict"]).exit_code == 3
    assert runner.invoke(app, ["diff", str(base), str(more_tokens)]).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--metric", "token"], 'Did you mean "tokens"'),
        (["--margin", "5"], "no margin"),
        (["--margin", "100%"], "below 100%"),
        (["--framework", "autogen"], "autogen is not in both"),
        (["--framework", "crewai", "--base", "langgraph"], "not both"),
        (["--base", "langgraph==x"], "is no version"),
    ],
)
def test_mistakes_on_the_command_line(
    base: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """Each is answered with what to write, exit status 2 and no traceback."""
    with pytest.raises(SystemExit) as ended:
        main(["gate", str(base), str(base), *arguments])
    assert ended.value.code == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_margins_as_people_write_them() -> None:
    """5% and 0.05 are the same."""
    assert [margin_of(text) for text in ("5%", "0.05", "12.5 %", "0")] == [0.05, 0.05, 0.125, 0.0]


def test_two_hundred_frameworks(tmp_path: Path) -> None:
    """200 frameworks on ten items are compared without a quadratic step."""
    names = tuple(f"f{number}" for number in range(200))
    rows = clean_rows(names, items=tuple("abcdefghij"), iterations=1)
    random = np.random.default_rng(1)
    before = write_rows(tmp_path / "a", rows)
    after = write_rows(
        tmp_path / "b",
        [row | {"total_tokens": row["total_tokens"] * random.uniform(0.9, 1.1)} for row in rows],
    )
    sides = read_sides(before, after)
    assert len(same_names(*sides)) == 200
    found = gate(*sides, Wanted({"tokens": 0.05, "latency_s": 0.05}))
    assert len(found.lines) == 400
    assert not found.having("regression")
    assert len(diff(*sides).changes) == 1200


def test_poor_experiments(tmp_path: Path) -> None:
    """All failed, no row at all, one run: each is compared as far as it goes, and the gate lacks data."""
    rows = clean_rows(("langgraph", "langgraph-aa"), iterations=1)
    good = write_rows(tmp_path / "good", rows)
    failed = write_rows(tmp_path / "failed", [row | {"status": "timeout"} for row in rows])
    single = write_rows(tmp_path / "single", rows[:1])
    empty = write_rows(tmp_path / "empty", rows)
    (empty / "runs.csv").write_text((empty / "runs.csv").read_text().splitlines()[0] + "\n")
    assert line_of(gated(good, failed, "failures"), "langgraph", "failures").status == "regression"
    for poor in (failed, single):
        assert line_of(gated(good, poor), "langgraph").status in {"not_enough_data", "unchanged"}
        assert diff(*read_sides(poor, poor)).cells.both
    assert diff(*read_sides(good, empty)).cells.both == 0
    with pytest.raises(UserError, match="No framework is in both"):
        gated(good, empty)
