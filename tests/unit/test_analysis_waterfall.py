"""Single runs on a time axis: what is drawn is what was measured, bounded, and harmless."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from analysis.read_runs import read_runs
from analysis.report import write_report
from analysis.run_pages.read import read_run_pages
from analysis.stages import STAGES
from analysis.waterfall import FRAMEWORK, STEP, Waterfall
from analysis.waterfall_view import run_bars, stage_data
from cluster.runs_csv import write_runs_csv
from shared.calls import Asked, Call
from shared.latency import take_apart
from shared.records import RunKey
from shared.store import Store
from tests.unit.measured_experiment import stored_experiment
from tests.unit.stored_records import begun, run


def read(store: Store) -> list[Waterfall]:
    write_runs_csv(store)
    return read_run_pages(read_runs(store.folder)).waterfalls


def seconds_by_stage(found: Waterfall, row: int = 0) -> dict[int, float]:
    """What is seen of each stage on one row, where later stages in `draw` cover earlier ones."""
    bars = [bar for bar in found.rows[row].bars if bar.length_s > 0]
    draw: list[int] = stage_data()["draw"]
    cuts = sorted({edge for bar in bars for edge in (bar.start_s, bar.start_s + bar.length_s)})
    totals: dict[int, float] = {}
    for start, end in pairwise(cuts):
        over = [bar.stage for bar in bars if bar.start_s <= start < bar.start_s + bar.length_s - 1e-12]
        if over:
            top = max(over, key=draw.index)
            totals[top] = totals.get(top, 0.0) + end - start
    return totals


def call(sequence: int, agent: str | None, start: float, end: float, **fields: Any) -> Call:
    values: dict[str, Any] = {
        "sequence": sequence, "kind": "model", "path": "/v1/chat/completions", "agent": agent,
        "arrived_s": start, "forwarded_s": start + 0.1, "first_token_s": start + 0.3, "last_byte_s": end - 0.05,
        "delivered_s": end, "status": 200, "streamed": True, "prompt_tokens": 1200, "completion_tokens": 30,
    }  # fmt: skip
    return Call(**values | fields)


CALLS = [
    call(1, "researcher", 1.0, 2.0),
    call(2, "researcher", 2.2, 3.0, kind="tool", path="/tools/search", prompt_tokens=None),
    call(3, "researcher", 2.6, 4.0, retry_of=1),
    call(4, None, 4.5, 5.0, status=500, error="HTTP 500"),
    call(5, "writer", 5.5, 7.0),
]


def one_run(folder: Path, calls: list[Call], **fields: Any) -> Waterfall:
    store = begun(folder)
    store.write_run(run(started_s=0.5, latency_s=7.5, **fields), calls)
    (found,) = read(store)
    return found


def test_the_runs_row_shows_its_latency_taken_apart(tmp_path: Path) -> None:
    """What is seen on the first row, overlaps covered, is exactly the run's stages, gaps included."""
    found = one_run(tmp_path, CALLS)
    parts = take_apart(CALLS, 0.5, 8.0).model_dump()
    seen = {STAGES[stage].field: length for stage, length in seconds_by_stage(found).items()}
    assert seen == pytest.approx({stage: length for stage, length in parts.items() if length})
    assert found.seconds == 7.5
    assert FRAMEWORK in {bar.stage for bar in found.rows[0].bars}


def test_steps_and_calls(tmp_path: Path) -> None:
    """Agents' steps follow one another from start to end, and every call has a row that says what it was."""
    found = one_run(tmp_path, CALLS)
    rows = {row.name: row for row in found.rows}
    assert list(rows) == ["Run", "researcher", "writer", "1 model", "2 search", "3 model", "4 model, failed 500", "5 model"]  # fmt: skip
    (researcher,), (writer,) = rows["researcher"].bars, rows["writer"].bars
    assert researcher.stage == writer.stage == STEP
    assert (researcher.start_s, researcher.length_s) == pytest.approx((0.0, 3.5))
    assert (writer.start_s, writer.start_s + writer.length_s) == pytest.approx((4.5, 7.5))
    assert rows["3 model"].detail == "of researcher; streamed; 1,200 tokens in, 30 out; repeats call 1"
    assert rows["2 search"].detail == "of researcher"
    assert rows["4 model, failed 500"].detail.startswith("of no agent")


def test_a_tool_in_which_the_model_plays_somebody(tmp_path: Path) -> None:
    """Its row says how much of it was the model's."""
    asked = [Asked(said="a", seconds=0.25), Asked(said="b", seconds=0.25)]
    found = one_run(
        tmp_path,
        [call(1, "clerk", 1.0, 2.0, kind="tool", path="/tools/reply", prompt_tokens=None, asked=asked)],
    )
    (row,) = [row for row in found.rows if row.name == "1 reply"]
    assert row.detail == "of clerk; 0.50 s of the model, which plays somebody in this tool"


def test_a_run_that_nobody_clocked(tmp_path: Path) -> None:
    """A record that does not know when its run began is drawn from its first call, and says so."""
    found = one_run(tmp_path, CALLS[:1])
    assert found.rows[0].bars[0].start_s == 0
    store = begun(tmp_path / "old")
    store.write_run(run(schema_version=1), CALLS[:1])
    (old,) = read(store)
    assert old.seconds == pytest.approx(1.0)
    assert "when it began is not known" in old.rows[0].detail


def test_a_run_of_many_calls_is_bounded(tmp_path: Path) -> None:
    """A thousand calls are drawn up to the bound, and what is left out is said."""
    calls = [call(n, "researcher", n * 0.005, n * 0.005 + 0.004, first_token_s=None) for n in range(1, 1001)]
    found = one_run(tmp_path, calls)
    assert (found.left_out, len(found.rows)) == (940, 1 + 1 + 60)
    data = run_bars(found)
    assert "940 more are not drawn" in data["words"]
    assert len(json.dumps(data)) < 200_000


def test_a_damaged_journal_costs_its_run(tmp_path: Path) -> None:
    """Calls that do not match their digest are not drawn; the others are."""
    store = stored_experiment(tmp_path, frameworks=["direct", "crewai"], arms=["idiomatic"], aa=[])
    whole = len(read(store))
    next(tmp_path.glob("runs/*crewai/*.calls.jsonl")).write_text("{}\n")
    assert len(read(store)) == whole - 1


def test_the_page_has_a_table_of_first_runs(tmp_path: Path) -> None:
    """The first run of each framework is a table without any script."""
    store = stored_experiment(tmp_path, frameworks=["direct", "crewai"], arms=["idiomatic"], aa=[])
    write_runs_csv(store)
    path, _ = write_report(tmp_path)
    page = path.read_text(encoding="utf-8")
    table = re.search(r'<table id="table-waterfall">.*?</table>', page, re.DOTALL).group(0)  # type: ignore[union-attr]
    assert table.count('<tr><th scope="row">') == 2 * (1 + 3 + 3)
    assert "Prefill 1.000 s, Decode" in table


def test_names_are_text(tmp_path: Path) -> None:
    """Markup in an agent's or a tool's name ends no script and becomes no tag, in page and figure."""
    evil = "</script><img src=x>"
    store = begun(tmp_path)
    key = RunKey(framework="a", arm="idiomatic", task="t", item="x", iteration=1)
    calls = [call(1, evil, 1.0, 2.0), call(2, evil, 2.0, 3.0, kind="tool", path=f"/tools/{evil}")]
    store.write_run(run(key=key, started_s=0.5, latency_s=4.0, text="r"), calls)
    write_runs_csv(store)
    path, _ = write_report(tmp_path)
    page = path.read_text(encoding="utf-8")
    assert "<img src" not in page
    data = json.dumps([run_bars(found) for found in read(store)])
    assert "&lt;img" in data
    assert "<img" not in data
