"""What the paired tests decide, in plain words: nobody is ranked by what they do not tell apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from analysis.estimates.groups import maximal_groups
from analysis.estimates.result import Family, PairEstimate
from analysis.findings import Findings
from analysis.result import FrameworkResult
from analysis.significance_result import Metric
from analysis.wording import in_unit, listing, plural

MOST_NAMED = 3
WORDS: dict[Metric, tuple[str, str, str, str]] = {
    "quality": ("quality", "scores highest", "lowest", "above"),
    "latency_s": ("latency", "is fastest", "slowest", "is faster than"),
    "tokens": ("tokens", "uses fewest", "most", "uses fewer than"),
}
"""Its name, what the best does, what the worst is, how the better one of a pair stands to the other."""
TESTS = {"wilcoxon": "Wilcoxon signed-rank, Holm", "paired_t": "paired t, Holm"}


def difference_clause(f: Findings, metric: Metric) -> str | None:
    """What the headline may claim, without its full stop; None where no difference is shown."""
    told, family = f.told_apart(metric), f.family(metric)
    name, best_is, worst_is, _ = WORDS[metric]
    if family and told:
        best, worst = _ends(f, told, len(family.subjects))
        words = [f"{best.name} {best_is} ({_mean(best, metric)})"] if best else []
        words += [f"{worst.name} {worst_is} ({_mean(worst, metric)})"] if worst and best else []
        words += [f"{worst.name} is {worst_is} ({_mean(worst, metric)})"] if worst and not best else []
        if not words:
            return (
                f"{name.capitalize()} {_differ(name)}: {len(told)} of {plural(family.pairs, 'pair')} of "
                "frameworks are told apart, but none is shown best or worst of all"
            )
        return f"{name.capitalize()} {_differ(name)}: {', '.join(words)}"
    if f.omnibus[metric].verdict == "shown" and len(f.usual) > 2:
        few = family is None or family.decided_by == "none"
        why = f"{plural(len(f.items), 'item')} are too few to tell" if few else "the tests do not tell"
        return (
            f"{name.capitalize()} {_differ(name)} somewhere, but {why} any two frameworks apart"
            f"{_range(f, metric)}"
        )
    return None


def pair_sentences(f: Findings, metric: Metric) -> Iterator[str]:
    family = f.family(metric)
    if family is None or family.decided_by == "none":
        return
    name = WORDS[metric][0]
    told = f.told_apart(metric)
    pairs = plural(family.pairs, "pair")
    if told:
        words = [_pair_words(f, metric, pair) for pair in told[:MOST_NAMED]]
        surest = "the surest: " if len(told) > MOST_NAMED else ""
        yield (
            f"{len(told)} of {pairs} {'is' if len(told) == 1 else 'are'} told apart in {name} item by item "
            f"({TESTS[family.decided_by]}); {surest}{'; '.join(words)}."
        )
    else:
        yield f"None of the {pairs} of frameworks is told apart in {name} ({TESTS[family.decided_by]})."
    if family.margin is not None and (equal := _equal_sets(f, metric, family)):
        yield (
            f"Shown equal in {name} to within {in_unit(metric, family.margin)} (TOST, Holm): "
            f"{'; '.join(equal)}."
        )


def _equal_sets(f: Findings, metric: Metric, family: Family) -> list[str]:
    """The largest sets of frameworks of which any two are shown equal; none where there are too many."""
    place = {name: number for number, name in enumerate(family.subjects)}
    equal = {
        frozenset((place[p.a], place[p.b]))
        for p in f.estimates[metric].pairs
        if p.arm == family.arm and p.equal_shown
    }
    if not equal:
        return []
    unlike = [pair for pair in combinations(range(len(place)), 2) if frozenset(pair) not in equal]
    found = [group for group in maximal_groups(len(place), unlike) or [] if len(group) > 1]
    return [listing([f.frameworks[family.subjects[i]].name for i in group]) for group in found[:MOST_NAMED]]


def decider_sentences(f: Findings) -> Iterator[str]:
    """Once, since items and pairs are mostly the same for every metric."""
    families = [family for metric in WORDS if (family := f.family(metric))]
    if not families:
        return
    family = families[0]
    if family.decided_by == "none":
        yield f"No two frameworks can be told apart, and none ranked: {family.reason}."
    elif family.decided_by == "paired_t":
        yield (
            f"Pairs are decided by paired t tests on item means, which hold where differences are about "
            f"normal: {family.reason}."
        )
    else:
        yield (
            "Pairs are decided by Wilcoxon's signed-rank test on item means with Holm's correction; the "
            f"smallest p that {plural(family.n_items, 'item')} allow is {family.smallest_p:.2g}."
        )


def _ends(
    f: Findings, told: list[PairEstimate], subjects: int
) -> tuple[FrameworkResult | None, FrameworkResult | None]:
    """Who is shown better than all others, and who worse; None where nobody is."""
    won = Counter(pair.better for pair in told)
    lost = Counter(pair.b if pair.better == pair.a else pair.a for pair in told)
    first = next((name for name, count in won.items() if name and count == subjects - 1), None)
    last = next((name for name, count in lost.items() if count == subjects - 1), None)
    return f.frameworks[first] if first else None, f.frameworks[last] if last else None


def _mean(framework: FrameworkResult, metric: Metric) -> str:
    value = getattr(framework, metric)
    return f"{value:.2f}" if metric == "quality" else in_unit(metric, value)


def _range(f: Findings, metric: Metric) -> str:
    ends = f.extremes(metric)
    if ends is None:
        return ""
    low, high = ends
    return f": means run from {_mean(low, metric)} ({low.name}) to {_mean(high, metric)} ({high.name})"


def _differ(name: str) -> str:
    return "differ" if name == "tokens" else "differs"


def _pair_words(f: Findings, metric: Metric, pair: PairEstimate) -> str:
    first, second = (pair.a, pair.b) if pair.better == pair.a else (pair.b, pair.a)
    by = in_unit(metric, abs(pair.mean_difference or 0.0))
    interval = ""
    if pair.interval:
        ends = sorted(abs(end) for end in (pair.interval.low, pair.interval.high))
        if pair.interval.low * pair.interval.high > 0:
            interval = f", 95 % interval {in_unit(metric, ends[0])} to {in_unit(metric, ends[1])}"
    standing = WORDS[metric][3]
    return f"{f.frameworks[first].name} {standing} {f.frameworks[second].name} by {by}{interval}"
