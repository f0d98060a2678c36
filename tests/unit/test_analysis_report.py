"""The report's file, its command line and the table for the terminal."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from plotly.offline import get_plotlyjs
from rich.console import Console

from analysis.analyse import analyse
from analysis.read_runs import read_runs
from analysis.report import default_report, write_report
from analysis.summary_table import summary_table
from shared.errors import StoreFailed
from tests.unit.analysis_rows import PUBLISHED, analyse_rows, clean_rows, write_rows

ROOT = Path(__file__).parents[2]


def run_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "analysis.report", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    path, _ = write_report(PUBLISHED, tmp_path_factory.mktemp("report") / "report.html")
    return path.read_text(encoding="utf-8")


def test_small_and_complete_in_itself(page: str) -> None:
    """Under 3 MB, plotly once and compressed, and no address that a browser would fetch."""
    assert len(page.encode()) < 3_000_000
    (plotly,) = re.findall(r'<script type="text/plain" id="plotly-code">([^<]+)</script>', page)
    assert zlib.decompress(base64.b64decode(plotly)).decode() == get_plotlyjs()
    assert "plotly.js v" not in page
    own = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"https?://|url\(|@import|<link(?! rel=\"icon\" href=\"data:,\")", own)


def test_every_figure_has_words_and_a_table_near(page: str) -> None:
    """Nine figures, each with a text alternative; each table has a caption and headers with their scope."""
    figures = re.findall(r'<div class="plot" id="figure-([\w-]+)" role="img" aria-label="([^"]+)"', page)
    assert [name for name, _ in figures] == [
        "forest-quality", "forest-latency", "forest-tokens",
        "radar", "distribution", "items", "latency", "quality-latency", "tokens",
    ]  # fmt: skip
    assert all(len(words) > 40 for _, words in figures)
    assert page.count("<table ") == page.count("<caption ") > 8
    assert not re.search(r"<th(?! scope=)[ >]", page)


def test_every_number_shown_is_in_the_json(tmp_path: Path) -> None:
    """The JSON has the keys that others rely on, and the numbers of the tables."""
    _, analysis = write_report(PUBLISHED, tmp_path / "r.html", tmp_path / "r.json")
    content = json.loads((tmp_path / "r.json").read_text())
    crewai = content["frameworks"]["crewai"]
    assert {"n", "quality", "latency_s", "tokens", "std", "min", "max", "range", "criteria"} <= set(crewai)
    assert crewai["criteria"]["insight"] == pytest.approx(86 / 9)
    assert set(content["omnibus"]) == {"quality", "latency_s", "tokens"}
    assert set(content["estimates"]) == {"quality", "latency_s", "framework_s", "tokens"}
    assert {"families", "pairs", "groups", "best"} <= set(content["estimates"]["quality"])
    assert {"statistic", "p"} <= set(content["omnibus"]["quality"]["kruskal_wallis"])
    pair = content["pairs"][0]
    assert {"a", "b", "metric", "mann_whitney", "significant"} <= set(pair)
    assert {"u", "p", "p_bonferroni", "r"} <= set(pair["mann_whitney"])
    assert {"rows", "distinct_outputs", "effective_n"} <= set(content["replication"])
    assert {"code", "severity", "evidence", "text"} == set(content["alarms"][0])
    assert content == json.loads(analysis.model_dump_json())


def test_default_places(tmp_path: Path) -> None:
    """A folder's report lies in it, a CSV's beside it under its name."""
    assert default_report(tmp_path) == tmp_path / "report.html"
    assert default_report(tmp_path / "mine.csv") == tmp_path / "mine.html"


def test_unwritable_place(tmp_path: Path) -> None:
    """A report that cannot be written is one clear error, and leaves no half file."""
    write_rows(tmp_path, clean_rows())
    with pytest.raises(StoreFailed, match="cannot be written"):
        write_report(tmp_path, tmp_path / "runs.csv" / "report.html")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs.csv"]


def test_command(tmp_path: Path) -> None:
    """The command writes both files and says where the report is."""
    out, numbers = tmp_path / "a.html", tmp_path / "a.json"
    done = run_command(str(PUBLISHED), "--out", str(out), "--json", str(numbers))
    assert done.returncode == 0, done.stderr
    assert str(out) in done.stdout
    assert out.stat().st_size > 1_000_000
    assert json.loads(numbers.read_text())["replication"]["distinct_outputs"] == 17


def test_command_refuses_without_a_traceback(tmp_path: Path) -> None:
    """A wrong path is the user's mistake: exit code 2 and one message."""
    done = run_command(str(tmp_path / "nowhere"))
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


def test_help_has_an_example() -> None:
    """The command's help shows how it is used."""
    assert "python -m analysis.report results/quick" in run_command("--help").stdout


def test_summary_table() -> None:
    """The terminal's table has a row per framework with its main numbers, the best quality first."""
    console = Console(width=140, record=True, file=None, quiet=False, no_color=True)
    with console.capture() as capture:
        console.print(summary_table(analyse(read_runs(PUBLISHED))))
    lines = [line for line in capture.get().splitlines() if re.search(r"\d\.\d\d", line)]
    assert "MS Agent Framework" in lines[0]
    for number in ("9.87", "92.9", "7,006"):
        assert number in lines[0]


def test_summary_table_shows_markup_as_text(tmp_path: Path) -> None:
    """A name that looks like rich's markup is printed as it is."""
    analysis = analyse_rows(tmp_path, clean_rows(frameworks=("[red]x[/red]", "crewai")))
    console = Console(width=140)
    with console.capture() as capture:
        console.print(summary_table(analysis))
    assert "[red]x[/red]" in capture.get()


def test_summary_table_in_a_narrow_terminal(tmp_path: Path) -> None:
    """A long name wraps; no number is cut."""
    analysis = analyse_rows(tmp_path, clean_rows(frameworks=("a name of many words " * 3, "crewai")))
    console = Console(width=70)
    with console.capture() as capture:
        console.print(summary_table(analysis))
    assert "…" not in capture.get()
    assert f"{analysis.frameworks['crewai'].tokens:,.0f}" in capture.get()


@pytest.mark.timeout(900)  # half a minute is usual; what grew with the third power would take hours
def test_two_hundred_frameworks(tmp_path: Path) -> None:
    """Two hundred frameworks make a report, and one of bounded size."""
    names = tuple(f"framework_{i:03}" for i in range(200))
    write_rows(tmp_path, clean_rows(frameworks=names, items=("Alpha", "Beta", "Gamma"), iterations=1))
    path, analysis = write_report(tmp_path)
    assert len(analysis.pairs) == 3 * 200 * 199 // 2
    assert path.stat().st_size < 6_500_000
