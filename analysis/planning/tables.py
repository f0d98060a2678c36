"""A size plan in sentences and tables, for the report and the terminal."""

from __future__ import annotations

from analysis.planning.power import MOST_ITEMS
from analysis.planning.result import Buy, Design, SizePlan
from analysis.significance_result import Metric
from analysis.tables import Table, number, plain_cells, share
from analysis.wording import in_unit, listing, plural

NAMES: dict[Metric, str] = {"quality": "quality", "latency_s": "latency", "tokens": "tokens"}
ONE_MORE: dict[Buy, str] = {
    "items": "one more item",
    "iterations": "one more iteration of everything",
    "judge_repeats": "one more verdict on every report",
}
MANY: dict[Buy, str] = {"items": "items", "iterations": "iterations", "judge_repeats": "judge repeats"}


def plan_sentences(plan: SizePlan) -> list[str]:
    """What is found, in plain words; the first answers the question."""
    if plan.reason:
        return [f"Nothing can be planned for {NAMES[plan.metric]}: {plan.reason}."]
    return [_answer(plan), *_interval(plan), _pilot(plan), *_next(plan), *plan.notes]


def designs_table(plan: SizePlan) -> Table | None:
    if not plan.designs:
        return None
    quality = plan.metric == "quality"
    return Table(
        f"designs-{plan.metric}",
        f"To show {_difference(plan)} in {NAMES[plan.metric]} with {plan.power:.0%} power, cheapest first",
        (
            *("Items", "Iterations", *(("Judge repeats",) if quality else ())),
            *("Runs", "Power", "Node-hours", *(("Judge-hours",) if quality else ()), "Tokens"),
        ),
        [plain_cells(_row(design, quality=quality)) for design in plan.designs],
        _test_words(plan),
    )


def purchases_table(plans: list[SizePlan]) -> Table | None:
    rows = [
        plain_cells(
            [
                f"{NAMES[plan.metric].capitalize()}: {ONE_MORE[purchase.buy]}",
                share(purchase.variance_less),
                number(purchase.hours, 2),
                number(purchase.gain_per_hour, 3),
            ]
        )
        for plan in plans
        for purchase in plan.purchases
    ]
    return (
        Table(
            "purchases",
            "What one more of each would buy",
            ("Bought", "Variance of a difference falls by", "Hours", "Fall of its logarithm per hour"),
            rows,
            "For all frameworks, beside what is here. Hours of nodes and judge together.",
        )
        if rows
        else None
    )


def _row(design: Design, *, quality: bool) -> list[str]:
    judged = [number(design.judge_repeats, 0)] if quality else []
    hours = [number(design.judge_hours)] if quality else []
    return [
        *(f"{design.items:,}", f"{design.iterations:,}", *judged, f"{design.runs:,}", share(design.power)),
        *(number(design.node_hours), *hours, number(design.tokens, 0)),
    ]


def _difference(plan: SizePlan) -> str:
    text = in_unit(plan.metric, plan.difference or 0.0)
    of_mean = plan.difference_share
    return text if of_mean is None or plan.metric == "quality" else f"{text} ({of_mean:.0%} of the mean)"


def _answer(plan: SizePlan) -> str:
    if not plan.designs:
        return (
            f"A difference of {_difference(plan)} in {NAMES[plan.metric]} is out of reach: even "
            f"{MOST_ITEMS:,} items would not show it with {plan.power:.0%} power."
        )
    best = plan.designs[0]
    sizes = [plural(best.items, "item"), plural(best.iterations, "iteration")]
    if best.judge_repeats is not None:
        sizes.append(plural(best.judge_repeats, "judge repeat"))
    cost = f"{best.runs:,} runs"
    if best.node_hours is not None:
        cost += f", {best.node_hours:,.2f} node-hours"
    if best.judge_hours is not None:
        cost += f" and {best.judge_hours:,.2f} hours of judging"
    if best.tokens is not None:
        cost += f", {best.tokens:,.0f} tokens"
    arm = f" in the {plan.arm} arm" if plan.arm else ""
    return (
        f"To show a difference of {_difference(plan)} in {NAMES[plan.metric]}{arm} between any two of "
        f"{plan.pilot.frameworks} frameworks with {plan.power:.0%} power: {listing(sizes)} ({cost})."
    )


def _interval(plan: SizePlan) -> list[str]:
    low, high = plan.items_low, plan.items_high
    if not plan.designs or low is None:
        return []
    upper = f"{high:,}" if high is not None else "more than can be run"
    return [
        f"As far as the pilot knows its variance, the items needed are between {low:,} and {upper} (95 %)."
    ]


def _pilot(plan: SizePlan) -> str:
    size = plan.pilot
    return (
        f"What is here ({plural(size.items, 'item')}, {plural(size.runs, 'run')}) shows that difference with "
        f"{share(plan.pilot_power)} power; with {plan.power:.0%} power it shows differences from "
        f"{in_unit(plan.metric, plan.pilot_shows or 0.0)} on."
    )


def _next(plan: SizePlan) -> list[str]:
    if not plan.purchases:
        return []
    best = plan.purchases[0]
    cost = "" if best.hours is None else f" for {best.hours:.2f} hours"
    what = f"{ONE_MORE[best.buy]} lowers the variance of a difference by {best.variance_less:.1%}{cost}"
    return [f"Worth buying next: {MANY[best.buy]} ({what})."]


def _test_words(plan: SizePlan) -> str:
    return (
        f"Two-sided paired t test over items at {plan.alpha:g} / {plan.comparisons} for "
        f"{plural(plan.comparisons, 'pair')} (Bonferroni; Holm's procedure is never weaker). All frameworks "
        "are taken to vary alike."
    )
