"""Analysis -> one HTML file that needs nothing from outside itself."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from analysis import run_tables
from analysis.figure import colours
from analysis.figures import draw_figures
from analysis.guide import tables as guide_tables
from analysis.guide.page import guide_data
from analysis.packed import packed
from analysis.result import Analysis, FrameworkResult
from analysis.run_pages.read import RunPages
from analysis.run_pages.view import left_out_sentence, packed_runs
from analysis.vocabulary import VOCABULARY
from analysis.waterfall_view import waterfall_table

TEMPLATES = Path(__file__).parent / "templates"
RUN_SCRIPTS = ("waterfall.js", "text_diff.js", "run_choice.js", "run_page.js", "compare_runs.js", "runs.js")
_SECTION = re.compile(r'<section id="([\w-]+)"[^>]*>\s*<h2[^>]*>(.*?)</h2>', re.DOTALL)


def render_html(analysis: Analysis, pages: RunPages | None = None) -> str:
    pages = pages or RunPages()
    figures = draw_figures(analysis)
    return render_page(
        "report.html.j2",
        analysis.setup.experiment,
        analysis.frameworks,
        plotly=get_plotlyjs() if figures or pages.pages else "",
        more_scripts={
            "what_if": _text("what_if.js") if analysis.spending and analysis.what_if.rates else "",
            "guide": _text("guide.js") if guide_tables.weights_table(analysis) else "",
        },
        a=analysis,
        figures=figures,
        figure_data={figure.id: figure.content for figure in figures.values()},
        run_data=packed_runs(pages),
        run_count=len(pages.rows),
        runs_left_out=left_out_sentence(pages),
        waterfall_table=waterfall_table(analysis, pages.waterfalls),
        guide_data=guide_data(analysis),
        setup_tables=run_tables.setup_tables(analysis),
    )


def render_page(
    template: str,
    experiment: str,
    frameworks: Mapping[str, FrameworkResult],
    *,
    plotly: str = "",
    more_scripts: Mapping[str, str] | None = None,
    figure_data: Mapping[str, Any] | None = None,
    **values: Any,
) -> str:
    """A page that extends `shell.html.j2`; `values` are what its template names."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals |= VOCABULARY
    environment.filters["unbroken"] = _unbroken
    environment.filters["contents"] = _contents
    scripts = {
        "theme": _text("theme.js"),
        "packed": _text("packed.js"),
        "runs": "\n".join(map(_text, RUN_SCRIPTS)),
        **(more_scripts or {}),
        "report": _text("report.js"),
    }
    return environment.get_template(template).render(
        experiment=experiment,
        colours=colours(frameworks),
        plotly_code=packed(plotly) if plotly else "",
        figure_data=figure_data or {},
        style=Markup(_text("style.css")),  # noqa: S704 - our own file
        scripts={name: Markup(text) for name, text in scripts.items()},  # noqa: S704 - our own files
        content_policy=_content_policy([*scripts.values(), *([plotly] if plotly else [])]),
        **values,
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
