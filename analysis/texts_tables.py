"""Tables of what the reports' texts say without a judge."""

from __future__ import annotations

from analysis.result import Analysis
from analysis.tables import Cell, Table, number, plain_cells, share, titled

MOST_SENTENCES = 100
"""Rows on the page; the JSON holds more."""


def checks_table(analysis: Analysis) -> Table | None:
    """What newer checks found; None for records and files that do not know it."""
    rows = []
    for name, f in analysis.frameworks.items():
        c = f.checks
        values = (c.unsupported_sentences, c.repetition, c.in_asked_language)
        if any(value is not None for value in values):
            texts = [number(c.unsupported_sentences, 1), share(c.repetition), share(c.in_asked_language)]
            rows.append([titled(name, f), *plain_cells(texts)])
    if not rows:
        return None
    return Table(
        "text-checks",
        "What else can be read from the texts, means over completed runs",
        (
            "Framework",
            "Sentences with unknown figures or names",
            "Repeated word 4-grams",
            "In the language asked for",
        ),
        rows,
        "Unknown is what no known fact of the item holds, right or wrong. "
        "Repeated 4-grams: 0% for a text that never says four words in a row again, nearly 100% for a loop.",
    )


def unsupported_table(analysis: Analysis) -> Table | None:
    texts = analysis.texts
    if not texts.unsupported:
        return None
    shown = texts.unsupported[:MOST_SENTENCES]
    rows = []
    for found in shown:
        held_by = ", ".join(
            f"{analysis.frameworks[name].title} ({count})" for name, count in found.reports.items()
        )
        rows.append(
            [
                Cell(found.item),
                Cell(found.sentence),
                Cell(", ".join(found.unsupported), strong=True),
                Cell(held_by),
            ]
        )
    cut = (
        f" Shown are the {len(shown)} in most reports of {texts.distinct_unsupported:,}."
        if texts.distinct_unsupported > len(shown)
        else ""
    )
    return Table(
        "unsupported",
        "Sentences with figures or names that no source holds",
        ("Item", "Sentence", "In no source", "Reports that hold it"),
        rows,
        "Found by rule, so read them before believing them: how often the rule is right is measured in "
        f"docs/judge_checks.md.{cut}",
        frozenset({1, 2, 3}),
    )


def similarity_table(analysis: Analysis) -> Table | None:
    """A row and a column per framework; None where there is nothing to compare."""
    values = {(pair.a, pair.b): pair.similarity for pair in analysis.texts.alike}
    named = {name for pair in values for name in pair}
    order = [name for name in analysis.frameworks if name in named]
    if not values:
        return None
    rows = [
        [
            titled(a, analysis.frameworks[a]),
            *plain_cells(number(values.get((a, b), values.get((b, a)))) for b in order),
        ]
        for a in order
    ]
    titles = (analysis.frameworks[name].title for name in order)
    return Table(
        "similarity",
        "How alike the reports on one item are, from 0 to 1",
        ("Framework", *titles),
        rows,
        "Jaccard index of word 5-grams, mean over items. 1: word for word the same. Beside itself: a "
        "framework's different reports on one item; no figure when they are all the same. At most "
        f"{analysis.texts.texts_per_item} texts per framework and item are compared, of "
        f"{analysis.texts.items_compared} items.",
    )
