"""The commands that work on finished results: words in, exit codes out. The work is done elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

results_app = typer.Typer()

Folder = Annotated[Path, typer.Argument(help="An experiment's folder, as `levelfield run` printed it.")]

OneTask = Annotated[
    str | None,
    typer.Option("--task", help="Which task, where there are several: unlike tasks are never pooled."),
]


@results_app.command(epilog="Example: `levelfield report results/full-…`")
def report(
    folder: Folder,
    all_runs: Annotated[
        bool, typer.Option("--all-runs", help="Every run in full in report.html, however large it gets.")
    ] = False,
) -> None:
    """Write runs.csv and report.html again from the records."""
    from cluster.commands import report_command

    report_command(folder, console=Console(), all_runs=all_runs)


@results_app.command(epilog="Example: `levelfield merge results/left results/right --out results/both`")
def merge(
    folders: Annotated[list[Path], typer.Argument(help="Experiments of several machines.")],
    out: Annotated[Path, typer.Option(help="The new folder.")],
) -> None:
    """Pool experiments of several machines, and report.

    Only what may stand in one figure: same model, server, settings, environments, code and order; otherwise
    it is refused with what differs. Each item and iteration is of one machine, so that what is compared ran
    on the same hardware; nodes keep their names, and the report shows what they add to the variance.
    """
    from cluster.commands import merge_command

    merge_command(folders, out, Console())


@results_app.command(epilog="Example: `levelfield fairness results/full-… --json fairness.json --strict`")
def fairness(
    folder: Folder,
    json_out: Annotated[Path | None, typer.Option("--json", help="Also write it all to this file.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit status 1 if there is a violation.")] = False,
) -> None:
    """Whether every framework was treated alike: what each put on the wire, held against the plan.

    Requests side by side, parameters, hidden calls, retries and framing. A violation of the five rules is
    shown and counted, never repaired; without --strict the exit status is 0 all the same.
    """
    from analysis.fairness.command import fairness_command

    raise typer.Exit(fairness_command(folder, json_out, Console(), strict=strict))


OwnPrices = Annotated[
    Path | None,
    typer.Option(
        "--prices", metavar="FILE", help="Your own prices, over ours; default: prices.yaml in SOURCE."
    ),
]
OnePrice = Annotated[
    str | None, typer.Option("--price", metavar="NAME", help="One price, such as gpt-4o; default: all.")
]
Source = Annotated[Path, typer.Argument(help="A results folder, or a CSV file of runs.")]


@results_app.command(epilog="Example: `levelfield cost results/full-… --price gpt-4o --split 40/60`")
def cost(
    source: Source,
    *,
    price: OnePrice = None,
    prices: OwnPrices = None,
    split: Annotated[
        str | None,
        typer.Option(metavar="IN/OUT", help="Take total tokens apart by these percentages, such as 40/60."),
    ] = None,
    kwh: Annotated[
        float | None, typer.Option(min=0, help="Price of a kilowatt-hour, for the GPUs' energy.")
    ] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Also write it all to this file.")] = None,
    task: OneTask = None,
) -> None:
    """What the runs cost at public prices: per run, per accepted report, per month.

    From the tokens counted at the wire, input, cached input and output apart. Failed runs count. What judging
    cost is kept apart, in the report.
    """
    from analysis.cost.command import cost_command

    cost_command(
        source,
        Console(),
        price=price,
        own_prices=prices,
        split=split,
        kwh_price=kwh,
        json_out=json_out,
        task=task,
    )


Rate = Annotated[
    float | None, typer.Option(min=0.001, max=1e9, help="Tokens per second; default: as measured.")
]


@results_app.command(
    epilog="Example: `levelfield whatif results/full-… --prefill 2000 --decode 60 --price gpt-4o`"
)
def whatif(
    source: Source,
    *,
    prefill: Rate = None,
    decode: Rate = None,
    call_s: Annotated[
        float | None, typer.Option(min=0, max=1e6, help="Seconds that each call takes whatever its length.")
    ] = None,
    like: Annotated[Path | None, typer.Option(help="Take the rates of this experiment.")] = None,
    validate: Annotated[
        Path | None, typer.Option(help="Predict this experiment, and say how far off that is.")
    ] = None,
    price: OnePrice = None,
    prices: OwnPrices = None,
    hour: Annotated[float | None, typer.Option(min=0, help="Price of the machine for an hour.")] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Also write it all to this file.")] = None,
    task: OneTask = None,
) -> None:
    """Latency and cost of these runs on another model or machine, from its rates and the wire record.

    Seconds of a run = those not at the model + input / prefill + output / decode + calls x a constant.
    Tokens and calls stay as recorded. Rates that are not given are measured on the experiment's own calls.
    """
    from analysis.what_if.command import GivenRates, what_if_command

    what_if_command(
        source,
        Console(),
        given=GivenRates(prefill, decode, call_s),
        like=like,
        validate=validate,
        price=price,
        own_prices=prices,
        hour_price=hour,
        json_out=json_out,
        task=task,
    )


@results_app.command(
    epilog="Examples: `levelfield maturity --json maturity.json`, or, for one report, "
    "`levelfield maturity results/full-… && levelfield report results/full-…`"
)
def maturity(
    folder: Annotated[
        Path | None, typer.Argument(help="An experiment's folder, to keep the facts in for its report.")
    ] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the facts to this file.")] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Only installed metadata: the package index is not asked.")
    ] = False,
) -> None:
    """What packages' metadata say of the frameworks installed here, with today's date.

    Version, release status, licence, dependencies, size, pins on openai and who cannot share an environment
    with whom; from the package index that uv uses also when versions were released. Every run gathers the
    part that needs no network; this command adds the dates.
    """
    from cluster.maturity import maturity_command

    maturity_command(folder, json_out, Console(), offline=offline)


@results_app.command(epilog="Example: `levelfield export results/full-… --to parquet --out tables`")
def export(
    folder: Folder,
    to: Annotated[
        Literal["csv", "parquet", "inspect"],
        typer.Option(help="Tables as CSV or Parquet, or logs that `inspect view` opens."),
    ],
    out: Annotated[
        Path | None, typer.Option(help="The folder to write into; default: export-FORM in the experiment's.")
    ] = None,
    bodies: Annotated[
        bool, typer.Option("--bodies", help="Tables: also what each call asked and was answered, as JSON.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the files of an earlier export.")
    ] = False,
) -> None:
    """Write an experiment's runs, calls, verdicts and checks for other programs.

    `csv` and `parquet` are four tables that can be joined by run_id and attempt_id. `inspect` is a log per
    task, framework and arm with a sample per run, for `inspect view start --log-dir FOLDER`. The experiment
    itself is only read; keys of model servers are taken out wherever they stand.
    """
    from cluster.export.command import export_command

    export_command(folder, to, out, Console(), bodies=bodies, overwrite=overwrite)


@results_app.command(
    "plan-size",
    epilog="Example: `levelfield plan-size results/quick-… --metric quality --difference 0.5`, or "
    "`--metric latency_s --difference 10%`",
)
def plan_size(
    source: Annotated[Path, typer.Argument(help="The pilot: an experiment's folder, or a CSV file of runs.")],
    *,
    metric: Annotated[str, typer.Option(help="quality, latency_s or tokens.")] = "latency_s",
    difference: Annotated[
        str | None,
        typer.Option(
            help="To be shown: in points, seconds or tokens, or a share; default: 10%, of quality 0.5 points."
        ),
    ] = None,
    power: Annotated[float, typer.Option(help="The chance of showing it.")] = 0.8,
    arm: Annotated[str | None, typer.Option(help="Default: idiomatic, where it ran.")] = None,
    task: OneTask = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Also write it all to this file.")] = None,
) -> None:
    """How many items, iterations and judge repeats would show a difference, and what that costs.

    From the pilot's own variance, run times and tokens: designs that reach the power, the cheapest first, how
    far their number of items can be trusted, and which of the three is worth buying next.
    """
    from analysis.planning.command import SizeRequest, plan_size_command

    plan_size_command(source, SizeRequest(metric, difference, power, arm, task), json_out, Console())
