"""Several tasks -> the page that leads to their reports, and its short form for a pull request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analysis.across.result import AcrossTasks
from analysis.across.tables import completed_table, holding_tables, profile_tables
from analysis.markdown_text import escaped
from analysis.render import render_page


def render_across(across: AcrossTasks, files: Mapping[str, str]) -> str:
    """`files`: task -> name of its report, which lies beside this page."""
    frameworks = {name: f for task in across.tasks.values() for name, f in task.frameworks.items()}
    return render_page(
        "across.html.j2",
        across.experiment,
        frameworks,
        a=across,
        files=files,
        holding_tables=holding_tables(across),
        profile_tables=profile_tables(across),
        completed_table=completed_table(across),
    )


def markdown_across(across: AcrossTasks, files: Sequence[str]) -> str:
    """GitHub-flavoured Markdown."""
    lines = [
        f"## Levelfield: {escaped(across.experiment)}",
        f"**{escaped(across.headline)}**",
        *(f"- {escaped(sentence)}" for sentence in across.sentences),
        "### Each task by itself",
        *(
            f"- **{escaped(task)}**: {escaped(analysis.summary.headline)}"
            for task, analysis in across.tasks.items()
        ),
        f"Everything else: {', '.join(f'`{name}`' for name in files)}.",
    ]
    return "\n\n".join(lines).replace("\n\n- ", "\n- ") + "\n"
