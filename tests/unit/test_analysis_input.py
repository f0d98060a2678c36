"""Odd tables of runs: each gives a report that says so, or one clear error."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from analysis.analyse import analyse
from analysis.read_runs import read_runs
from analysis.report import write_report
from analysis.result import CRITERIA, Analysis
from shared.errors import UserError
from tests.unit.analysis_rows import PUBLISHED, analyse_rows, clean_rows, write_rows

SCORES = (*CRITERIA, "overall")


def report_of(folder: Path, rows: list[dict[str, Any]]) -> tuple[Analysis, str]:
    """Analysis and HTML; the JSON is checked to be strict on the way."""
    path, analysis = write_report(write_rows(folder, rows), json_out=folder / "report.json")
    json.loads((folder / "report.json").read_text(), parse_constant=_refuse_constant)
    return analysis, path.read_text(encoding="utf-8")


def _refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} in the JSON")


def test_no_rows(tmp_path: Path) -> None:
    """A table with columns only gives a report that says there are no runs."""
    (tmp_path / "runs.csv").write_text(",".join(clean_rows()[0]) + "\n")
    path, analysis = write_report(tmp_path)
    assert analysis.summary.headline == "There are no runs yet."
    assert "There are no runs yet." in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00bad", b'framework,item\n"open'])
def test_not_a_table(tmp_path: Path, content: bytes) -> None:
    """A file that is no CSV in UTF-8 is the user's error, named with its path."""
    (tmp_path / "runs.csv").write_bytes(content)
    with pytest.raises(UserError, match=r"runs\.csv"):
        read_runs(tmp_path)


def test_missing_columns_are_named(tmp_path: Path) -> None:
    """The error lists what is missing, under each accepted name, and what is there."""
    (tmp_path / "runs.csv").write_text("framework,company,score\nx,y,1\n")
    with pytest.raises(UserError) as caught:
        read_runs(tmp_path)
    message = str(caught.value)
    assert "iteration, overall, latency_s or latency_seconds, total_tokens" in message
    assert "It has: framework, company, score." in message


@pytest.mark.parametrize("name", ["", "absent"])
def test_missing_source(tmp_path: Path, name: str) -> None:
    """A folder without runs.csv and a path that does not exist say what to name instead."""
    with pytest.raises(UserError, match="Name a results folder or a CSV file"):
        read_runs(tmp_path / name)


def test_one_framework(tmp_path: Path) -> None:
    """One framework is described, and nothing is tested."""
    analysis, _ = report_of(tmp_path, clean_rows(frameworks=("crewai",)))
    assert "nothing to compare it with" in analysis.summary.headline
    assert analysis.pairs == []
    assert analysis.omnibus["quality"].verdict == "cannot_tell"


def test_one_run_per_cell_and_item(tmp_path: Path) -> None:
    """One run each has no standard deviation and no test, and the report says that it cannot tell."""
    analysis, page = report_of(tmp_path, clean_rows(items=("Alpha",), iterations=1))
    assert analysis.frameworks["crewai"].std is None
    assert analysis.omnibus["quality"].kruskal_wallis.p is None
    assert "Whether quality differs cannot be told from these runs." in page


def test_all_failed(tmp_path: Path) -> None:
    """Failed runs are counted and listed with their errors, and nothing is averaged."""
    rows = clean_rows()
    for row in rows:
        row.update(status="model_error", error="the server said 500")
    analysis, page = report_of(tmp_path, rows)
    assert analysis.summary.headline == "No run completed, so nothing can be compared."
    assert analysis.statuses == {"model_error": len(rows)}
    assert analysis.frameworks["crewai"].quality is None
    assert "the server said 500" in page


def test_failed_runs_enter_no_mean(tmp_path: Path) -> None:
    """A failed run with values in its row changes the counts and no mean."""
    rows = clean_rows()
    before = analyse_rows(tmp_path / "before", rows).frameworks["crewai"]
    spoilt = dict(rows[0], framework="crewai", status="timeout", iteration=9, overall=1, latency_s=9999)
    after = analyse_rows(tmp_path / "after", [*rows, spoilt]).frameworks["crewai"]
    assert (after.quality, after.latency_s, after.n) == (before.quality, before.latency_s, before.n)
    assert (after.rows, after.statuses["timeout"]) == (before.rows + 1, 1)


def test_all_identical(tmp_path: Path) -> None:
    """Equal values everywhere are p 1 and no difference, without a warning from the statistics."""
    rows = clean_rows()
    for row in rows:
        row.update(dict.fromkeys(SCORES, 7), latency_s=5.0, total_tokens=900, report_digest="same")
    analysis, _ = report_of(tmp_path, rows)
    assert analysis.omnibus["quality"].kruskal_wallis.p == 1
    assert analysis.omnibus["latency_s"].friedman.p == 1
    assert not any(pair.significant for pair in analysis.pairs)
    assert "No difference in quality is shown." in analysis.summary.headline


@pytest.mark.parametrize("bad", ["nan", "inf", "-inf", "n/a", "1e999"])
def test_values_that_are_no_numbers(tmp_path: Path, bad: str) -> None:
    """Such a cell is missing, counted and shown; it poisons no mean."""
    rows = clean_rows()
    rows[0]["overall"], rows[1]["latency_s"] = bad, bad
    analysis, page = report_of(tmp_path, rows)
    assert analysis.frameworks[rows[0]["framework"]].n_scored == 11
    assert "overall (1)" in page
    assert "latency_s (1)" in page


def test_judge_failed_everywhere(tmp_path: Path) -> None:
    """Without any score the report speaks of latency and tokens and says that quality is unknown."""
    rows = clean_rows()
    for row in rows:
        row.update(dict.fromkeys(SCORES, ""))
    analysis, _ = report_of(tmp_path, rows)
    assert analysis.summary.headline.startswith("No report was scored")
    assert analysis.frameworks["crewai"].latency_s is not None
    assert {pair.metric for pair in analysis.pairs} == {"latency_s", "tokens"}


def test_markup_in_names_is_text(tmp_path: Path) -> None:
    """Markup in names, items, errors and the manifest never becomes an element or ends a script."""
    evil = '</script><script>alert(1)</script><img src=x onerror="alert(1)">'
    rows = clean_rows(frameworks=("crewai", evil), items=("Alpha", evil))
    rows[0].update(status="framework_error", error=evil)
    write_rows(tmp_path, rows)
    content = {"experiment": evil, "notes": [evil], "settings": {evil: evil}, "server": {"flags": [evil]}}
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    _, page = report_of(tmp_path, rows)
    assert "<img" not in page
    assert "<script>alert" not in page


def test_floor_and_dry_runs(tmp_path: Path) -> None:
    """The floor is compared like a framework; scripted runs count in latency alone."""
    analysis = analyse_rows(tmp_path, clean_rows(frameworks=("crewai", "direct", "scripted")))
    assert analysis.frameworks["direct"].role == "floor"
    scripted = analysis.frameworks["scripted"]
    assert (scripted.role, scripted.quality, scripted.tokens) == ("dry", None, None)
    assert scripted.latency_s is not None
    assert {(pair.a, pair.b) for pair in analysis.pairs} == {("crewai", "direct")}
    assert "scripted" not in [place.framework for place in analysis.ranking]
    assert any("Against the floor's tokens" in line for line in analysis.summary.learned)


def test_only_dry_runs(tmp_path: Path) -> None:
    """A dry plan's report says that no model answered."""
    analysis, _ = report_of(tmp_path, clean_rows(frameworks=("scripted",)))
    assert analysis.summary.headline == "A dry run: no model answered, so only times were measured."


def test_two_arms_are_two_subjects(tmp_path: Path) -> None:
    """Runs of two arms are never pooled under one framework's name."""
    rows = clean_rows()
    rows += [dict(row, arm="equalised", report_digest=f"e{row['report_digest']}") for row in clean_rows()]
    analysis = analyse_rows(tmp_path, rows)
    assert len(analysis.frameworks) == 8
    assert analysis.frameworks["crewai [equalised]"].title == "CrewAI [equalised]"
    assert analysis.frameworks["crewai [idiomatic]"].n == 12


def test_text_column_is_digested(tmp_path: Path) -> None:
    """`report_text` in place of `report_digest` gives the same copies."""
    rows = [{**row, "report_text": f"{row['framework']} on {row['item']}"} for row in clean_rows()]
    for row in rows:
        del row["report_digest"]
    assert analyse_rows(tmp_path, rows).replication.distinct_outputs == 24


@pytest.mark.parametrize(
    ("judges", "said"),
    [
        ("b", "Judge: b."),
        ("b,c", "Judges: b and c."),
        ("b, b", "Judge: b."),
        (None, "Judge: the same model."),
    ],
)
def test_judges_are_named(tmp_path: Path, judges: str | None, said: str) -> None:
    """The setting's judges, each once, also from a manifest that names one twice."""
    settings = {"llm_model": "a", "judge_model": judges}
    write_rows(tmp_path, clean_rows())
    (tmp_path / "manifest.json").write_text(json.dumps({"settings": settings}))
    analysis, _ = report_of(tmp_path, clean_rows())
    assert f"Model: a. {said}" in analysis.summary.compared


def test_manifest_is_shown_and_its_secrets_are_not(tmp_path: Path) -> None:
    """Settings, versions and notes reach the page; anything that looks like a credential does not."""
    content = {
        "experiment": "trial",
        "settings": {"llm_model": "llamacpp:smollm2-135m", "judge_model": "b", "llm_api_key": "hunter2"},
        "frameworks": {"crewai": {"title": "Crew", "versions": {"crewai": "1.15.30"}}},
        "notes": ["The model is small and writes nonsense."],
    }
    write_rows(tmp_path, clean_rows())
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    analysis, page = report_of(tmp_path, clean_rows())
    assert analysis.frameworks["crewai"].title == "Crew"
    assert "The model is small and writes nonsense." in analysis.summary.cannot_conclude
    assert "Model: llamacpp:smollm2-135m. Judge: b." in analysis.summary.compared
    assert "crewai 1.15.30" in page
    assert "hunter2" not in page


@pytest.mark.parametrize("content", ["{broken", "[]", '{"frameworks": 3, "notes": "x", "plan": [1]}'])
def test_odd_manifest_costs_no_report(tmp_path: Path, content: str) -> None:
    """A manifest that cannot be used leaves the numbers as they are."""
    write_rows(tmp_path, clean_rows())
    (tmp_path / "manifest.json").write_text(content)
    assert analyse(read_runs(tmp_path)).frameworks["crewai"].n == 12


def test_published_copy_has_no_texts() -> None:
    """The copy in the repository carries the figures and digests, and neither reports nor reasoning."""
    with (PUBLISHED / "runs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 45
    assert not {"report_text", "reasoning"} & set(rows[0])
    assert all(len(row["report_digest"]) == 64 for row in rows)
