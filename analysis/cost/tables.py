"""Tables of cost, for the page and for a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.cost.money import money, money_interval
from analysis.cost.result import Cost, CostReport, Price, Spending, Split
from analysis.result import Analysis, FrameworkResult
from analysis.tables import MISSING, Cell, Table, number, plain_cells, share

JOULES_PER_KWH = 3_600_000


def cost_table(titles: Mapping[str, Cell], report: CostReport, name: str) -> Table:
    """A row per framework, in the order of `titles`, at the price called `name`."""
    spending, price, cost = report.spending, report.prices[name], report.cost[name]
    spread = any(c.per_run_interval for c in cost.values())
    spread_accepted = any(c.per_accepted_interval for c in cost.values())
    rows = []
    for subject, title in titles.items():
        if subject not in spending:
            continue
        used, mine = spending[subject], cost.get(subject, Cost())
        texts = [number(used.runs, 0), number(used.accepted, 0), money(mine.per_run, price.currency)]
        texts += [money_interval(mine.per_run_interval, price.currency)] if spread else []
        texts += [money(mine.per_accepted, price.currency)]
        texts += [money_interval(mine.per_accepted_interval, price.currency)] if spread_accepted else []
        texts += [money(mine.per_1000_runs, price.currency), money(mine.per_10000_runs, price.currency)]
        texts += [number(v, 0) for v in (used.input_tokens, used.cached_tokens, used.output_tokens)]
        rows.append([title, *plain_cells(texts)])
    return Table(
        "cost",
        f"Cost at the price of {price.title}",
        (
            *("Framework", "Runs", "Accepted", "Per run", *(("95 % interval",) if spread else ())),
            *("Per accepted report", *(("95 % interval",) if spread_accepted else ())),
            *("1,000 runs a month", "10,000 runs a month", "Input tokens", "Of it cached", "Output tokens"),
        ),
        rows,
        f"{price_words(price)} {' '.join(caveats(spending))}",
    )


def prices_table(titles: Mapping[str, Cell], report: CostReport) -> Table | None:
    """Cost of a run by price; None where there is one price only."""
    if len(report.prices) < 2:
        return None
    rows = [
        [
            title,
            *plain_cells(
                money(report.cost[name].get(subject, Cost()).per_run, price.currency)
                for name, price in report.prices.items()
            ),
        ]
        for subject, title in titles.items()
        if subject in report.spending
    ]
    columns = tuple(f"{price.title}, {price.as_of}" for price in report.prices.values())
    return Table(
        "cost-prices",
        "Cost of a run with these tokens, by price",
        ("Framework", *columns),
        rows,
        "Another model would write other tokens: this prices the recorded ones. Prices as of the date given.",
    )


def split_table(titles: Mapping[str, Cell], report: CostReport, split: Split, name: str) -> Table:
    """Cost by fixed shares of the total, and beside it what the counted tokens cost."""
    price, rows = report.prices[name], []
    for subject, title in titles.items():
        assumed, counted = split.cost[name].get(subject), report.cost[name].get(subject, Cost())
        if assumed is None:
            continue
        used = report.spending[subject]
        texts = [money(assumed.per_run, price.currency), money(assumed.per_1000_runs, price.currency)]
        texts += [money(assumed.per_10000_runs, price.currency), share(used.input_share)]
        texts += [money(counted.per_run, price.currency), _over(assumed.per_run, counted.per_run)]
        rows.append([title, *plain_cells(texts)])
    shares = f"{100 * split.input_share:g}/{100 * (1 - split.input_share):g}"
    return Table(
        "cost-split",
        f"Cost at the price of {price.title} and a split of {shares}",
        (
            *("Framework", "Per run", "1,000 runs a month", "10,000 runs a month", "Input as counted"),
            *("Per run as counted", "Split over counted"),
        ),
        rows,
        f"{price_words(price)} Shares of input and output applied to each run's total; nothing cached.",
    )


def energy_table(
    titles: Mapping[str, Cell], spending: Mapping[str, Spending], kwh_price: float | None = None
) -> Table | None:
    """Joules where they were measured; None where they were not."""
    rows = []
    for name, title in titles.items():
        used = spending.get(name)
        if used is None or used.energy_j is None:
            continue
        priced = [] if kwh_price is None else [f"{energy_cost(used, kwh_price):.6f}"]
        rows.append([title, *plain_cells([number(used.energy_runs, 0), number(used.energy_j, 1), *priced])])
    if not rows:
        return None
    columns = ("Framework", "Runs", "Joules per run", *(() if kwh_price is None else ("Cost per run",)))
    return Table("energy", "Energy of the GPUs", columns, rows, "Over the runs where it was measured.")


def energy_cost(used: Spending, kwh_price: float) -> float | None:
    return None if used.energy_j is None else used.energy_j / JOULES_PER_KWH * kwh_price


def price_words(price: Price) -> str:
    """E.g. "$2.50 for a million tokens of input, ...; as of 2026-05-27 (OpenAI, ...)."."""
    cached = (
        "cached input as any other"
        if price.cached_input is None
        else f"{money(price.cached_input, price.currency)} where cached"
    )
    return (
        f"{money(price.input, price.currency)} for a million tokens of input ({cached}), "
        f"{money(price.output, price.currency)} of output, as of {price.as_of} ({price.source})."
    )


def caveats(spending: Mapping[str, Spending]) -> list[str]:
    """What the reader has to know of these tokens, in sentences."""
    said = ["Runs that failed count; their cost is in that of accepted reports, too."]
    if all(used.cached_tokens is None for used in spending.values()):
        said.append("Whether input was cached is not known: all is priced as not cached.")
    retried = sum((used.retried_tokens or 0) * used.runs for used in spending.values())
    if retried:
        said.append(f"{retried:,.0f} tokens of attempts that were repeated are traffic and in no cost here.")
    unknown = sum(used.without_tokens for used in spending.values())
    if unknown:
        said.append(f"Runs without a token count are left out: {unknown:,}.")
    return said


def report_of(analysis: Analysis) -> CostReport:
    return CostReport(prices=analysis.prices, spending=analysis.spending, cost=analysis.cost)


def titled_cells(frameworks: Mapping[str, FrameworkResult]) -> dict[str, Cell]:
    return {name: Cell(f.title, swatch=name) for name, f in frameworks.items()}


def _over(a: float | None, b: float | None) -> str:
    return MISSING if a is None or not b else f"{a / b:.2f}x"
