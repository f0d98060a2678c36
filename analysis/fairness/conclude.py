"""The tally of an experiment as the typed result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from analysis.fairness.comparisons import compare_frameworks
from analysis.fairness.result import Fairness, Finding, Handed, Parameter, SeenValue, Treatment
from analysis.fairness.rules import RULES
from analysis.fairness.sentences import sentence, verdict
from analysis.fairness.side_by_side import compare_steps
from analysis.fairness.tally import Tally, Treated, sum_made
from analysis.fairness.visible import visible
from analysis.fairness.yardstick import Yardstick
from analysis.wording import plural
from shared.manifest import Manifest
from shared.plan import framework_of

NO_BRIEF = (
    "`direct` itself, on task items without a brief: what it sent is the yardstick there, so nothing can be "
    "said of it"
)
NO_YARDSTICK = (
    "prompts, tools and hidden calls on task items with neither a brief nor a run of `direct`, where nobody "
    "knows what was handed over"
)
NO_HAND_OVER = (
    "framing in the equalised arm on task items whose brief does not say how answers are handed over; "
    "differences between frameworks are still found"
)
PROMPT_CHARACTERS = 4_000
"""Of instructions or a request that is shown."""
LEFT_OVER = (
    *("prompts_differ", "assistant_ending", "framing", "tools_differ"),
    *("hidden_calls", "streaming_differs", "extra_parameters"),
)
"""Codes of what a framework may be unable to give up."""


def conclude(tally: Tally, yardstick: Yardstick, manifest: Manifest) -> Fairness:
    compare_frameworks(tally)
    titles = _titles(tally, manifest)
    arms: list[str] = [arm for arm in manifest.plan.arms if any(its == arm for _, its in tally.treatments)]
    treatments = {
        treated: _treatment(treated, tally) for treated in _in_order(tally.treatments, titles, arms)
    }
    findings = _findings(tally, titles, treatments, yardstick)
    requests = sum(treatment.calls for treatment in treatments.values())
    talking = {t.framework: titles[t.framework] for t in treatments.values() if t.calls}
    agents = {task: [agent.name for agent in brief.agents] for (task, _), brief in yardstick.briefs.items()}
    steps, steps_left_out = compare_steps(tally.steps, list(titles), arms, agents)
    return Fairness(
        verdict=verdict(findings, requests, talking, arms),
        requests=requests,
        frameworks=titles,
        arms=arms,
        treatments=list(treatments.values()),
        parameters=_parameters(tally, treatments),
        handed=list(_handed(yardstick)),
        steps=steps,
        steps_left_out=steps_left_out,
        findings=findings,
        left=_left(findings, talking) if "equalised" in arms else {},
        normalisations=dict(tally.normalised),
    )


def _titles(tally: Tally, manifest: Manifest) -> dict[str, str]:
    present = {subject for subject, _ in tally.treatments}
    order = [name for name in manifest.plan.subjects if name in present]
    titles = {}
    for name in [*order, *sorted(present.difference(order))]:
        framework = framework_of(name)
        entry = manifest.frameworks.get(framework)
        again = " (again)" if framework != name else ""
        titles[name] = visible(entry.title if entry else framework, 60) + again
    return titles


def _in_order(treated: Iterable[Treated], titles: dict[str, str], arms: list[str]) -> list[Treated]:
    names = list(titles)
    return sorted(treated, key=lambda whose: (names.index(whose[0]), arms.index(whose[1])))


def _treatment(treated: Treated, tally: Tally) -> Treatment:
    counts = tally.treatments[treated]
    return Treatment(
        framework=treated[0],
        arm=treated[1],
        runs=counts.runs,
        calls=counts.calls,
        hidden_calls=counts.hidden_calls,
        retries=counts.retries,
        streamed=counts.streamed,
        assistant_endings=counts.assistant_endings,
        tool_calls=counts.tool_calls,
        made=sum_made(list(counts.agents.values())),
        agents=counts.agents,
        clients=dict(counts.clients),
    )


def _findings(
    tally: Tally, titles: dict[str, str], treatments: dict[Treated, Treatment], yardstick: Yardstick
) -> list[Finding]:
    findings = []
    for (code, framework, arm, severity), found in tally.findings.items():
        who = titles.get(framework or "", "")
        treatment = treatments.get((framework or "", arm or ""))
        findings.append(
            Finding(
                code=code,
                rule=RULES[code],
                severity=severity,
                framework=framework,
                arm=arm,
                count=found.count,
                text=sentence(code, found, who, arm or "", treatment),
                evidence=found.evidence,
            )
        )
    names, codes = list(titles), list(RULES)
    findings.sort(
        key=lambda f: (f.severity != "violation", codes.index(f.code), names.index(f.framework or ""), f.arm)
    )
    return [*findings, *_unchecked(tally, titles, yardstick)]


def _unchecked(tally: Tally, titles: dict[str, str], yardstick: Yardstick) -> Iterator[Finding]:
    reasons = dict(tally.unchecked)
    if yardstick.derived:
        reasons[NO_BRIEF] = len(yardstick.derived)
    if yardstick.unknown:
        reasons[NO_YARDSTICK] = len(yardstick.unknown)
    unsaid = sum(not yardstick.knows_hand_over(item) for item in yardstick.briefs)
    if unsaid and any(arm == "equalised" for _, arm in tally.treatments):
        reasons[NO_HAND_OVER] = unsaid
    for reason, count in reasons.items():
        yield _note(None, count, f"Not checked: {reason} ({count:,}).")
    for subject, runs in tally.silent.items():
        yield _note(subject, runs, f"{titles[subject]} made no model request in {plural(runs, 'run')}.")


def _note(subject: str | None, count: int, text: str) -> Finding:
    return Finding(
        code="unchecked", rule=None, severity="note", framework=subject, arm=None, count=count, text=text
    )


def _parameters(tally: Tally, treatments: dict[Treated, Treatment]) -> list[Parameter]:
    talking = [treated for treated in treatments if tally.chats[treated]]
    keys = {key for *_, key in tally.parameters}
    ordered = [key for key in PLANNED_KEYS_IN_ORDER if key in keys]
    ordered += sorted(keys.difference(ordered))
    parameters = []
    for key in ordered:
        senders = {treated[0] for treated in talking if (*treated, key) in tally.parameters}
        for framework, arm in talking:
            found = tally.parameters.get((framework, arm, key))
            parameters.append(
                Parameter(
                    framework=framework,
                    arm=arm,
                    key=key,
                    missing=tally.chats[framework, arm] - (found.requests if found else 0),
                    values=[SeenValue(value=v, requests=n) for v, n in found.values.items()] if found else [],
                    more_values=len(found.more) if found else 0,
                    alone=bool(found) and len(senders) < len({name for name, _ in talking}),
                )
            )
    return parameters


PLANNED_KEYS_IN_ORDER = (
    *("model", "temperature", "seed", "max_tokens", "max_completion_tokens", "stream"),
    *("tools", "tool_choice", "n", "top_p"),
)


def _handed(yardstick: Yardstick) -> Iterator[Handed]:
    """Of one item for each task."""
    seen: set[str] = set()
    for (task, item), brief in yardstick.briefs.items():
        if task in seen:
            continue
        seen.add(task)
        for agent in brief.agents:
            yield Handed(
                task=task,
                item=item,
                agent=agent.name,
                instructions=visible(agent.instructions, PROMPT_CHARACTERS),
                request=visible(agent.request, PROMPT_CHARACTERS),
            )


def _left(findings: list[Finding], talking: dict[str, str]) -> dict[str, list[str]]:
    """By framework, what still tells it from the others where all are to send the same."""
    left: dict[str, list[str]] = {}
    for name, title in talking.items():
        mine = [f.text for f in findings if f.code in LEFT_OVER and _is_of(f, name, "equalised")]
        said = [text.removeprefix(f"{title} in the equalised arm ") for text in mine]
        left[name] = [text[:1].upper() + text[1:] for text in said]
    return left


def _is_of(finding: Finding, framework: str, arm: str) -> bool:
    return (finding.framework, finding.arm) == (framework, arm)
