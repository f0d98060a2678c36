"""Which frameworks a gate holds against which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.change.changes import Pair, same_names
from analysis.change.result import ChangeMetric
from analysis.change.side import Side
from analysis.wording import listing
from shared.errors import UserError


@dataclass(frozen=True)
class Wanted:
    """What to gate: all frameworks that both have, or those named, or one name against another."""

    margins: Mapping[ChangeMetric, float]
    """How much worse each metric may be, as a share of the base's value; of failures, of all runs."""
    frameworks: tuple[str, ...] = ()
    base_name: str | None = None
    head_name: str | None = None
    """Such as another version of `base_name`."""


def gated_pairs(base: Side, head: Side, wanted: Wanted) -> list[Pair]:
    """Raises UserError: what is named is not there."""
    if wanted.base_name or wanted.head_name:
        return _one_against_another(base, head, wanted)
    both = same_names(base, head)
    there = {pair.base[0] for pair in both}
    for name in wanted.frameworks:
        if name not in there:
            raise UserError(f"{name} is not in both. {_names(base, head)}")
    if wanted.frameworks:
        return [pair for pair in both if pair.base[0] in wanted.frameworks]
    # The floor has no framework to get worse, and a dry run no model: only who asks for them gets them.
    pairs = [pair for pair in both if base.role(pair.base[0]) == "framework"]
    if not pairs:
        raise UserError(f"No framework is in both. {_names(base, head)}")
    return pairs


def _one_against_another(base: Side, head: Side, wanted: Wanted) -> list[Pair]:
    before = str(wanted.base_name or wanted.head_name)
    after = str(wanted.head_name or wanted.base_name)
    if base.runs is head.runs and before == after:
        raise UserError(f"{before} cannot be held against itself: name both with --base and --head.")
    pairs = [Pair((before, arm), (after, arm)) for arm in sorted({arm for _, arm in base.subjects})]
    pairs = [pair for pair in pairs if pair.base in base.subjects and pair.head in head.subjects]
    if not pairs:
        raise UserError(f"{before} in BASE and {after} in HEAD are not both there. {_names(base, head)}")
    return pairs


def _names(base: Side, head: Side) -> str:
    mine, its = (listing(sorted({name for name, _ in side.subjects})) for side in (base, head))
    return f"BASE has {mine}; HEAD has {its}."
