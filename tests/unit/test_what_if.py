"""Latency predicted from rates and the wire record: known rates come back, and predictions with them."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from analysis.read_runs import read_runs
from analysis.report import write_report
from analysis.what_if.calls import COLUMNS, sample_calls
from analysis.what_if.command import GivenRates, what_if_command
from analysis.what_if.examine import examine_what_if
from analysis.what_if.fit import fit_rates
from analysis.what_if.predict import loads_of, predict_frameworks
from analysis.what_if.result import Rates
from analysis.what_if.validate import validate_prediction
from cluster.runs_csv import write_runs_csv
from shared.calls import Call, ServerTimings
from shared.errors import UserError
from shared.latency import take_apart
from shared.plan import Plan, TaskPlan, ordered_runs
from shared.store import Store
from tests.unit.analysis_rows import PUBLISHED, clean_rows, write_rows
from tests.unit.measured_experiment import ITEMS, stored_experiment
from tests.unit.stored_records import begun, run

OWN_S = {"a": 0.5, "b": 2.0, "c": 0.1}
CALLS = {"a": 3, "b": 2, "c": 5}


def experiment(
    folder: Path, prefill: float, decode: float, call_s: float = 0.25, *, seed: int = 1, staged: bool = True
) -> Path:
    """Runs at exactly these rates. Prompts and answers vary with the item and the seed."""
    plan = Plan(
        name="p",
        frameworks=list(OWN_S),
        arms=["idiomatic"],
        iterations=1,
        tasks=[TaskPlan(name="t", items=["x", "y"])],
    )
    store = begun(folder, **plan.model_dump(include={"frameworks", "arms", "iterations", "tasks"}))
    noise = random.Random(seed)  # noqa: S311 - seeded on purpose
    for position, key in enumerate(key for block in ordered_runs(plan) for key in block):
        calls, at = [], 1.0
        for number in range(CALLS[key.framework]):
            prompt, output = noise.randint(200, 4000), noise.randint(20, 400)
            arrived = at + OWN_S[key.framework] / CALLS[key.framework]
            took = ServerTimings(prefill_s=prompt / prefill, decode_s=output / decode)
            last = arrived + call_s + prompt / prefill + output / decode
            calls.append(
                Call(
                    sequence=number + 1, kind="model", path="/v1/chat/completions", arrived_s=arrived,
                    forwarded_s=arrived, last_byte_s=last, delivered_s=last, status=200,
                    server=took if staged else None, prompt_tokens=prompt, completion_tokens=output,
                )
            )  # fmt: skip
            at = last
        record = run(
            key=key, attempt_id=f"{position:04x}", position=position, started_s=1.0, latency_s=at - 1.0,
            model_s=0.0, tool_s=0.0, parts=take_apart(calls, 1.0, at), model_calls=len(calls), text="r",
            prompt_tokens=sum(c.prompt_tokens or 0 for c in calls),
            completion_tokens=sum(c.completion_tokens or 0 for c in calls),
        )  # fmt: skip
        store.write_run(record, calls)
    write_runs_csv(store)
    return folder


def quiet(folder: Path) -> Console:
    return Console(width=200, record=True, file=(folder / "out").open("w"))


@pytest.mark.parametrize("staged", [True, False])
def test_known_rates_are_found(tmp_path: Path, staged: bool) -> None:
    """From stages or from whole calls alone, the rates that made the calls come back, and fit them."""
    runs = read_runs(experiment(tmp_path, prefill=900, decode=40, staged=staged))
    rates = fit_rates(sample_calls(runs).table, "here")
    assert rates is not None
    assert rates.fit is not None
    assert (rates.prefill_tokens_per_s, rates.decode_tokens_per_s) == pytest.approx((900, 40), rel=1e-3)
    assert rates.call_s == pytest.approx(0.25, rel=1e-3)
    assert rates.fit.basis == ("stages" if staged else "whole calls")
    assert rates.fit.r_squared == pytest.approx(1.0)


def test_one_machine_is_predicted_from_another(tmp_path: Path) -> None:
    """The same tokens at other rates: each framework's mean latency is predicted to within rounding."""
    slow = read_runs(experiment(tmp_path / "slow", prefill=900, decode=40))
    fast = read_runs(experiment(tmp_path / "fast", prefill=5000, decode=130, call_s=0.05))
    rates = fit_rates(sample_calls(fast).table, "fast")
    assert rates is not None
    found = predict_frameworks(loads_of(slow, sample_calls(slow)), rates)
    measured = fast.table.groupby("subject")["latency_s"].mean()
    assert {name: each.predicted_s for name, each in found.items()} == pytest.approx(
        measured.to_dict(), rel=1e-4
    )
    assert found["a"].workload.latency_s > 2 * found["a"].predicted_s


def test_validation_tells_rates_from_lengths(tmp_path: Path) -> None:
    """With the same lengths no error; with other lengths an error, of which its own records are free."""
    here = read_runs(experiment(tmp_path / "here", prefill=900, decode=40))
    same = read_runs(experiment(tmp_path / "same", prefill=5000, decode=130))
    other = read_runs(experiment(tmp_path / "other", prefill=5000, decode=130, seed=2))
    loads = loads_of(here, sample_calls(here))
    rates = fit_rates(sample_calls(same).table, "same")
    assert rates is not None
    exact = validate_prediction(loads, loads_of(same, sample_calls(same)), rates)
    assert exact.runs == 6
    assert exact.median_run_error == pytest.approx(0, abs=1e-4)
    assert exact.kendall_tau == pytest.approx(1.0)
    off = validate_prediction(loads, loads_of(other, sample_calls(other)), rates)
    assert (off.median_framework_error or 0) > 0.01
    assert off.own_records_median_framework_error == pytest.approx(0, abs=1e-4)
    worst = max(abs(f.error or 0) for f in off.frameworks.values())
    assert off.largest_framework_error == pytest.approx(worst)
    one = off.frameworks["a"]
    assert one.error == pytest.approx(one.predicted_s / one.measured_s - 1)


def test_overlapping_calls_are_not_added_up(tmp_path: Path) -> None:
    """Two calls at once for 4 s are 4 s of latency at the same rates, not 8."""
    store = begun(tmp_path)
    both: list[Call] = [
        Call(
            sequence=n, kind="model", path="/v1", arrived_s=1.0, forwarded_s=1.0, last_byte_s=5.0,
            delivered_s=5.0, status=200, prompt_tokens=100, completion_tokens=100,
            server=ServerTimings(prefill_s=1.0, decode_s=3.0),
        )
        for n in (1, 2)
    ]  # fmt: skip
    store.write_run(
        run(
            started_s=1.0, latency_s=4.0, parts=take_apart(both, 1.0, 5.0), model_calls=2,
            prompt_tokens=200, completion_tokens=200,
        ),
        both,
    )  # fmt: skip
    write_runs_csv(store)
    runs = read_runs(tmp_path)
    sample = sample_calls(runs)
    assert sample.overlap == {"a": pytest.approx(0.5)}
    rates = Rates(prefill_tokens_per_s=100, decode_tokens_per_s=100 / 3, call_s=0, source="given")
    assert predict_frameworks(loads_of(runs, sample), rates)["a"].predicted_s == pytest.approx(4.0)


def test_the_sample_is_bounded_and_favours_nobody(tmp_path: Path) -> None:
    """With room for one run of each cell, every framework on every item is in it once; bodies stay unread."""
    plan: dict[str, Any] = {
        "frameworks": ["direct", "crewai"],
        "arms": ["idiomatic"],
        "aa": [],
        "iterations": 2,
    }
    store = stored_experiment(tmp_path, **plan)
    write_runs_csv(store)
    runs = read_runs(tmp_path)
    assert len(sample_calls(runs).table) == 2 * 2 * len(ITEMS) * 3
    assert len(sample_calls(runs, most_runs=2 * len(ITEMS)).table) == 2 * len(ITEMS) * 3
    record = Store.existing(tmp_path).runs()[0]
    assert [call.request for call in store.calls(record, bodies=False)] == [None, None, None]
    next(tmp_path.glob("runs/*crewai/*.calls.jsonl")).write_text("{}\n")
    assert len(sample_calls(runs).table) == (4 * len(ITEMS) - 1) * 3


def calls_of(fresh: list[float], output: list[float], seconds: list[float]) -> pd.DataFrame:
    zeros = np.zeros(len(fresh))
    return pd.DataFrame(
        dict(zip(COLUMNS, (fresh, output, zeros, zeros, zeros, seconds), strict=True)), dtype=float
    )


def test_what_cannot_be_told_has_no_rates() -> None:
    """Too few calls, calls of one length, or input and output in step: None, and no made-up rate."""
    assert fit_rates(calls_of([1], [1], [1]), "") is None
    assert fit_rates(calls_of([100] * 9, [50] * 9, [1.0] * 9), "") is None
    steps = [float(n) for n in range(1, 10)]
    assert fit_rates(calls_of([2 * n for n in steps], steps, steps), "") is None
    assert fit_rates(calls_of([], [], []), "") is None


def test_no_time_is_negative() -> None:
    """Where longer prompts took less time, reading is said to be too fast to see, not negative."""
    table = calls_of([], [], []).reindex(range(6)).assign(
        fresh=[100, 200, 300, 400, 500, 600], output=[10, 40, 20, 60, 30, 50], model_s=0.0, queue_s=0.0,
        prefill_s=[0.6, 0.5, 0.4, 0.3, 0.2, 0.1], decode_s=[1.0, 4.0, 2.0, 6.0, 3.0, 5.0],
    )  # fmt: skip
    rates = fit_rates(table, "")
    assert rates is not None
    assert rates.prefill_tokens_per_s is None
    assert rates.decode_tokens_per_s == pytest.approx(10)
    assert rates.call_s == pytest.approx(0.35)


def test_the_command_with_rates_of_the_user(tmp_path: Path) -> None:
    """--prefill and --decode predict without any journal; the machine's hour gives its cost; JSON holds it all."""
    folder = write_rows(tmp_path / "runs", clean_rows(("a", "b")))
    out, console = tmp_path / "w.json", quiet(tmp_path)
    what_if_command(folder, console, given=GivenRates(2000, 60), price="gpt-4o", hour_price=3.6, json_out=out)
    written = json.loads(out.read_text())
    a = written["what_if"]["frameworks"]["a"]
    expected = 0.5 + 2000 / 2000 + a["workload"]["output_tokens"] / 60
    assert a["predicted_s"] == pytest.approx(expected)
    assert a["machine_cost"] == pytest.approx(expected / 1000)
    assert written["cost"]["gpt-4o"]["a"]["per_run"] == pytest.approx(
        0.005 + a["workload"]["output_tokens"] / 100_000
    )
    assert "another model would write other lengths" in console.export_text()
    with pytest.raises(UserError, match="Give both --prefill and --decode"):
        what_if_command(folder, console, given=GivenRates(prefill_tokens_per_s=2000))
    with pytest.raises(UserError, match="cannot be predicted"):
        what_if_command(PUBLISHED, console, given=GivenRates(2000, 60))


def test_the_command_validates(tmp_path: Path) -> None:
    """--validate names the error; --like takes the other's rates; experiments without a common item are refused."""
    here = experiment(tmp_path / "here", prefill=900, decode=40)
    other = experiment(tmp_path / "other", prefill=5000, decode=130, seed=2)
    out, console = tmp_path / "w.json", quiet(tmp_path)
    what_if_command(here, console, given=GivenRates(), validate=other, json_out=out)
    written = json.loads(out.read_text())
    assert written["validation"]["runs"] == 6
    assert "Over 6 runs the median error is" in console.export_text()
    what_if_command(here, console, given=GivenRates(decode_tokens_per_s=10), like=other, json_out=out)
    rates = json.loads(out.read_text())["what_if"]["rates"]
    assert (rates["prefill_tokens_per_s"], rates["decode_tokens_per_s"]) == pytest.approx(
        (5000, 10), rel=1e-3
    )
    assert "decode as given" in rates["source"]
    foreign = stored_experiment(tmp_path / "foreign")
    write_runs_csv(foreign)
    with pytest.raises(UserError, match="share no framework"):
        what_if_command(here, console, given=GivenRates(), validate=foreign.folder)


def test_the_page_starts_from_the_measured_rates(tmp_path: Path) -> None:
    """Table without a script, data from which the script makes the same figures, the script allowed by hash."""
    path, analysis = write_report(experiment(tmp_path, prefill=900, decode=40))
    page = path.read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="what-if-data">(.*?)</script>', page).group(1))  # type: ignore[union-attr]
    assert data["rates"] == pytest.approx({"prefill": 900, "decode": 40, "call": 0.25}, rel=1e-3)
    table = re.search(r'<table id="table-what-if">.*?</table>', page, re.DOTALL).group(0)  # type: ignore[union-attr]
    heads = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', table)
    assert heads[data["columns"]["predicted"]] == "Predicted (s)"
    assert heads[data["columns"]["change"]] == "Change"
    assert heads[data["columns"]["cost"]].startswith("Tokens at")
    for row, f in zip(data["rows"], analysis.what_if.frameworks.values(), strict=True):
        at_model = row["fresh"] / 900 + row["output"] / 40 + row["calls"] * 0.25
        assert row["other"] + row["overlap"] * at_model == pytest.approx(f.predicted_s, rel=1e-3)
    assert page.count('<fieldset class="what-if"') == 1


def test_runs_whose_times_do_not_count_are_left_out(tmp_path: Path) -> None:
    """A disturbed run has no time to start from."""
    rows = clean_rows(("a",))
    rows[0]["quarantine"] = "disturbed"
    runs = read_runs(write_rows(tmp_path, rows))
    assert len(loads_of(runs, sample_calls(runs))) == len(rows) - 1
    assert examine_what_if(runs).reason is not None
