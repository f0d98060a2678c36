"""How sure the findings are, and what cannot be concluded, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb

from analysis.estimates.sentences import decider_sentences
from analysis.estimates.sign_flips import smallest_p
from analysis.findings import Findings
from analysis.panel.sentences import budget_sentence
from analysis.result import SIGNIFICANCE_LEVEL
from analysis.significance_result import Metric
from analysis.wire_result import DifferenceMetric
from analysis.wording import in_unit, listing, p_text, plural

LABELS: dict[DifferenceMetric, str] = {
    "quality": "quality ",
    "latency_s": "latency ",
    "framework_s": "the framework's own time ",
    "tokens": "",
}

CLASSIC: dict[Metric, str] = {"quality": "Quality", "latency_s": "Latency", "tokens": "Tokens"}

FEW_ITEMS = 10
"""Below this many items nobody should speak of tasks in general."""


def certainty_sentences(f: Findings) -> Iterator[str]:
    if not f.compared:
        return
    sizes = sorted({x.n for x in f.compared})
    size = str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    sentence = f"n = {size} completed {'run' if size == '1' else 'runs'} per framework"
    if f.alarm("pseudo_replication"):
        r = f.replication
        sentence += (
            f", but the {r.completed:,} runs hold only {plural(r.distinct_outputs or 0, 'distinct report')}: "
            f"the effective n is about {r.effective_n:.0f} per framework"
        )
    yield f"{sentence}."
    if len(f.compared) < 2:
        return
    yield _noise_sentence(f)
    for metric, name in CLASSIC.items():
        tests = f.omnibus[metric]
        if tests.kruskal_wallis.p is None:
            yield f"{name}: no test is possible ({tests.kruskal_wallis.reason})."
            continue
        by_item, counted = tests.kruskal_wallis_item_means, tests.friedman_permutation
        yield (
            f"{name}: counting every run, Kruskal-Wallis {p_text(tests.kruskal_wallis.p)}; "
            + (f"on one mean per item, {p_text(by_item.p)}; " if f.iterations > 1 else "")
            + f"comparing item by item (Friedman), {p_text(tests.friedman.p)}"
            + (
                f", by counting orders {p_text(counted.p)} ({counted.reason})"
                if counted.p is not None
                else ""
            )
            + "."
        )
    yield from decider_sentences(f)
    if f.panel and (budget := budget_sentence(f.panel.budget)):
        yield budget


def _noise_sentence(f: Findings) -> str:
    floor = f.floor
    if not floor.pairs:
        return "How much of a difference is noise cannot be known: no framework was run against itself."
    names = listing(list(dict.fromkeys(f.name(f.frameworks[pair.a].framework) for pair in floor.pairs)))
    words = [
        f"{label}{in_unit(metric, noise.mean_absolute)} (largest {in_unit(metric, noise.largest)})"
        for metric, label in LABELS.items()
        if (noise := floor.metrics.get(metric))
    ]
    items = max((noise.n_items for noise in floor.metrics.values()), default=0)
    return f"Noise floor, from {names} run against itself ({plural(items, 'item pair')}): {listing(words)}."


def limit_sentences(f: Findings) -> Iterator[str]:
    yield from f.setup.notes
    if not f.compared:
        return
    if len(f.compared) > 1:
        yield from _limits_of_tests(f)
    if len(f.items) < FEW_ITEMS:
        yield (
            f"How the frameworks do on other tasks: {plural(len(f.items), 'item')} cannot stand for tasks "
            "in general."
        )
    if f.alarm("judge_noise"):
        yield (
            "Which framework is most consistent: where texts are identical, a spread of scores measures "
            "the judge."
        )
    if f.alarm("judge_constant") or f.alarm("judge_saturation"):
        yield (
            "Whether reports differ in quality in ways this judge cannot see: it uses almost none of its "
            "scale."
        )
    for failed in (alarm for alarm in f.alarms if alarm.code == "judge_fails_audit"):
        if unseen := failed.evidence["cannot_tell"]:
            yield (
                f"Which reports are better in {listing(unseen)}: {failed.evidence['judge']} cannot tell a "
                "report from its damaged copy there."
            )
    if f.alarm("decode_rate_drift"):
        yield (
            "How much of a latency difference is the framework's: the speed of the model itself was not "
            "constant."
        )
    if cut := f.alarm("limits_hit"):
        runs = f"{cut.evidence['runs']} of {plural(f.replication.completed, 'run')}"
        yield f"How the frameworks do when answers are not cut short: here {runs} ran into a limit."


def _limits_of_tests(f: Findings) -> Iterator[str]:
    quality = f.omnibus["quality"].verdict
    counted = f.omnibus["quality"].friedman_permutation.p
    if quality == "only_if_repeats_count" and counted is not None and counted < SIGNIFICANCE_LEVEL:
        yield (
            "That any framework writes better reports: the significant tests of pairs count repeats as new "
            f"evidence. Counting orders, Friedman's p is {counted:.3f}: perhaps not all are alike, but "
            f"{plural(len(f.items), 'item')} cannot say which differ."
        )
    elif quality == "only_if_repeats_count":
        repeats = "copies" if f.alarm("pseudo_replication") else "repeats of an item"
        yield (
            f"That any framework writes better reports: the significant tests count {repeats} as new "
            "evidence."
        )
    if quality in ("not_shown", "only_if_repeats_count"):
        yield "That the frameworks are equally good: a difference that is not shown may still be there."
    if quality == "cannot_tell" and f.extremes("quality"):
        yield "That any framework writes better reports: there are too few items to test it."
    items = len(f.items)
    smallest = 2 / comb(2 * items, items)
    if smallest > 0.05:
        yield (
            f"Any pair with confidence from item means alone: with {plural(items, 'item')} each, an exact "
            f"Mann-Whitney test can never go below p = {smallest:.2f}, and a paired one (signed-rank, sign "
            f"flips) never below p = {smallest_p(items):.2f}."
        )
