"""Plant one defect in a report: what an audit shows a judge to learn whether it sees anything.

Pure and seeded: the same report, defect, evidence and seed give the same copy on every machine. Damage
changes what `shared.defects` says and nothing else. No model is asked.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import combinations

from judge.damage_figures import alter_figure, invent
from judge.damage_plan import CannotPlant, Plan
from judge.damage_words import FILLERS, NOTHING_CONCLUDED, ORDERS, PRAISE
from judge.judge_prompt import MAX_REPORT_CHARS
from judge.report_parts import FEWEST_WORDS, Paragraph, Parts, Section, read_parts, with_sentence, words_in
from shared.packing import text_digest

__all__ = ["CannotPlant", "damage"]

CUT_AFTER = (0.5, 0.67)
FEWEST_WORDS_TO_CUT = 30
PADDING_SHARE = 0.5
"""Words added over the report's own."""
LARGEST_SECTION = 0.6
"""Of the characters: a title with the whole report below it is no section to remove."""
MOST_ALIKE = 0.5
"""Share of words in common (Jaccard) above which swapping two paragraphs changes too little to be seen."""
MOST_PARAGRAPHS = 40
"""Compared with one another; a report that a judge is shown whole hardly has more."""
CONCLUDING = frozenset(
    {"insight", "insights", "conclusion", "conclusions", "analysis", "assessment", "implications", "outlook"}
    | {"takeaways", "recommendations"}
)


def damage(text: str, defect: str, *, evidence: str, seed: int) -> str:
    """The report with `defect` (a key of `shared.defects.DEFECTS`) in it.

    Raises:
        CannotPlant: This report has no place for it, or a judge would not be shown it; says why.
    """
    if len(text) > MAX_REPORT_CHARS:
        raise CannotPlant(f"longer than the {MAX_REPORT_CHARS:,} characters that a judge is shown")
    drawn = random.Random(f"{seed}:{defect}:{text_digest(text)}")  # noqa: S311 - a draw, not a secret
    copy = _PLANTED_BY[defect](Plan(read_parts(text), evidence, drawn))
    if copy == text:
        raise CannotPlant("the copy is no different")
    if len(copy) > MAX_REPORT_CHARS:
        raise CannotPlant(f"the copy exceeds the {MAX_REPORT_CHARS:,} characters that a judge is shown")
    return copy


def _remove_section(plan: Plan) -> str:
    parts = plan.parts
    most = LARGEST_SECTION * sum(map(len, parts.lines))
    candidates = [s for s in parts.sections if _has_body(parts, s) and len(parts.text_of(s)) <= most]
    if len(candidates) < 2:
        raise CannotPlant("fewer than two sections with text")
    gone = plan.drawn.choice(candidates)
    return "\n".join(parts.lines[: gone.start] + parts.lines[gone.end :])


def _cut_end(plan: Plan) -> str:
    text = plan.text
    if len(words_in(text)) < FEWEST_WORDS_TO_CUT:
        raise CannotPlant(f"fewer than {FEWEST_WORDS_TO_CUT} words")
    kept = text[: int(len(text) * plan.drawn.uniform(*CUT_AFTER))]
    shorter = kept.rstrip().rpartition(" ")[0].rstrip(" \t\r\n.,;:!?#*-")
    return shorter or kept


def _swap_paragraphs(plan: Plan) -> str:
    """One of the pairs that have least in common: the swap of two that say the same is no defect."""
    parts = plan.parts
    few = parts.paragraphs[:MOST_PARAGRAPHS]
    words = [frozenset(words_in(parts.text_of(paragraph))) for paragraph in few]
    alike = {
        (one, other): len(words[one] & words[other]) / len(words[one] | words[other])
        for one, other in combinations(range(len(few)), 2)
        if few[one].section != few[other].section or not parts.sections
    }
    pairs = sorted((pair for pair in alike if alike[pair] <= MOST_ALIKE), key=lambda pair: alike[pair])
    if not pairs:
        raise CannotPlant("no two paragraphs under different headings that differ in most words")
    one, other = plan.drawn.choice(pairs[: max(1, len(pairs) // 3)])
    return _exchanged(parts, few[one], few[other])


def _exchanged(parts: Parts, first: Paragraph, second: Paragraph) -> str:
    lines = parts.lines
    return "\n".join(
        [
            *lines[: first.start],
            *lines[second.start : second.end],
            *lines[first.end : second.start],
            *lines[first.start : first.end],
            *lines[second.end :],
        ]
    )


def _empty_conclusions(plan: Plan) -> str:
    parts = plan.parts
    concluding = [s for s in parts.sections if CONCLUDING & set(words_in(s.heading)) and _has_body(parts, s)]
    if not concluding:
        raise CannotPlant("no section of insights or conclusions")
    lines: list[str] = []
    done = 0
    for section in concluding:
        if section.start < done:
            continue  # within one that is emptied already
        after = [] if section.end == len(parts.lines) else [""]
        lines += [*parts.lines[done : section.start + 1], "", NOTHING_CONCLUDED, *after]
        done = section.end
    return "\n".join(lines + parts.lines[done:])


def _pad(plan: Plan) -> str:
    parts, lines = plan.parts, list(plan.parts.lines)
    ends = [paragraph.end - 1 for paragraph in parts.paragraphs]
    if not ends:
        raise CannotPlant("no paragraph")
    owed = PADDING_SHARE * len(plan.text.split())
    turn = plan.drawn.randrange(len(FILLERS))
    while owed > 0:
        for end in ends:
            filler = FILLERS[turn % len(FILLERS)]
            lines[end] = with_sentence(lines[end], filler)
            owed -= len(filler.split())
            turn += 1
            if owed <= 0:
                break
    return "\n".join(lines)


def _flatter(plan: Plan) -> str:
    return _with_note(plan, PRAISE)


def _instruct(plan: Plan) -> str:
    return _with_note(plan, ORDERS)


def _with_note(plan: Plan, notes: tuple[str, ...]) -> str:
    """As a paragraph of its own at the beginning or at the end."""
    note, text = plan.drawn.choice(notes), plan.text
    return f"{note}\n\n{text}" if plan.drawn.random() < 0.5 else f"{text}\n\n{note}"


def _has_body(parts: Parts, section: Section) -> bool:
    return len(words_in(parts.body_of(section))) >= FEWEST_WORDS


_PLANTED_BY: dict[str, Callable[[Plan], str]] = {
    "section_removed": _remove_section,
    "end_cut": _cut_end,
    "figure_altered": alter_figure,
    "invention": invent,
    "paragraphs_swapped": _swap_paragraphs,
    "conclusions_emptied": _empty_conclusions,
    "padding": _pad,
    "flattery": _flatter,
    "instructions": _instruct,
}
