"""The command line of `make benchmark`: names in, tables and JSON files out."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from benchmarks import clock, cpu, driver, gateway, judging, retrieval, scale, utilisation
from benchmarks.session import Benchmark, Session
from benchmarks.table import result_table
from cluster.progress import RunProgress
from shared.errors import LevelfieldError, SettingsError
from shared.foreign_text import harmless
from shared.suggest import unknown_name

BENCHMARKS: dict[str, Benchmark] = {
    benchmark.name: benchmark
    for benchmark in (
        gateway.BENCHMARK,
        cpu.BENCHMARK,
        clock.BENCHMARK,
        utilisation.BENCHMARK,
        judging.BENCHMARK,
        driver.BENCHMARK,
        retrieval.BENCHMARK,
        scale.BENCHMARK,
    )
}

WIDTH = 160
"""Of a table, where no terminal says how wide it is."""

HELP = f"""Measure Levelfield itself, beside peers and beside what is done without it, on a mock model.

{"".join(f"- `{benchmark.name}`: {benchmark.about}{chr(10)}" for benchmark in BENCHMARKS.values())}
Rounds are interleaved, so that a busy moment hits everybody alike; measure on a quiet machine all the same.
The load before and after is in the result. A goal that is not met is shown and is no error.

Peers (LiteLLM, inspect_ai, DeepEval) are built into environments of their own at first use. One that cannot
be built is reported as missing, with the reason, and the rest is measured.
"""

app = typer.Typer(rich_markup_mode="markdown", pretty_exceptions_enable=False, add_completion=False)


@app.command(
    help=HELP, epilog="Examples: `make benchmark ONLY=gateway`, `python -m benchmarks cpu clock --quick`"
)
def benchmark(
    names: Annotated[list[str] | None, typer.Argument(help="Which; all when none is named.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer and smaller rounds: minutes, and wider spreads.")
    ] = False,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Instead of each benchmark's own number of rounds.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where NAME.json goes.")] = Path("results/benchmarks"),
) -> None:
    chosen = names or list(BENCHMARKS)
    for name in chosen:
        if name not in BENCHMARKS:
            raise SettingsError(unknown_name("benchmark", name, BENCHMARKS))
    console = _console()
    done = [_carry_out(BENCHMARKS[name], out, console, quick=quick, rounds=rounds) for name in chosen]
    raise typer.Exit(int(not all(done)))


def run(arguments: list[str] | None = None) -> None:
    """A user's mistake exits with 2, and without a traceback."""
    try:
        app(args=arguments)
    except LevelfieldError as error:
        Console(stderr=True).print(Text(f"Error: {error}", style="red"), highlight=False)
        sys.exit(error.exit_code)


def _carry_out(benchmark: Benchmark, out: Path, console: Console, *, quick: bool, rounds: int | None) -> bool:
    """Whether there is a result."""
    progress = RunProgress(console)
    with tempfile.TemporaryDirectory(prefix=f"levelfield-{benchmark.name}-") as folder:
        try:
            with progress.shown():
                result = benchmark.run(Session(Path(folder), progress, quick, rounds))
        except LevelfieldError as error:
            console.print(Text(harmless(f"{benchmark.name}: {error}"), style="red"), highlight=False)
            return False
    path = result.write(out)
    console.print(result_table(result))
    console.print(Text(f"Written: {path}"), soft_wrap=True)
    return True


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)
