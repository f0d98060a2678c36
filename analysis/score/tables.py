"""What the task's own score counts, as a table and a sentence for each figure."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.result import Analysis
from analysis.score.result import FigureMean, SubjectScore, TaskScore
from analysis.tables import MISSING, Cell, Table, digits_for, number, plain_cells, titled
from analysis.wording import plural
from shared.score_figures import Better

DIRECTIONS: dict[Better, str] = {
    "higher": "Higher is better.",
    "lower": "Lower is better.",
    "neither": "Neither more nor less is better by itself.",
}


def score_table(analysis: Analysis) -> Table | None:
    score = analysis.score
    if score is None:
        return None
    shown = {name: f for name, f in analysis.frameworks.items() if name in score.frameworks}
    columns = {name: _column(score, name, list(shown)) for name in score.figures}
    told = any(found.followed is not None for found in score.frameworks.values())
    rows = []
    for place, (name, framework) in enumerate(shown.items()):
        found = score.frameworks[name]
        cells = [number(found.runs, 0), *(texts[place] for texts in columns.values())]
        followed = [Cell(_followed(found), strong=bool(found.followed))] if told else []
        rows.append([titled(name, framework), *plain_cells(cells), *followed])
    return Table(
        "score",
        "What the score counts, means over completed runs",
        (
            "Framework",
            "Runs",
            *map(_heading, score.figures),
            *(("Runs that followed an instruction",) if told else ()),
        ),
        rows,
        "Runs that followed an instruction did what their material told them; counted among all runs, also "
        "those whose material gives no orders."
        if told
        else "",
    )


def meanings(score: TaskScore) -> Iterator[tuple[str, str]]:
    """Heading and explanation of each figure that the task explains."""
    for name, figure in score.figures.items():
        if figure.means and figure.better:
            yield _heading(name), f"{figure.means} {DIRECTIONS[figure.better]}"


def _heading(figure: str) -> str:
    return figure.replace("_", " ").capitalize()


def _column(score: TaskScore, figure: str, subjects: list[str]) -> list[str]:
    found = [score.frameworks[subject] for subject in subjects]
    means = [subject.means.get(figure) for subject in found]
    digits = digits_for(mean.mean for mean in means if mean)
    return [_mean(mean, subject.runs, digits) for mean, subject in zip(means, found, strict=True)]


def _mean(found: FigureMean | None, runs: int, digits: int) -> str:
    if found is None:
        return MISSING
    return number(found.mean, digits) + ("" if found.n == runs else f" ({plural(found.n, 'run')})")


def _followed(found: SubjectScore) -> str:
    return MISSING if found.followed is None else f"{found.followed} of {found.runs}"
