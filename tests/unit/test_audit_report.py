"""An audit in the report: its verdict stands wherever that judge's figures stand, and nothing stands without one."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from analysis.audit_terminal import print_audit
from analysis.render import render_html
from analysis.result import CRITERIA, Analysis
from shared.defects import DEFECTS
from shared.judgement_store import Judgements
from shared.judgements import AuditVerdict
from shared.records import JudgeAttempt
from shared.store import Store
from tests.unit.analysis_rows import analyse_rows, clean_rows
from tests.unit.measured_experiment import JUDGE, analyse_store, stored_experiment


def write_audits(store: Store, judge: str, *, drop: int, reports: int = 8) -> None:
    """Of a judge whose scores fall by `drop` on the criterion that a defect must lower."""
    for record in store.runs()[:reports]:
        for defect in ("", *DEFECTS):
            meant = DEFECTS[defect].lowers if defect else None
            Judgements(store.folder).write_audit(
                AuditVerdict(
                    judge=judge,
                    rubric="t/1",
                    run_id=record.key.run_id,
                    attempt_id=record.attempt_id,
                    defect=defect,
                    text_sha256="0",
                    words=500,
                    scored=True,
                    scores={name: 8 - drop * (name == meant) for name in CRITERIA},
                    attempts=[JudgeAttempt(text="{}", seconds=1.0)],
                )
            )


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    store = stored_experiment(tmp_path_factory.mktemp("failed") / "e")
    write_audits(store, JUDGE, drop=0)
    return analyse_store(store)


def test_a_failed_audit_is_repeated_at_the_figures(failed: Analysis) -> None:
    """In the warnings, in what cannot be concluded, at quality, and in its own section with every criterion."""
    words = failed.judges[JUDGE].verdict.removeprefix("This judge ")
    assert words.startswith("cannot tell a report from its damaged copy on completeness")
    assert [alarm.severity for alarm in failed.alarms if alarm.code == "judge_fails_audit"] == ["high"]
    assert any(
        "cannot tell a report from its damaged copy there" in s for s in failed.summary.cannot_conclude
    )
    page = render_html(failed)
    quality = page.partition('<section id="quality"')[2].partition('<section id="latency"')[0]
    assert words in quality.partition("<table")[0]
    judge = page.partition('<section id="judge"')[2].partition('<section id="warnings"')[0]
    assert 'id="table-audit"' in judge
    assert judge.count("cannot tell</td>") == len(CRITERIA)
    assert "A judge that cannot see" in page


def test_a_judge_that_passes_raises_no_alarm(tmp_path: Path) -> None:
    """Its verdict stands in the report all the same."""
    store = stored_experiment(tmp_path / "e")
    write_audits(store, JUDGE, drop=3)
    found = analyse_store(store)
    assert found.judges[JUDGE].standing == "passes"
    assert not [alarm for alarm in found.alarms if "audit" in alarm.code and alarm.severity == "high"]
    assert "tells a report from its damaged copy on completeness" in render_html(found)


def test_few_reports_are_a_low_alarm(tmp_path: Path) -> None:
    """An audit of two reports is no proof against a judge, and none for it."""
    store = stored_experiment(tmp_path / "e")
    write_audits(store, JUDGE, drop=3, reports=2)
    found = analyse_store(store)
    assert [a.severity for a in found.alarms if a.code == "judge_audit_too_small"] == ["low"]
    assert not [a for a in found.alarms if a.code == "judge_fails_audit"]


def test_without_an_audit_the_report_has_no_such_section(tmp_path: Path) -> None:
    """Neither for an older experiment nor for a plain table."""
    for analysis in (analyse_store(stored_experiment(tmp_path / "e")), analyse_rows(tmp_path, clean_rows())):
        assert analysis.judges == {}
        assert 'id="audit"' not in render_html(analysis)


def test_the_terminal_shows_the_verdict_and_every_number(failed: Analysis) -> None:
    """A line per criterion and per defect, and a judge's name is no markup."""
    console = Console(width=160, record=True, file=None, force_terminal=False, quiet=False)
    with console.capture() as shown:
        print_audit("[red]x", failed.judges[JUDGE], console)
    text = shown.get()
    assert "Audit of [red]x: this judge cannot tell" in text
    for name in (*CRITERIA, *DEFECTS):
        assert name in text
