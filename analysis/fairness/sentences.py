"""What the findings say, in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analysis.fairness.result import Code, Finding, Treatment
from analysis.fairness.tally import Findings
from analysis.wording import listing, plural
from shared.plan import framework_of

MOST_NAMED = 4

SENTENCES: dict[Code, str] = {
    "prompt_missing": "{who} leaves {details} off the wire, {where}.",
    "prompt_changed": "{who} does not send {details} word for word, {where}.",
    "prompts_differ": "{who} sends other messages than the reference, {where}: {details}.",
    "assistant_ending": "{who} ends requests on an assistant turn, which some servers continue, {where}.",
    "framing": "{who} adds text of its own, {where}: {framing} bytes for each run on average.",
    "tools_differ": "{who} does not offer the tools as planned, {where}: {details}.",
    "tool_results_differ": "{who} has tool results that differ, {where}: {details}.",
    "model_differs": "{who} asks for another model, {where}: {details}.",
    "temperature_missing": "{who} sends no temperature, {where}.",
    "temperature_differs": "{who} sends another temperature than planned, {where}: {details}.",
    "seed_missing": "{who} sends no seed, {where}.",
    "seed_differs": "{who} sends another seed than planned, {where}: {details}.",
    "limit_missing": "{who} sends no limit of tokens, {where}.",
    "limit_differs": "{who} sends another limit than planned, {where}: {details}.",
    "hidden_calls": "{who} makes calls that no agent's step needs, {where}: {details}.",
    "own_retries": "{who} repeats failed requests on its own, {where}.",
    "streaming_differs": "{who} streams where others do not, {where}.",
    "extra_parameters": "{who} sends keys that not everybody sends alike: {details}.",
    "replay_differs": "{who} sends other requests than those recorded with the answers, {where}.",
    "unchecked": "{details}.",
}


def sentence(code: Code, found: Findings, who: str, arm: str, treatment: Treatment | None) -> str:
    calls = treatment.calls if treatment else 0
    framing = treatment.made.framing / max(1, treatment.runs) if treatment else 0
    subject = f"{who} in the {arm} arm"
    return SENTENCES[code].format(
        who=subject,
        where=f"in {found.count:,} of {plural(calls, 'request')}",
        details=listing(list(found.details), MOST_NAMED),
        framing=f"{framing:,.0f}",
    )


def verdict(
    findings: Sequence[Finding], requests: int, subjects: Mapping[str, str], arms: Sequence[str]
) -> str:
    """The first sentence of the section. `subjects` made requests: name -> title."""
    if not requests:
        return "No model request was recorded, so nothing can be said of equal treatment."
    frameworks = {framework_of(name) for name in subjects}
    seen = f"{plural(requests, 'request')} of {plural(len(frameworks), 'framework')}"
    broken = [finding for finding in findings if finding.severity == "violation"]
    if broken:
        by = {name: sum(finding.framework == name for finding in broken) for name in subjects}
        named = listing([f"{subjects[name]} ({count})" for name, count in by.items() if count], 8)
        return f"Treatment was not equal: {plural(len(broken), 'violation')} in {seen}, by {named}."
    if any(finding.code == "unchecked" and finding.framework is None for finding in findings):
        return f"No violation was found in {seen}, but not everything could be checked: see the notes."
    if len(frameworks) < 2:
        return f"No violation in {seen}; there is no second framework to compare with."
    if "equalised" not in arms:
        return f"No violation in {seen}. The equalised arm, in which all send the same messages, was not run."
    return f"Treatment was equal: no violation in {seen}. In the equalised arm all sent the same messages."
