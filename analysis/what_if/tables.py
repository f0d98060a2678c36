"""Tables of predicted latency, for the page and for a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.cost.money import money
from analysis.cost.result import Cost, Price
from analysis.tables import MISSING, Cell, Table, digits_for, number, plain_cells
from analysis.what_if.result import Rates, Validation, WhatIf


def what_if_table(
    titles: Mapping[str, Cell], found: WhatIf, price: Price | None, cost: Mapping[str, Cost]
) -> Table:
    """A row per framework that could be predicted, in the order of `titles`."""
    shown = {name: found.frameworks[name] for name in titles if name in found.frameworks}
    digits = digits_for(p.workload.latency_s for p in shown.values())
    machine = any(p.machine_cost is not None for p in shown.values())
    rows = []
    for name, p in shown.items():
        w = p.workload
        change = p.predicted_s / w.latency_s - 1 if w.latency_s > 0 else None
        texts = [number(w.runs, 0), number(w.fresh_tokens, 0), number(w.output_tokens, 0)]
        texts += [number(w.model_calls, 1), number(w.other_s, 3), number(w.latency_s, digits)]
        texts += [number(p.predicted_s, digits), signed_share(change)]
        texts += [money(cost.get(name, Cost()).per_run, price.currency)] if price else []
        texts += [number(p.machine_cost, 6)] if machine else []
        rows.append([titles[name], *plain_cells(texts)])
    return Table(
        "what-if",
        "Latency of a run: measured, and predicted from rates",
        (
            *("Framework", "Runs", "Input, not cached", "Output", "Calls", "Not at the model (s)"),
            *("Measured (s)", "Predicted (s)", "Change"),
            *((f"Tokens at {price.title}",) if price else ()),
            *(("Machine",) if machine else ()),
        ),
        rows,
        f"{rates_words(found.rates)} Tokens and calls as recorded: another model would write other lengths."
        if found.rates
        else "",
    )


def validation_table(titles: Mapping[str, Cell], found: Validation) -> Table:
    """Where measured and predicted means stand beside each other."""
    digits = digits_for(f.measured_s for f in found.frameworks.values())
    rows = [
        [
            titles.get(name, Cell(name)),
            *plain_cells(
                [
                    number(f.runs, 0),
                    number(f.measured_s, digits),
                    number(f.predicted_s, digits),
                    signed_share(f.error),
                    _share(f.median_run_error),
                    signed_share(f.own_records_error),
                ]
            ),
        ]
        for name, f in found.frameworks.items()
    ]
    return Table(
        "what-if-validation",
        "Predicted from this experiment's records, measured in the other",
        (
            *("Framework", "Runs", "Measured (s)", "Predicted (s)", "Error", "Median error of a run"),
            "Error from its own tokens",
        ),
        rows,
        " ".join(validation_words(found)),
    )


def validation_words(found: Validation) -> list[str]:
    """The prediction's error, in sentences."""
    mean = _share(found.median_framework_error)
    said = [f"Over {found.runs:,} runs the median error is {_share(found.median_run_error)}."]
    most = _share(found.largest_framework_error)
    said.append(f"Of the frameworks' means it is {mean} in the median, at most {most}.")
    own = _share(found.own_records_median_framework_error)
    said.append(f"From the other's own token counts it would be {own}: what constant rates get wrong.")
    if found.kendall_tau is not None:
        said.append(f"Kendall's tau of predicted and measured order: {found.kendall_tau:.2f}.")
    return [*said, rates_words(found.rates)]


def rates_words(rates: Rates) -> str:
    """E.g. "Prefill 2,000 tokens/s, decode 60.0 tokens/s, 0.02 s a call (measured on 90 calls; ...)."."""
    fit = ""
    if rates.fit:
        squared = f", R² {rates.fit.r_squared:.3f}" if rates.fit.r_squared is not None else ""
        fit = (
            f"; a straight line through {rates.fit.calls:,} calls, by {rates.fit.basis}, "
            f"off by {_share(rates.fit.median_error)} in the median{squared}"
        )
    return (
        f"Prefill {_rate(rates.prefill_tokens_per_s)}, decode {_rate(rates.decode_tokens_per_s)}, "
        f"{rates.call_s:.3f} s a call ({rates.source}{fit})."
    )


def signed_share(value: float | None) -> str:
    return MISSING if value is None else f"{100 * value:+.1f} %"


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{100 * value:.1f} %"


def _rate(value: float | None) -> str:
    return "too fast to see" if value is None else f"{value:,.1f} tokens/s"
