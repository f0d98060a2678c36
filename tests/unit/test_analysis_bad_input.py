"""Whatever a table of runs holds: a report that says so in plain words, or one clear error."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from analysis.analyse import analyse
from analysis.consistency.sentences import consistency_sentences
from analysis.name_columns import MOST_NAME, readable_name
from analysis.read_runs import ALIASES, REQUIRED, read_runs
from analysis.render import render_html
from analysis.report import app, write_report
from analysis.result import CRITERIA, Analysis
from shared.errors import UserError
from tests.unit.analysis_rows import PUBLISHED, clean_rows, write_rows

Rows = list[dict[str, Any]]
SCORES = (*CRITERIA, "overall")
OPTIONAL = [name for name in clean_rows()[0] if name not in REQUIRED]
MARKUP = "<img src=x onerror=alert(1)>"


def refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} in the JSON")


def report_of(folder: Path, rows: Rows) -> tuple[Analysis, str]:
    """The whole way: table, analysis, strict JSON, page."""
    analysis = analyse(read_runs(write_rows(folder, rows)))
    json.loads(analysis.model_dump_json(), parse_constant=refuse_constant)
    return analysis, render_html(analysis)


def without(rows: Rows, *columns: str) -> Rows:
    return [{name: value for name, value in row.items() if name not in columns} for row in rows]


@pytest.mark.parametrize("column", sorted(set(REQUIRED) - {"total_tokens"}))
def test_a_missing_required_column_is_named(tmp_path: Path, column: str) -> None:
    """The command ends with status 2 and says which column is missing, without a traceback."""
    write_rows(tmp_path, without(clean_rows(), column))
    ended = CliRunner().invoke(app, [str(tmp_path)])
    assert ended.exit_code == 2
    assert re.search(rf"lacks the columns: {column}\b", ended.output)
    assert "Traceback" not in ended.output
    assert not (tmp_path / "report.html").exists()


def test_total_tokens_may_be_told_by_the_other_two(tmp_path: Path) -> None:
    """A table with input and output tokens needs no total; one that lacks one of them, too, does."""
    rows = without(clean_rows(), "total_tokens")
    analysis = analyse(read_runs(write_rows(tmp_path / "two", rows)))
    assert analysis.frameworks["crewai"].tokens == pytest.approx(2000 + 30147 / 12 - 2000)
    with pytest.raises(UserError, match="total_tokens"):
        read_runs(write_rows(tmp_path / "one", without(rows, "prompt_tokens")))


@pytest.mark.parametrize("name", [alias for aliases in ALIASES.values() for alias in aliases])
def test_other_names_of_columns_are_known(tmp_path: Path, name: str) -> None:
    """A foreign table's name for a column gives the same figures as ours."""
    ours = next(own for own, aliases in ALIASES.items() if name in aliases)
    rows = [{name if key == ours else key: value for key, value in row.items()} for row in clean_rows()]
    found = analyse(read_runs(write_rows(tmp_path, rows)))
    assert found.frameworks == analyse(read_runs(write_rows(tmp_path / "ours", clean_rows()))).frameworks


@pytest.mark.parametrize("column", OPTIONAL)
def test_each_optional_column_may_be_missing(tmp_path: Path, column: str) -> None:
    """Without it the means of quality, latency and tokens are the same, and nothing is made up."""
    analysis = analyse(read_runs(write_rows(tmp_path, without(clean_rows(), column))))
    json.loads(analysis.model_dump_json(), parse_constant=refuse_constant)
    f = analysis.frameworks["crewai"]
    assert (f.n, f.latency_s is not None, f.quality is not None, f.tokens) == (12, True, True, 30147 / 12)


def test_only_the_required_columns(tmp_path: Path) -> None:
    """The least table gives a page that says what is not known."""
    _, page = report_of(tmp_path, without(clean_rows(), *OPTIONAL))
    for words in (
        "Which part of the model&#39;s time was waiting, prefill or decoding is not known",
        "No other meter&#39;s count is known",
        "What else the machine was doing during these runs is not known.",
        "nothing else that was to decide is known",
    ):
        assert words in page or words.replace("&#39;", "'") in page


def test_no_rows_says_so_everywhere(tmp_path: Path) -> None:
    """A header alone: the first screen, the JSON and the sentences on consistency say that there is nothing."""
    (tmp_path / "runs.csv").write_text(",".join(clean_rows()[0]) + "\n")
    analysis = analyse(read_runs(tmp_path))
    assert analysis.summary.headline == "There are no runs yet."
    assert (analysis.alarms, analysis.consistency, analysis.pairs) == ([], {}, [])
    assert "nothing can be said" in " ".join(consistency_sentences(analysis))
    assert "There are no runs yet." in render_html(analysis)


ODD: dict[str, dict[str, Any]] = {
    "all failed": {"status": "timeout"},
    "all identical": {
        **dict.fromkeys(SCORES, 7),
        "latency_s": 5.0,
        "total_tokens": 100,
        "report_digest": "same",
    },
    "no number anywhere": dict.fromkeys((*SCORES, "latency_s", "total_tokens", "prompt_tokens"), "nan"),
    "infinite everywhere": dict.fromkeys((*SCORES, "latency_s", "total_tokens", "decode_s"), "inf"),
    "zero everywhere": dict.fromkeys(
        (*SCORES, "latency_s", "total_tokens", "completion_tokens", "decode_s"), 0
    ),
    "negative everywhere": dict.fromkeys((*SCORES, "latency_s", "total_tokens", "completion_tokens"), -1),
    "huge everywhere": dict.fromkeys(
        (*SCORES, "latency_s", "total_tokens", "decode_s", "iteration"), "1e308"
    ),
    "tiny everywhere": dict.fromkeys((*SCORES, "latency_s", "total_tokens", "decode_s"), "5e-324"),
    "no names": {"framework": "", "item": "", "iteration": "", "arm": "", "task": ""},
    "all in quarantine": {"quarantine": "late_calls"},
    "all disturbed": {"quarantine": "disturbed"},
    "an unknown status": {"status": "exploded"},
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("shape", ["usual", "one run"])
def test_odd_values_in_each_shape_of_table(tmp_path: Path, name: str, shape: str) -> None:
    """Whatever all cells hold, the numbers are finite or null and the first screen has a sentence."""
    wanted: dict[str, Any] = {
        "usual": {},
        "one run": {"frameworks": ("crewai",), "items": ("Alpha",), "iterations": 1},
    }[shape]
    analysis = analyse(read_runs(write_rows(tmp_path, [row | ODD[name] for row in clean_rows(**wanted)])))
    json.loads(analysis.model_dump_json(), parse_constant=refuse_constant)
    assert analysis.summary.headline.endswith(".")


@pytest.mark.parametrize("name", ["all failed", "all identical", "no number anywhere", "huge everywhere"])
def test_odd_values_reach_the_page(tmp_path: Path, name: str) -> None:
    """The page is whole, and holds neither nan nor inf as a figure."""
    _, page = report_of(tmp_path, [row | ODD[name] for row in clean_rows()])
    assert page.rstrip().endswith("</html>")
    body = page[page.index("<main") : page.index("</main>")]
    assert not re.search(r">\s*-?(nan|inf)\b", body)


def test_names_are_text_on_one_line(tmp_path: Path) -> None:
    """Markup, escape sequences, directions, line ends and length: shown, harmless, and told apart."""
    evil = [MARKUP, "\x1b[31mred", "left\u202eright", "two\nlines", "x" * 5_000, "x" * 5_001, "{{ 7*7 }}"]
    rows = clean_rows(frameworks=tuple(evil), items=(*evil, "Alpha"), iterations=1)
    analysis, page = report_of(tmp_path, rows)
    assert len(analysis.frameworks) == len(evil)
    assert "<img" not in page
    assert not re.search(
        r"[\x00-\x08\x0b-\x1f\u202a-\u202e]", page[: page.index('<script type="application/json"')]
    )
    assert max(map(len, analysis.frameworks)) <= MOST_NAME + 10
    assert "{{ 7*7 }}" in page


def test_names_that_need_no_change_have_none() -> None:
    """What is harmless stays as it is, in any script; what is changed carries a mark of what it was."""
    for name in ("crewai", "openai agents", "Zürich 📈", "名前", "a" * MOST_NAME, ""):
        assert readable_name(name) == name
    assert readable_name("a\x00") != readable_name("a\x01")
    assert readable_name("a b") != readable_name("a\nb")


def test_errors_do_not_steer_the_terminal(tmp_path: Path) -> None:
    """A column called like an escape sequence is quoted without it."""
    (tmp_path / "runs.csv").write_text("framework,\x1b[2Jitem\nx,y\n")
    ended = CliRunner().invoke(app, [str(tmp_path)])
    assert ended.exit_code == 2
    assert "\x1b" not in ended.output


def test_a_row_longer_than_the_header_is_an_error(tmp_path: Path) -> None:
    """More cells than columns would move values under other names."""
    rows = write_rows(tmp_path, clean_rows()) / "runs.csv"
    lines = rows.read_text().splitlines()
    rows.write_text("\n".join([lines[0], *(f"{line},extra" for line in lines[1:])]))
    with pytest.raises(UserError, match=r"runs\.csv"):
        read_runs(tmp_path)


CELLS = st.one_of(
    st.sampled_from(
        ["", "nan", "inf", "-inf", "0", "-1", "1", "7", "9.5", "1e308", "-1e308", "5e-324", "1e999", "x"]
    ),
    st.floats().map(str),
    st.text(max_size=8),
    st.just(MARKUP),
)
NAMES = st.one_of(
    st.sampled_from(["a", "b", "c", "direct", "scripted", "a-aa", MARKUP, ""]), st.text(max_size=6)
)
COLUMNS = [
    "framework", "item", "iteration", "overall", "latency_s", "total_tokens", "arm", "task", "status", "position",
    "completeness", "accuracy", "completion_tokens", "prompt_tokens", "decode_s", "model_s", "report_digest",
    "quarantine", "node", "started_at", "attempt", "fact_recall", "words_in_range", "native_prompt_tokens",
    "unsupported_sentences", "limits_hit", "verdict_of", "judge", "framework_s", "energy_j", "other_share",
]  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> str:
    """A small CSV with the required columns and some others, whose cells may be anything."""
    columns = COLUMNS[:6] + draw(st.lists(st.sampled_from(COLUMNS[6:]), unique=True, max_size=10))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    usual = {"framework": NAMES, "item": NAMES, "iteration": st.sampled_from(["1", "2", "3"]),
             "status": st.sampled_from(["completed"] * 4 + ["timeout", "model_error", "x", ""])}  # fmt: skip
    for _ in range(draw(st.integers(0, 12))):
        odd = draw(st.integers(0, 3)) == 0
        writer.writerow([draw(CELLS if odd or name not in usual else usual[name]) for name in columns])
    return text.getvalue()


def check_table(table: str, *, page: bool) -> None:
    """Raises nothing but UserError."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "runs.csv"
        source.write_text(table, encoding="utf-8", errors="replace", newline="")
        try:
            analysis = analyse(read_runs(source))
        except UserError:
            return
    json.loads(analysis.model_dump_json(), parse_constant=refuse_constant)
    if page:
        assert MARKUP not in render_html(analysis)


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(table=tables())
def test_any_small_table_is_analysed(table: str) -> None:
    """No cell makes a traceback, or a number that JSON does not know."""
    check_table(table, page=False)


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(table=tables())
def test_any_small_table_is_shown(table: str) -> None:
    """No name is markup on the page."""
    check_table(table, page=True)


def test_the_published_table_needs_nothing_of_this(tmp_path: Path) -> None:
    """Its names come through as they are."""
    path, analysis = write_report(PUBLISHED, tmp_path / "report.html")
    assert path.is_file()
    assert set(analysis.frameworks) == {"msagent", "crewai", "autogen", "langgraph", "agents_sdk"}
    assert analysis.items == ["Anthropic", "Datadog", "Stripe"]
