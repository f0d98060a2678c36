"""Single runs as the page holds them: one JSON text for the script, and what is said of those left out."""

from __future__ import annotations

import json
import math
from typing import Any

from analysis.packed import packed
from analysis.run_pages.read import RunPages
from analysis.waterfall_view import run_bars, stage_data

QUALITY_DIGITS, LATENCY_DIGITS = 3, 3


def packed_runs(pages: RunPages) -> str:
    """Empty without any page. JSON: `run_data` of run_data.js reads it."""
    if not pages.pages:
        return ""
    text = json.dumps(runs_data(pages), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return packed(text)


def runs_data(pages: RunPages) -> dict[str, Any]:
    """Runs as [subject, item, iteration, status, quality, latency_s, tokens, page], names by their places.

    `page` is -1 where the page of that run is left out.
    """
    subjects = sorted(pages.titles, key=lambda subject: (pages.titles[subject].casefold(), subject))
    items = sorted({row[1] for row in pages.rows})
    statuses = sorted({row[3] for row in pages.rows})
    at = {page.place: place for place, page in enumerate(pages.pages)}
    of_subject, of_item, of_status = (
        {name: place for place, name in enumerate(names)} for names in (subjects, items, statuses)
    )
    rows = sorted(pages.rows, key=lambda row: (of_subject[row[0]], row[1], row[2]))
    return {
        "subjects": [pages.titles[subject] for subject in subjects],
        "items": items,
        "statuses": [str(status).replace("_", " ") for status in statuses],
        "runs": [
            [
                *(of_subject[subject], of_item[item], iteration, of_status[status]),
                *(_number(quality, QUALITY_DIGITS), _number(latency, LATENCY_DIGITS), _number(tokens, 0)),
                at.get((subject, item, iteration), -1),
            ]
            for subject, item, iteration, status, quality, latency, tokens in rows
        ],
        "pages": [page.content | {"waterfall": run_bars(page.waterfall)} for page in pages.pages],
        "texts": pages.texts,
        **stage_data(),
    }


def left_out_sentence(pages: RunPages) -> str:
    """Empty when every run has its page."""
    missing = len(pages.rows) - len(pages.pages)
    if missing <= 0:
        return ""
    return (
        f"The requests and texts of {len(pages.pages):,} of {len(pages.rows):,} runs are in this file, "
        "one of every framework on every item first. `levelfield report --all-runs` writes them all into it."
    )


def _number(value: float, digits: int) -> float | None:
    if not math.isfinite(value):
        return None
    rounded = round(value, digits)
    return int(rounded) if rounded == int(rounded) else rounded
