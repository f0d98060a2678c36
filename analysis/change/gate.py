"""`levelfield gate`: is head worse than base by more than was allowed? It fails on what the data support."""

from __future__ import annotations

from analysis.change.changes import Pair, same_names, steps
from analysis.change.decide import Ground, decide
from analysis.change.diff import notes
from analysis.change.gate_words import describe
from analysis.change.gated_pairs import Wanted, gated_pairs
from analysis.change.held import Held, corrected
from analysis.change.made import made_differently, obstacles
from analysis.change.result import CHANGE_METRICS, Gate, GateLine, MadeDifference
from analysis.change.side import Side, as_share
from analysis.wording import listing
from shared.errors import UserError

CONTROL = "direct"
"""Has no framework: where its latency changed between two experiments, the machine or the model did."""
NO_CONTROL = (
    "Nothing tells a slower machine from a slower framework: run `direct` in both experiments, or, better, "
    "both versions in one plan."
)


def gate(base: Side, head: Side, wanted: Wanted) -> Gate:
    """Raises UserError: what is named is not there, or the two were not asked the same."""
    made = made_differently(base, head)
    _refuse_other_questions(made)
    held = corrected(
        [
            Held(
                pair, metric, wanted.margins[metric], steps(base, head, pair, metric), obstacles(metric, made)
            )
            for pair in gated_pairs(base, head, wanted)
            for metric in CHANGE_METRICS
            if metric in wanted.margins
        ]
    )
    family, drift = sum(one.p_holm is not None for one in held), _drift(base, head)
    said = notes(base, head)
    if "latency_s" in wanted.margins and drift is None:
        said.append(NO_CONTROL)
    lines = []
    for one in held:
        noise = (base.noise(one.metric), head.noise(one.metric))
        lines.append(_line(base, head, one, Ground(noise, drift, family)))
    return Gate(base=base.info, head=head.info, made=made, lines=lines, notes=said)


def _refuse_other_questions(made: list[MadeDifference]) -> None:
    differing = [difference.what for difference in made if difference.spoils == "everything"]
    if differing:
        raise UserError(
            "BASE and HEAD were not made alike, so a change would say nothing of a framework: "
            f"{listing(differing)}. Run both with the same plan, model and Levelfield; `levelfield diff` "
            "shows what differs."
        )


def _drift(base: Side, head: Side) -> float | None:
    """The floor's step in latency between two experiments; 0 within one, whose order is random."""
    if base.runs is head.runs:
        return 0.0
    control = [pair for pair in same_names(base, head) if pair.base[0] == CONTROL]
    found = [steps(base, head, pair, "latency_s") for pair in control]
    return max((float(at.each.mean()) for at in found if at.usable), key=abs, default=None)


def _line(base: Side, head: Side, one: Held, ground: Ground) -> GateLine:
    metric = one.metric
    status, reason = decide(one, ground)
    line = GateLine(
        framework=one.pair.head[0],
        title=_title(base, head, one.pair),
        arm=one.pair.head[1],
        metric=metric,
        margin=one.margin,
        status=status,
        text="",
        n_items=len(one.at.items),
        base=one.at.base.mean() if one.at.items else None,
        head=one.at.head.mean() if one.at.items else None,
        change=as_share(metric, one.mean),
        at_least=as_share(metric, one.bounds[0]) if one.bounds else None,
        at_most=as_share(metric, one.bounds[1]) if one.bounds else None,
        p=one.p,
        p_holm=one.p_holm,
        noise_base=as_share(metric, ground.noise[0]),
        noise_head=as_share(metric, ground.noise[1]),
    )
    return line.model_copy(update={"text": describe(line, reason)})


def _title(base: Side, head: Side, pair: Pair) -> str:
    before, after = base.title(pair.base), head.title(pair.head)
    return after if before == after else f"{before} \u2192 {after}"
