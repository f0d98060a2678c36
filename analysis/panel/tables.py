"""The tables of the section on the judge."""

from __future__ import annotations

from analysis.panel.result import Disagreement, Estimate, Panel, Tournament
from analysis.panel.sentences import PART_NAMES, main_judge, with_interval
from analysis.result import Analysis
from analysis.tables import MISSING, Cell, Table, number, plain_cells, share, titled
from analysis.wording import plural

ALL_JUDGES = "all judges"
MOST_COLUMNS = 6
"""Judges that a table has room for; all are in the JSON."""


def judges_table(panel: Panel) -> Table:
    rows = []
    for judge in panel.judges:
        noise = judge.noise
        texts = [
            number(judge.verdicts, 0),
            number(judge.failed, 0),
            number(judge.texts, 0),
            number(judge.mean),
        ]
        texts += [
            number(judge.std),
            number(noise.within_text_sd),
            number(noise.largest_range),
            share(noise.top_share),
        ]
        rows.append(plain_cells([judge.judge, *texts, "yes" if judge.audited else "no"]))
    return Table(
        "judges",
        "Judges",
        (
            *("Judge", "Verdicts", "No usable answer", "Texts", "Mean score", "Std between texts"),
            *("Std on the same text", "Largest range on one text", "Scores of 9 or 10", "Audited"),
        ),
        rows,
        "Verdicts taken over from an identical report are not counted.",
        frozenset({9}),
    )


def agreement_table(panel: Panel) -> Table | None:
    if not panel.agreement:
        return None
    found = {name.capitalize(): a for name, a in panel.agreement.items()}
    if panel.agreement_adjusted:
        found["Overall, leniency and spread removed"] = panel.agreement_adjusted
    rows = [
        plain_cells(
            [
                name,
                number(a.texts, 0),
                with_interval(a.alpha_interval),
                with_interval(a.alpha_ordinal),
            ]
        )
        for name, a in found.items()
    ]
    return Table(
        "agreement",
        "Agreement of the judges: Krippendorff's alpha",
        ("Score", "Texts", "Alpha, by distance", "Alpha, by order"),
        rows,
        "Below 0.667 no conclusion should rest on the scores.",
    )


def pairs_table(panel: Panel) -> Table | None:
    if not panel.pairs:
        return None
    rows = [
        plain_cells(
            [f"{p.a} and {p.b}", number(p.texts, 0), with_interval(p.kendall_tau), number(p.mean_difference)]
        )
        for p in panel.pairs
    ]
    return Table(
        "judge-pairs",
        "Do two judges put the same texts in the same order?",
        ("Judges", "Texts", "Kendall's tau-b", "Difference of means"),
        rows,
    )


def scores_table(analysis: Analysis, panel: Panel) -> Table | None:
    judges = [judge.judge for judge in panel.judges if judge.verdicts][:MOST_COLUMNS]
    if len(judges) < 2:
        return None
    rows = []
    for score in panel.scores:
        texts = [number(score.runs, 0), *(number(score.by_judge.get(judge)) for judge in judges)]
        heading = titled(score.framework, analysis.frameworks[score.framework])
        rows.append([heading, *plain_cells(texts), Cell(_short(score.panel), strong=True)])
    return Table(
        "panel",
        "Mean score per framework, each judge's own and the panel's",
        ("Framework", "Runs", *judges, "Panel"),
        rows,
        panel.adjustment,
    )


def tournament_table(analysis: Analysis, place: int, tournament: Tournament) -> Table | None:
    if not tournament.strengths:
        return None
    rows = [
        [
            titled(s.framework, analysis.frameworks[s.framework]),
            *plain_cells([_short(s.strength), share(s.points), number(s.comparisons, 0)]),
        ]
        for s in tournament.strengths
    ]
    return Table(
        f"strengths-{place}",
        f"Report against report, by {tournament.judge or ALL_JUDGES}: Bradley-Terry strengths",
        ("Framework", "Strength (log-odds)", "Points won", "Comparisons"),
        rows,
        tournament_sentence(tournament),
    )


def tournament_sentence(t: Tournament) -> str:
    words = [f"{plural(t.comparisons, 'comparison')} on {plural(t.items, 'item')}, {plural(t.ties, 'tie')}"]
    words[0] += f", {t.failed} without a usable answer." if t.failed else "."
    if t.reason:
        words.append(f"No strengths: {t.reason}.")
    if t.first_wins.value is not None:
        words.append(f"The report shown first wins {_share_words(t.first_wins)} of the decided ones.")
    if t.same_in_both_orders is not None:
        words.append(
            f"Asked both ways, {share(t.same_in_both_orders)} of {plural(t.asked_both_ways, 'pair')} got the "
            "same answer."
        )
    return " ".join(words)


def budget_table(panel: Panel) -> Table | None:
    budget = panel.budget
    if not budget.parts:
        return None
    rows = [
        [Cell(PART_NAMES[name].capitalize()), *plain_cells([number(part.variance, 3), share(part.share)])]
        for name, part in budget.parts.items()
    ]
    items = plural(budget.items, "item")
    size = f"{plural(budget.verdicts, 'verdict')} of {plural(budget.texts, 'text')} on {items}."
    return Table(
        "budget",
        "Where the variance of quality comes from",
        ("Source", "Variance", "Share"),
        rows,
        " ".join([size, *_in_two(panel), *budget.notes]),
    )


def _in_two(panel: Panel) -> list[str]:
    """How the budget and the share within identical texts hang together."""
    judge = main_judge(panel)
    if judge is None or judge.noise.within_text_share is None:
        return []
    two = share(judge.noise.within_text_share)
    return [
        f"Of the scores of {judge.judge} alone, split only into within and between texts, {two} lies within."
    ]


def cost_table(panel: Panel) -> Table | None:
    costs = [(judge.judge, judge.cost) for judge in panel.judges if judge.cost.attempts]
    if not costs:
        return None
    rows = []
    for judge, c in costs:
        counts = [
            number(count, 0)
            for count in (c.verdicts, c.comparisons, c.attempts, c.prompt_tokens, c.completion_tokens)
        ]
        rows.append(plain_cells([judge, *counts, number(c.seconds, 1), number(c.seconds / c.attempts)]))
    return Table(
        "judging-cost",
        "What judging cost, apart from the runs",
        (
            *("Judge", "Verdicts", "Comparisons", "Answers", "Input tokens", "Output tokens"),
            *("Seconds, summed over answers", "Seconds per answer"),
        ),
        rows,
        "Audits are not counted. Answers may have been under way at the same time.",
    )


def disagreement_title(analysis: Analysis, found: Disagreement) -> str:
    names = ", ".join(analysis.frameworks[name].title for name in found.frameworks) or "no run that counts"
    return f"{found.item}: {names}, {found.spread:.1f} points apart"


def _short(estimate: Estimate) -> str:
    return MISSING if estimate.value is None else with_interval(estimate)


def _share_words(estimate: Estimate) -> str:
    found = estimate.interval
    return share(estimate.value) + (f" ({share(found.low)} to {share(found.high)})" if found else "")
