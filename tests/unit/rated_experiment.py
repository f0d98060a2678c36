"""A small experiment on disk whose reports people can rate."""

from __future__ import annotations

from pathlib import Path

from shared.plan import TaskPlan
from shared.records import RunKey, Status
from shared.store import Store
from tests.unit.stored_records import begun, run

CRITERIA = ("completeness", "accuracy", "structure", "insight", "readability")
SAME = "crewai"
"""Its first report has the very text of direct's."""


def report_text(number: int) -> str:
    return (
        f"# Stripe, report {number}\n\n## Executive Summary\n\nStripe was founded in **2010**.\n\n"
        f"- payments\n- <img src=x onerror=window.ran=1>\n- [link](javascript:window.ran=1)\n\n"
        f"| a | {'wide' * 60} |\n|---|---|\n| 1 | 2 |\n\n" + "It takes payments all over the world. " * 20
    )


def experiment(folder: Path, reports: int = 6) -> Store:
    """`reports` distinct ones on stripe, one of them written twice, and a run that failed."""
    store = begun(
        folder,
        frameworks=["direct", SAME],
        tasks=[TaskPlan(name="company_research", items=["stripe"])],
        iterations=reports,
    )
    for number in range(reports):
        add(store, "direct", number + 1, report_text(number))
    add(store, SAME, 1, report_text(0))
    add(store, SAME, 2, "never finished", Status.TIMEOUT)
    return store


def add(store: Store, framework: str, iteration: int, text: str, status: Status = Status.COMPLETED) -> None:
    key = RunKey(
        framework=framework, arm="idiomatic", task="company_research", item="stripe", iteration=iteration
    )
    number = iteration * 10 + (framework == SAME)
    store.write_run(run(key=key, text=text, status=status, position=number, attempt_id=f"{number:016x}"), [])
