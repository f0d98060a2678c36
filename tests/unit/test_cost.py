"""What runs cost: prices as data, wire tokens, failed runs, items drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from analysis.cost.command import cost_command, read_split
from analysis.cost.measure import measure_cost, measure_spending
from analysis.cost.money import money, money_interval
from analysis.cost.prices import OURS, chosen, prices_for, read_prices
from analysis.cost.result import Price
from analysis.read_runs import Runs, read_runs
from analysis.report import write_report
from analysis.tables import MISSING
from analysis.wire_result import Interval
from cluster.cli import main
from shared.errors import UserError
from tests.unit.analysis_rows import PUBLISHED, clean_rows, write_rows

ROUND: dict[str, Any] = {
    "title": "Round", "input": 1.0, "cached_input": 0.5, "output": 2.0, "currency": "EUR",
    "as_of": "2026-01-02", "source": "made up",
}  # fmt: skip
PRICE = {"round": Price(**ROUND)}


def runs_of(folder: Path, rows: list[dict[str, Any]]) -> Runs:
    return read_runs(write_rows(folder, rows))


def everyone(runs: Runs) -> pd.Series:
    return runs.table["counted"]


def rows_of(framework: str, items: int = 2, **fields: Any) -> list[dict[str, Any]]:
    """One run on each item, of 1,000,000 tokens in and 500,000 out."""
    names = tuple(f"item {number}" for number in range(items))
    tokens = {"prompt_tokens": 1_000_000, "completion_tokens": 500_000, "total_tokens": 1_500_000}
    return [row | tokens | fields for row in clean_rows((framework,), names, 1)]


def test_our_prices_are_dated_and_have_a_source() -> None:
    """Every price we ship says when it was the price and which page says so; GPT-4o is the articles'."""
    prices = read_prices()
    assert (prices["gpt-4o"].input, prices["gpt-4o"].output) == (2.5, 10.0)
    assert all(price.source and price.as_of.year >= 2026 for price in prices.values())
    assert all(price.cached_input is None or price.cached_input < price.input for price in prices.values())
    assert OURS.is_file()


def test_input_cached_input_and_output_are_priced_apart(tmp_path: Path) -> None:
    """600,000 fresh at 1.00, 400,000 cached at 0.50 and 500,000 out at 2.00 a million make 1.80."""
    runs = runs_of(tmp_path, rows_of("a", cached_tokens=400_000))
    assert measure_cost(runs, PRICE, everyone(runs))["round"]["a"].per_run == pytest.approx(1.8)
    unknown = runs_of(tmp_path / "unknown", rows_of("a", cached_tokens=""))
    assert measure_cost(unknown, PRICE, everyone(unknown))["round"]["a"].per_run == pytest.approx(2.0)
    plain = {"round": PRICE["round"].model_copy(update={"cached_input": None})}
    assert measure_cost(runs, plain, everyone(runs))["round"]["a"].per_run == pytest.approx(2.0)


def test_failed_runs_are_paid_for(tmp_path: Path) -> None:
    """Two runs of 2.00, one failed: 2.00 a run, 4.00 an accepted report; runs of ours that died are not."""
    rows = rows_of("a", cached_tokens=0)
    rows[1]["status"] = "framework_error"
    rows += [rows[0] | {"status": "infrastructure_error", "iteration": 9}]
    runs = runs_of(tmp_path, rows)
    cost = measure_cost(runs, PRICE, everyone(runs))["round"]["a"]
    assert (cost.per_run, cost.per_accepted) == pytest.approx((2.0, 4.0))
    assert (cost.per_1000_runs, cost.per_10000_runs) == pytest.approx((2_000, 20_000))
    used = measure_spending(runs, everyone(runs))["a"]
    assert (used.runs, used.accepted) == (2, 1)


def test_without_an_accepted_report_it_has_no_price(tmp_path: Path) -> None:
    """All failed: a run has its cost, an accepted report none."""
    runs = runs_of(tmp_path, rows_of("a", items=6, status="timeout"))
    cost = measure_cost(runs, PRICE, everyone(runs))["round"]["a"]
    assert cost.per_run == pytest.approx(2.0)
    assert (cost.per_accepted, cost.per_accepted_interval) == (None, None)


def test_intervals_draw_whole_items(tmp_path: Path) -> None:
    """None on four items; on six the interval holds the mean and is as wide as the items' spread allows."""
    rows = rows_of("a", items=6)
    for number, row in enumerate(rows):
        row["prompt_tokens"] = 1_000_000 * (1 + number)
    runs = runs_of(tmp_path, rows)
    cost = measure_cost(runs, PRICE, everyone(runs))["round"]["a"]
    assert cost.per_run is not None
    assert cost.per_run_interval is not None
    assert cost.per_run_interval.low < cost.per_run < cost.per_run_interval.high
    # Six values 2..7 have a standard error of 0.76; Student's t with 5 degrees of freedom goes out 2.57 of them.
    assert cost.per_run_interval.high - cost.per_run_interval.low == pytest.approx(3.93, abs=0.3)
    few = runs_of(tmp_path / "few", rows_of("a", items=4))
    assert measure_cost(few, PRICE, everyone(few))["round"]["a"].per_run_interval is None


def test_what_is_not_known_is_counted_and_not_guessed(tmp_path: Path) -> None:
    """A run without a token count is in no mean; tokens of repeated attempts are shown, not priced."""
    rows = rows_of("a", cached_tokens=0, retried_tokens=100)
    rows[1] |= {"prompt_tokens": "", "completion_tokens": "", "total_tokens": ""}
    runs = runs_of(tmp_path, rows)
    used = measure_spending(runs, everyone(runs))["a"]
    assert (used.runs, used.without_tokens, used.retried_tokens) == (2, 1, 100)
    assert measure_cost(runs, PRICE, everyone(runs))["round"]["a"].per_run == pytest.approx(2.0)


def test_dry_runs_cost_nothing(tmp_path: Path) -> None:
    """What no model answered is in no table."""
    runs = runs_of(tmp_path, clean_rows(("scripted", "direct")))
    assert list(measure_spending(runs, everyone(runs))) == ["direct"]


def test_the_published_table(tmp_path: Path) -> None:
    """At the articles' prices and 40/60 the published totals cost $0.049 to $0.194 a run, not $0.06 to $0.22.

    Their range needs about $8.00 a million tokens, which at these prices is a split of 27/73.
    """
    runs = read_runs(PUBLISHED)
    cost = measure_cost(runs, read_prices(), everyone(runs), input_share=0.4)["gpt-4o"]
    # 7,005.67, 8,676.33, 8,822.56, 10,793.33 and 27,684 tokens at 0.4 x 2.50 + 0.6 x 10.00 = 7.00 a million.
    shown = {name: round(each.per_run or 0, 4) for name, each in cost.items()}
    assert shown == {
        "agents_sdk": 0.0607, "autogen": 0.0756, "crewai": 0.1938, "langgraph": 0.0618, "msagent": 0.0490
    }  # fmt: skip
    theirs = measure_cost(runs, read_prices(), everyone(runs), input_share=0.27)["gpt-4o"]
    found = [round(each.per_run or 0, 2) for each in theirs.values()]
    assert (min(found), max(found)) == (0.06, 0.22)
    counted = measure_cost(runs, read_prices(), everyone(runs))["gpt-4o"]
    assert round(counted["msagent"].per_run or 0, 4) == 0.03
    assert round(counted["crewai"].per_run or 0, 4) == 0.1867


def test_the_command_prints_and_writes_it(tmp_path: Path) -> None:
    """`levelfield cost` at a split: the table, what the counted split gives beside it, and the JSON."""
    console = Console(width=160, record=True, file=(tmp_path / "out").open("w"))
    out = tmp_path / "cost.json"
    cost_command(PUBLISHED, console, price="gpt-4o", split="40/60", json_out=out)
    text = console.export_text()
    assert "$0.0490" in text
    assert "$0.0300" in text
    assert "1.63x" in text
    written = json.loads(out.read_text())
    assert written["split"]["cost"]["gpt-4o"]["crewai"]["per_run"] == pytest.approx(0.193788)
    assert written["prices"]["gpt-4o"]["as_of"] == "2026-05-27"


def test_energy_where_it_was_measured(tmp_path: Path) -> None:
    """3,600 joules a run are a thousandth of a kilowatt-hour."""
    out = tmp_path / "cost.json"
    folder = write_rows(tmp_path / "runs", [*rows_of("a", energy_j=3600), *rows_of("b")])
    console = Console(width=160, record=True, file=(tmp_path / "out").open("w"))
    cost_command(folder, console, kwh_price=0.30, json_out=out)
    written = json.loads(out.read_text())
    assert written["energy_cost_per_run"] == {"a": pytest.approx(0.0003), "b": None}
    assert "3,600.0" in console.export_text()


def test_own_prices_come_first(tmp_path: Path) -> None:
    """A file of the user's adds prices and replaces ours; the one in a results folder is found."""
    own = tmp_path / "prices.yaml"
    own.write_text(json.dumps({"gpt-4o": ROUND, "mine": ROUND}))  # JSON is YAML
    prices = read_prices(own)
    assert list(prices)[:2] == ["gpt-4o", "mine"]
    assert prices["gpt-4o"].output == 2.0
    assert "gpt-4o-mini" in prices
    assert prices_for(tmp_path) == prices
    assert prices_for(PUBLISHED) == read_prices()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no prices"),
        ("[1, 2]", "holds no prices"),
        ("a: 3", "a: 3 is no price"),
        ("a: {input: 1}", "output: Field required"),
        (json.dumps({"a": ROUND | {"input": -1}}), "greater than or equal to 0"),
        (json.dumps({"a": ROUND | {"output": "x"}}), "valid number"),
        ("a: {title: A, input: .nan, output: 1, currency: USD, as_of: 2026-01-02, source: s}", "input"),
        (json.dumps({"a": ROUND | {"currency": "dollars"}}), "currency"),
        (json.dumps({"a": ROUND | {"as_of": "soon"}}), "as_of"),
        (json.dumps({"a": ROUND | {"cahed": 1}}), "cahed"),
        ("a: [", "is not YAML"),
        (json.dumps({str(n): ROUND for n in range(41)}), "at most 40"),
    ],
)
def test_a_bad_table_of_prices_says_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    """The message names the file and the fault."""
    own = tmp_path / "own.yaml"
    own.write_text(text)
    with pytest.raises(UserError, match=r"own\.yaml") as raised:
        read_prices(own)
    assert said in str(raised.value)


def test_a_missing_file_or_price_says_so(tmp_path: Path) -> None:
    """No such file, no such price: each in words, with what there is."""
    with pytest.raises(UserError, match="cannot be read"):
        read_prices(tmp_path / "none.yaml")
    with pytest.raises(UserError, match='Did you mean "gpt-4o"'):
        chosen(read_prices(), "gpt4o")


@pytest.mark.parametrize("text", ["40", "40/70", "-1/101", "a/b", "40/60/0", ""])
def test_a_bad_split(text: str) -> None:
    """Only two percentages that add up to 100 are a split."""
    with pytest.raises(UserError, match="no split"):
        read_split(text)


def test_a_split() -> None:
    """The first number is the input's share."""
    assert read_split("40/60") == 0.4
    assert read_split(" 26.5 / 73.5 ") == 0.265


def test_money_keeps_three_figures_below_one() -> None:
    """Amounts from a mini model's call to a month's bill can be read."""
    shown = [money(value, "USD") for value in (0.00363, 0.0607, 0.194, 1.5, 60.726, 1937.88, 0.0, None)]
    assert shown == ["$0.00363", "$0.0607", "$0.194", "$1.50", "$60.73", "$1,938", "$0.00", MISSING]
    assert money(2.0, "CHF") == "CHF 2.00"
    assert money_interval(Interval(low=0.05, high=0.0712), "EUR") == "€0.0500 to 0.0712"


def test_many_frameworks_are_quick_and_names_are_text(tmp_path: Path) -> None:
    """200 frameworks at every price are worked out vectorised; markup in a name stays text in the page."""
    names = tuple(f"f{number}" for number in range(199))
    rows = clean_rows(names, ("a", "b", "c", "d", "e"), 1) + clean_rows(("<img src=x>",), ("a",), 1)
    runs = runs_of(tmp_path, rows)
    cost = measure_cost(runs, read_prices(), everyone(runs))
    assert all(len(each) == 200 for each in cost.values())


def test_the_page_has_the_section(tmp_path: Path) -> None:
    """Tables of cost are in the report; own prices of the folder are used; without calls What if says why not."""
    folder = write_rows(tmp_path, clean_rows(("direct", "<b>bold</b>")))
    (folder / "prices.yaml").write_text(json.dumps({"mine": ROUND | {"title": "</script><b>"}}))
    path, analysis = write_report(folder)
    page = path.read_text(encoding="utf-8")
    assert 'id="table-cost"' in page
    assert 'id="table-cost-prices"' in page
    assert "The rates could not be measured" in page
    assert "<b>bold" not in page
    assert "</script><b>" not in page
    assert next(iter(analysis.cost)) == "mine"
    assert analysis.cost["gpt-4o"]["direct"].per_run is not None


def test_nothing_to_price(tmp_path: Path) -> None:
    """Dry runs alone: the command says so, the report has no section."""
    folder = write_rows(tmp_path, clean_rows(("scripted",)))
    with pytest.raises(UserError, match="nothing to price"):
        cost_command(folder, Console(file=(tmp_path / "out").open("w")))
    path, _ = write_report(folder)
    assert 'id="cost"' not in path.read_text(encoding="utf-8")


def test_the_command_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """`levelfield cost` and `whatif` reach their work; a mistake ends with exit code 2 and says what to do."""

    def ended(*words: str) -> object:
        with pytest.raises(SystemExit) as raised:
            main(list(words))
        return raised.value.code

    assert ended("cost", str(PUBLISHED), "--price", "gpt-4o", "--split", "27/73") == 0
    assert "27/73" in capsys.readouterr().out
    assert ended("cost", str(PUBLISHED), "--price", "gpt4o") == 2
    assert 'Did you mean "gpt-4o"' in " ".join(capsys.readouterr().err.split())
    assert (
        ended("whatif", str(write_rows(tmp_path, clean_rows(("a",)))), "--prefill", "2000", "--decode", "60")
        == 0
    )
    assert "Predicted" in capsys.readouterr().out
    assert ended("whatif", str(PUBLISHED)) == 2
    assert "--prefill and --decode" in " ".join(capsys.readouterr().err.split())
