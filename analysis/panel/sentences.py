"""What stands beside the scores wherever they are shown, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.panel.result import Estimate, Panel, PanelJudge, SelfPreference
from analysis.variance.result import VarianceBudget
from analysis.wording import listing, plural

PART_NAMES = {
    "task": "task",
    "framework": "framework",
    "framework_by_task": "what a task makes of a framework",
    "run": "run",
    "node": "node",
    "judge_leniency": "leniency of judges",
    "judge_noise": "noise of the judge",
}


def caveat(panel: Panel) -> str:
    """Whose scores these are, and what is known of that judge."""
    judge = main_judge(panel)
    if judge is None:
        return f"No usable score by {panel.main}, whose scores would be the quality shown here."
    audit = "audited" if judge.audited else "not audited"
    return " ".join([f"Scores by {judge.judge}, {audit}.", noise_sentence(judge), agreement_sentence(panel)])


def main_judge(panel: Panel) -> PanelJudge | None:
    return next((judge for judge in panel.judges if judge.judge == panel.main and judge.verdicts), None)


def noise_sentence(judge: PanelJudge) -> str:
    noise = judge.noise
    if noise.within_text_sd is None:
        again = "It judged no text twice, so its noise is not known."
    else:
        again = (
            f"On a text that it judges again its scores have a standard deviation of "
            f"{noise.within_text_sd:.2f} (up to {noise.largest_range:.2g} apart, "
            f"{plural(noise.texts_judged_again, 'text')})."
        )
    if noise.top_share is None:
        return again
    return f"{again} {noise.top_share:.0%} of its criterion scores are 9 or 10."


def agreement_sentence(panel: Panel) -> str:
    overall = panel.agreement.get("overall")
    if overall is None:
        return "There is one judge, so there is no agreement to measure."
    scored = sum(judge.verdicts > 0 for judge in panel.judges)
    alpha = overall.alpha_interval
    if alpha.value is None:
        return f"Agreement of {plural(scored, 'judge')} is not known: {alpha.reason}."
    words = f"Agreement of {plural(scored, 'judge')}: alpha = {with_interval(alpha)}"
    return f"{words}, where 1 is full and 0 is chance."


def budget_sentence(budget: VarianceBudget) -> str | None:
    """None where it could not be estimated."""
    if not budget.parts:
        return None
    parts = sorted(budget.parts.items(), key=lambda entry: -entry[1].share)
    words = [f"{PART_NAMES[name]} {part.share:.0%}" for name, part in parts]
    return f"Where the variance of quality comes from: {listing(words)}."


def self_preference_sentence(found: SelfPreference) -> str:
    if found.difference.value is None:
        return f"Self-preference cannot be told: {found.difference.reason}."
    more = "higher" if found.difference.value >= 0 else "lower"
    return (
        f"{listing(found.own)}, of the family of the model under test ({found.subject_family}), "
        f"{'score' if len(found.own) > 1 else 'scores'} {abs(found.difference.value):.2f} points {more} than "
        f"{listing(found.others)} on the same {plural(found.texts, 'text')}"
        f"{_interval_words(found.difference)}. All frameworks share that model, so a preference "
        "for its own family looks the same as leniency."
    )


def judge_lines(panel: Panel) -> Iterator[str]:
    """What opens the section on the judge."""
    yield caveat(panel)
    judge = main_judge(panel)
    if judge and judge.noise.within_text_share is not None:
        yield (
            f"{judge.noise.within_text_share:.0%} of the variance of its scores lies within identical texts "
            f"(as a variance component; {judge.noise.within_text_share_of_squares:.0%} of the sum of "
            "squares)."
        )
    if panel.not_audited:
        yield (
            f"Not audited: {listing(panel.not_audited)}. Whether a worse report gets a lower score there "
            "is not known."
        )
    yield from panel.notes


def with_interval(estimate: Estimate, digits: int = 2) -> str:
    if estimate.value is None:
        return estimate.reason or "not known"
    value = f"{estimate.value:.{digits}f}"
    found = estimate.interval
    return value if found is None else f"{value} ({found.low:.{digits}f} to {found.high:.{digits}f})"


def _interval_words(estimate: Estimate) -> str:
    found = estimate.interval
    return f" (from {found.low:.2f} to {found.high:.2f})" if found else f" ({estimate.reason})"
