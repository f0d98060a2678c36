"""What was learned, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.estimates.sentences import pair_sentences
from analysis.findings import Findings
from analysis.result import FrameworkResult
from analysis.wording import listing, p_text, plural, seconds


def learned_sentences(f: Findings) -> Iterator[str]:
    if len(f.compared) < 2:
        return
    yield from _quality(f)
    yield from pair_sentences(f, "quality")
    yield from _classic(f)
    yield from _latency(f)
    yield from pair_sentences(f, "latency_s")
    yield from _own_time(f)
    yield from _split(f)
    yield from _tokens(f)
    yield from pair_sentences(f, "tokens")
    yield from _against_floor(f)
    for same in f.replication.identical_across:
        names = listing([f.frameworks[name].title for name in same.frameworks])
        yield f"{names} wrote byte-identical reports on {plural(same.items, 'item')}."
    recalls = [x for x in f.usual if x.checks.fact_recall is not None]
    if recalls:
        yield _recall_sentence(recalls)


def _quality(f: Findings) -> Iterator[str]:
    if ends := f.extremes("quality"):
        low, high = ends
        gap = f.beside_noise("quality", (high.quality or 0) - (low.quality or 0))
        yield (
            f"Mean quality runs from {low.quality:.2f} ({low.name}) to {high.quality:.2f} ({high.name}) "
            f"on a scale from 1 to 10{gap}."
            if low.quality != high.quality
            else f"Every framework has the same mean quality, {low.quality:.2f}."
        )


def _latency(f: Findings) -> Iterator[str]:
    if ends := f.extremes("latency_s"):
        fast, slow = ends
        yield (
            f"Mean latency runs from {seconds(fast.latency_s)} ({fast.name}) to {seconds(slow.latency_s)} "
            f"({slow.name}){_times(fast.latency_s, slow.latency_s)}"
            f"{f.beside_noise('latency_s', (slow.latency_s or 0) - (fast.latency_s or 0))}."
        )


def _own_time(f: Findings) -> Iterator[str]:
    """Where the latency is taken apart: what the frameworks themselves took of it."""
    if any(x.framework_s is None for x in f.usual) or not (ends := f.extremes("framework_s")):
        return
    least, most = ends
    gap = f.beside_noise("framework_s", (most.framework_s or 0) - (least.framework_s or 0))
    yield (
        f"Of a run, the framework itself takes from {seconds(least.framework_s)} ({least.name}) to "
        f"{seconds(most.framework_s)} ({most.name}){gap}; the rest is the model, tools and the gateway."
    )


def _split(f: Findings) -> Iterator[str]:
    """The largest difference of latency, and what it comes from."""
    known = [d for d in f.differences if d.metric == "latency_s" and d.framework_s is not None]
    if not known:
        return
    largest = max(known, key=lambda d: abs(d.total))
    fast, slow = (largest.b, largest.a) if largest.total > 0 else (largest.a, largest.b)
    sign = 1 if largest.total > 0 else -1
    sentence = (
        f"{f.name(slow)} takes {seconds(abs(largest.total))} longer than {f.name(fast)} on the same "
        f"{plural(largest.n_items, 'item')}: {seconds(sign * (largest.model_s or 0))} of that at the model, "
        f"{seconds(sign * (largest.framework_s or 0))} in the framework"
    )
    if largest.pattern is not None and largest.framework is not None:
        sentence += (
            f". With the same messages from both it is {seconds(sign * largest.framework)}"
            f"{f.beside_noise('latency_s', largest.framework)}; the pattern is "
            f"{seconds(sign * largest.pattern)}"
        )
    yield f"{sentence}."


def _tokens(f: Findings) -> Iterator[str]:
    if ends := f.extremes("tokens"):
        few, many = ends
        yield (
            f"Tokens per run go from {few.tokens:,.0f} ({few.name}) to {many.tokens:,.0f} "
            f"({many.name}){_times(few.tokens, many.tokens)}"
            f"{f.beside_noise('tokens', (many.tokens or 0) - (few.tokens or 0))}."
        )


def _recall_sentence(recalls: list[FrameworkResult]) -> str:
    ordered = sorted(recalls, key=lambda x: x.checks.fact_recall or 0.0)
    worst, best = ordered[0], ordered[-1]
    if worst.checks.fact_recall == best.checks.fact_recall:
        return f"Without a judge: everywhere reports state {best.checks.fact_recall:.0%} of the known facts."
    return (
        f"Without a judge: reports state from {worst.checks.fact_recall:.0%} ({worst.name}) to "
        f"{best.checks.fact_recall:.0%} ({best.name}) of the known facts."
    )


def _classic(f: Findings) -> Iterator[str]:
    """What the published kind of test finds, marked as such; nothing where it finds nothing."""
    usual = {x.arm for x in f.usual}
    tested = [p for p in f.pairs if p.metric == "quality" and f.frameworks[p.a].arm in usual]
    words = []
    for pair in (pair for pair in tested if pair.significant):
        above = (pair.mann_whitney.rank_biserial or 0) > 0
        high, low = (pair.a, pair.b) if above else (pair.b, pair.a)
        words.append(
            f"{f.frameworks[high].name} above {f.frameworks[low].name} "
            f"({p_text(pair.mann_whitney.p)}, r = {pair.mann_whitney.r:.3f})"
        )
    if words and f.iterations > 1:
        yield (
            f"The classic test, which counts every run as new evidence, would have {len(words)} of "
            f"{plural(len(tested), 'pair')} differ in quality (Mann-Whitney with Bonferroni): "
            f"{listing(words, 4)}. It decides nothing here."
        )


def _against_floor(f: Findings) -> Iterator[str]:
    floor = next((x for x in f.usual if x.role == "floor"), None)
    if floor is None or not floor.tokens:
        return
    ratios = [(x.tokens / floor.tokens, x.name) for x in f.usual if x.role == "framework" and x.tokens]
    if ratios:
        (least, least_title), (most, most_title) = min(ratios), max(ratios)
        yield (
            f"Against the floor's tokens, frameworks use from {least:.2f} times ({least_title}) to "
            f"{most:.2f} times ({most_title})."
        )


def _times(low: float | None, high: float | None) -> str:
    return f", {high / low:.1f} times" if low and high and high / low >= 1.05 else ""
