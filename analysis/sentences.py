"""The first screen in plain words: what was compared and learned, how sure, what cannot be concluded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import comb

from analysis.result import (
    Alarm,
    FrameworkResult,
    Metric,
    Omnibus,
    Pair,
    Replication,
    Setup,
    Summary,
)
from analysis.wording import listing, p_text, plural

FEW_ITEMS = 10
"""Below this many items nobody should speak of tasks in general."""


@dataclass(frozen=True)
class Findings:
    """All that the sentences are made from."""

    frameworks: Mapping[str, FrameworkResult]
    items: Sequence[str]
    iterations: int
    omnibus: Mapping[Metric, Omnibus]
    pairs: Sequence[Pair]
    replication: Replication
    alarms: Sequence[Alarm]
    setup: Setup

    @property
    def compared(self) -> list[FrameworkResult]:
        return [f for f in self.frameworks.values() if f.role != "dry" and f.n]

    def alarm(self, code: str) -> Alarm | None:
        return next((alarm for alarm in self.alarms if alarm.code == code), None)


def summarise(findings: Findings) -> Summary:
    return Summary(
        headline=_headline(findings),
        compared=list(_compared(findings)),
        learned=list(_learned(findings)),
        certainty=list(_certainty(findings)),
        cannot_conclude=list(_cannot_conclude(findings)),
    )


def _headline(f: Findings) -> str:
    if not f.replication.rows:
        return "There are no runs yet."
    if not f.replication.completed:
        return "No run completed, so nothing can be compared."
    if not f.compared:
        return "A dry run: no model answered, so only times were measured."
    if len(f.compared) == 1:
        return f"Only {f.compared[0].title} has completed runs, so there is nothing to compare it with."
    return f"{_quality_headline(f)} {_latency_headline(f)}"


def _quality_headline(f: Findings) -> str:
    ends = _extremes(f.compared, "quality")
    if ends is None:
        return "No report was scored, so nothing is said of quality."
    low, high = ends
    match f.omnibus["quality"].verdict:
        case "shown":
            return (
                f"Quality differs: {high.title} scores highest ({high.quality:.2f}), {low.title} lowest "
                f"({low.quality:.2f})."
            )
        case "tests_disagree":
            return "On quality the tests disagree, so no difference is claimed."
        case "only_if_repeats_count":
            return "No difference in quality holds up once repeats of an item count as one."
        case "not_shown":
            return "No difference in quality is shown."
        case _:
            return "Whether quality differs cannot be told from these runs."


def _latency_headline(f: Findings) -> str:
    ends = _extremes(f.compared, "latency_s")
    if ends is None:
        return "No latency was measured."
    fast, slow = ends
    first, last = seconds(fast.latency_s), seconds(slow.latency_s)
    means = f"its means run from {first} ({fast.title}) to {last} ({slow.title})"
    times = f"{fast.title} is fastest ({first}), {slow.title} slowest ({last})"
    match f.omnibus["latency_s"].verdict:
        case "shown":
            doubt = " But the model's own speed was not constant." if f.alarm("decode_rate_drift") else ""
            return f"Latency differs: {times}.{doubt}"
        case "cannot_tell":
            return f"Whether latency differs cannot be told from these runs: {means}."
        case "tests_disagree":
            return f"On latency the tests disagree: {means}."
        case _:
            return f"No difference in latency is shown item by item: {means}."


def _compared(f: Findings) -> Iterator[str]:
    if not f.replication.rows:
        yield "The file has columns but no rows: run a plan first, then make the report again."
        return
    names = [x.title for x in f.frameworks.values() if x.role == "framework"]
    others = [x.title for x in f.frameworks.values() if x.role != "framework"]
    who = f"{plural(len(names), 'framework')} ({listing(names)})" if names else ""
    yield (
        f"{' and '.join(part for part in (who, *others) if part)} on {plural(len(f.items), 'item')} "
        f"({listing(list(f.items))}), {'once' if f.iterations == 1 else f'up to {f.iterations} times'} each: "
        f"{plural(f.replication.rows, 'run')}, {f.replication.completed:,} completed."
    )
    if f.setup.planned_runs and (missing := f.setup.planned_runs - f.replication.rows) > 0:
        yield f"{missing:,} of the plan's {plural(f.setup.planned_runs, 'run')} are missing."
    settings = f.setup.facts.get("settings", {})
    if model := settings.get("llm_model"):
        yield f"Model: {model}. Judge: {settings.get('judge_model') or 'the same model'}."
    if any(x.role == "floor" for x in f.compared):
        yield "The floor is the same three prompts sent by hand, without any framework."
    if any(x.role == "dry" for x in f.frameworks.values()):
        yield "Scripted runs are answered without a model: they count in the latency table only."


def _learned(f: Findings) -> Iterator[str]:
    if len(f.compared) < 2:
        return
    if ends := _extremes(f.compared, "quality"):
        low, high = ends
        yield (
            f"Mean quality runs from {low.quality:.2f} ({low.title}) to {high.quality:.2f} ({high.title}) "
            "on a scale from 1 to 10."
            if low.quality != high.quality
            else f"Every framework has the same mean quality, {low.quality:.2f}."
        )
    yield from _pairs_sentences(f)
    if ends := _extremes(f.compared, "latency_s"):
        fast, slow = ends
        yield (
            f"Mean latency runs from {seconds(fast.latency_s)} ({fast.title}) to {seconds(slow.latency_s)} "
            f"({slow.title}){_times(fast.latency_s, slow.latency_s)}."
        )
    if ends := _extremes(f.compared, "tokens"):
        few, many = ends
        yield (
            f"Tokens per run go from {few.tokens:,.0f} ({few.title}) to {many.tokens:,.0f} "
            f"({many.title}){_times(few.tokens, many.tokens)}."
        )
    yield from _against_floor(f)
    for same in f.replication.identical_across:
        names = listing([f.frameworks[name].title for name in same.frameworks])
        yield f"{names} wrote byte-identical reports on {plural(same.items, 'item')}."
    recalls = [x for x in f.compared if x.checks.fact_recall is not None]
    if recalls:
        yield _recall_sentence(recalls)


def _recall_sentence(recalls: list[FrameworkResult]) -> str:
    ordered = sorted(recalls, key=lambda x: x.checks.fact_recall or 0.0)
    worst, best = ordered[0], ordered[-1]
    if worst.checks.fact_recall == best.checks.fact_recall:
        return f"Without a judge: everywhere reports state {best.checks.fact_recall:.0%} of the known facts."
    return (
        f"Without a judge: reports state from {worst.checks.fact_recall:.0%} ({worst.title}) to "
        f"{best.checks.fact_recall:.0%} ({best.title}) of the known facts."
    )


def _pairs_sentences(f: Findings) -> Iterator[str]:
    tested = [pair for pair in f.pairs if pair.metric == "quality"]
    found = [pair for pair in tested if pair.significant]
    if not tested:
        return
    if not found:
        yield (
            f"None of the {plural(len(tested), 'pair')} of frameworks differs in quality after Bonferroni "
            "correction."
        )
        return
    words = []
    for pair in found:
        above = (pair.mann_whitney.rank_biserial or 0) > 0
        high, low = (pair.a, pair.b) if above else (pair.b, pair.a)
        words.append(
            f"{f.frameworks[high].title} above {f.frameworks[low].title} "
            f"({p_text(pair.mann_whitney.p)}, r = {pair.mann_whitney.r:.3f})"
        )
    yield (
        f"Counting every run, {len(found)} of {plural(len(tested), 'pair')} "
        f"{'differs' if len(found) == 1 else 'differ'} in quality after Bonferroni correction: "
        f"{listing(words, 4)}."
    )


def _against_floor(f: Findings) -> Iterator[str]:
    floor = next((x for x in f.compared if x.role == "floor"), None)
    if floor is None or not floor.tokens:
        return
    ratios = [(x.tokens / floor.tokens, x.title) for x in f.compared if x.role == "framework" and x.tokens]
    if ratios:
        (least, least_title), (most, most_title) = min(ratios), max(ratios)
        yield (
            f"Against the floor's tokens, frameworks use from {least:.2f} times ({least_title}) to "
            f"{most:.2f} times ({most_title})."
        )


def _certainty(f: Findings) -> Iterator[str]:
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
    for metric, name in (("quality", "Quality"), ("latency_s", "Latency")):
        tests = f.omnibus[metric]  # type: ignore[index]  # the literals above are the metrics
        if tests.kruskal_wallis.p is None:
            yield f"{name}: no test is possible ({tests.kruskal_wallis.reason})."
            continue
        by_item = tests.kruskal_wallis_item_means
        yield (
            f"{name}: counting every run, Kruskal-Wallis {p_text(tests.kruskal_wallis.p)}; "
            + (f"on one mean per item, {p_text(by_item.p)}; " if f.iterations > 1 else "")
            + f"comparing item by item (Friedman), {p_text(tests.friedman.p)}."
        )


def _cannot_conclude(f: Findings) -> Iterator[str]:
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
    if quality == "only_if_repeats_count":
        repeats = "copies" if f.alarm("pseudo_replication") else "repeats of an item"
        yield (
            f"That any framework writes better reports: the significant tests count {repeats} as new "
            "evidence."
        )
    if quality in ("not_shown", "only_if_repeats_count"):
        yield "That the frameworks are equally good: a difference that is not shown may still be there."
    if quality == "cannot_tell" and _extremes(f.compared, "quality"):
        yield "That any framework writes better reports: there are too few items to test it."
    items = len(f.items)
    smallest = 2 / comb(2 * items, items)
    if smallest > 0.05:
        yield (
            f"Any pair with confidence from item means alone: with {plural(items, 'item')} each, an exact "
            f"Mann-Whitney test can never go below p = {smallest:.2f}."
        )


def _extremes(
    frameworks: Sequence[FrameworkResult], metric: str
) -> tuple[FrameworkResult, FrameworkResult] | None:
    known = [x for x in frameworks if getattr(x, metric) is not None]
    if not known:
        return None
    return min(known, key=lambda x: getattr(x, metric)), max(known, key=lambda x: getattr(x, metric))


def seconds(value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:.0f} s" if value >= 10 else f"{value:.2f} s"


def _times(low: float | None, high: float | None) -> str:
    return f", {high / low:.1f} times" if low and high and high / low >= 1.05 else ""
