"""Analysis -> one HTML file that needs nothing from outside itself."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import jinja2
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from analysis import (
    audit_tables,
    latency_tables,
    machine_tables,
    people_sentences,
    people_tables,
    run_tables,
    tables,
    texts_tables,
)
from analysis.alarm_titles import ALARM_TITLES
from analysis.audit_verdict import sentence_on
from analysis.consistency import sentences as consistency_sentences
from analysis.consistency import tables as consistency_tables
from analysis.cost import tables as cost_tables
from analysis.drift import SHORTEST_S
from analysis.estimates import tables as estimate_tables
from analysis.fairness import view as fairness_view
from analysis.figure import colours
from analysis.figures import draw_figures
from analysis.guide import tables as guide_tables
from analysis.guide.page import guide_data
from analysis.mean_interval import FEWEST_ITEMS
from analysis.meter_tables import meters_table
from analysis.mixed import tables as mixed_tables
from analysis.packed import packed
from analysis.panel import sentences as panel_sentences
from analysis.panel import tables as panel_tables
from analysis.planning import tables as planning_tables
from analysis.result import Analysis
from analysis.run_pages.read import RunPages
from analysis.run_pages.view import left_out_sentence, packed_runs
from analysis.variance import tables as variance_tables
from analysis.waterfall_view import waterfall_table
from analysis.what_if import tables as what_if_tables
from analysis.what_if.view import what_if_data

TEMPLATES = Path(__file__).parent / "templates"
RUN_SCRIPTS = ("waterfall.js", "text_diff.js", "run_choice.js", "run_page.js", "compare_runs.js", "runs.js")
_SECTION = re.compile(r'<section id="([\w-]+)"[^>]*>\s*<h2[^>]*>(.*?)</h2>', re.DOTALL)


def render_html(analysis: Analysis, pages: RunPages | None = None) -> str:
    pages = pages or RunPages()
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["unbroken"] = _unbroken
    environment.filters["contents"] = _contents
    figures = draw_figures(analysis)
    plotly = get_plotlyjs() if figures or pages.pages else ""
    scripts = {
        "theme": _text("theme.js"),
        "packed": _text("packed.js"),
        "runs": "\n".join(map(_text, RUN_SCRIPTS)),
        "what_if": _text("what_if.js") if analysis.spending and analysis.what_if.rates else "",
        "report": _text("report.js"),
        "guide": _text("guide.js") if guide_tables.weights_table(analysis) else "",
    }
    return environment.get_template("report.html.j2").render(
        a=analysis,
        figures=figures,
        figure_data={figure.id: figure.content for figure in figures.values()},
        plotly_code=packed(plotly) if plotly else "",
        run_data=packed_runs(pages),
        run_count=len(pages.rows),
        runs_left_out=left_out_sentence(pages),
        waterfall_table=waterfall_table(analysis, pages.waterfalls),
        tables=tables,
        latency_tables=latency_tables,
        machine_tables=machine_tables,
        texts_tables=texts_tables,
        meters_table=meters_table,
        run_tables=run_tables,
        people_sentences=people_sentences,
        people_tables=people_tables,
        consistency_sentences=consistency_sentences,
        consistency_tables=consistency_tables,
        fairness_view=fairness_view,
        guide_tables=guide_tables,
        guide_data=guide_data(analysis),
        audit_tables=audit_tables,
        sentence_on=sentence_on,
        cost_tables=cost_tables,
        what_if_tables=what_if_tables,
        what_if_data=what_if_data,
        panel_sentences=panel_sentences,
        panel_tables=panel_tables,
        mixed_tables=mixed_tables,
        planning_tables=planning_tables,
        variance_tables=variance_tables,
        alarm_titles=ALARM_TITLES,
        setup_tables=run_tables.setup_tables(analysis),
        colours=colours(analysis),
        estimate_tables=estimate_tables,
        fewest_items=FEWEST_ITEMS,
        shortest_ms=round(SHORTEST_S * 1000),
        style=Markup(_text("style.css")),  # noqa: S704 - our own file
        scripts={name: Markup(text) for name, text in scripts.items()},  # noqa: S704 - our own files
        content_policy=_content_policy([*scripts.values(), *([plotly] if plotly else [])]),
    )


def _contents(sections: str) -> list[tuple[str, Markup]]:
    """Id and heading of every section that has both, in their order: what the page's own navigation lists."""
    return [(found[1], Markup(found[2])) for found in _SECTION.finditer(sections)]  # noqa: S704 - out of our HTML


def _unbroken(text: str) -> str:
    """Keep a number with its unit and p with its value on one line."""
    return re.sub(r"(?<=\d) (?=s\b)|(?<=\b[pnr]) (?== )|(?<=[pnr] =) ", "\u00a0", text)


def _text(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8").strip()


def _content_policy(scripts: list[str]) -> str:
    """Nothing is fetched, and only our own scripts run, whatever a name or an error message may hold."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:"
