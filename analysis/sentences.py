"""The first screen in plain words: what was compared and learned, how sure, what cannot be concluded."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.certainty_sentences import certainty_sentences, limit_sentences
from analysis.estimates.sentences import difference_clause
from analysis.findings import Findings
from analysis.learned_sentences import learned_sentences
from analysis.manifest import judges_named
from analysis.noise_floor import exceeds
from analysis.result import Summary
from analysis.subjects import AGAIN
from analysis.wording import listing, plural, seconds


def summarise(findings: Findings) -> Summary:
    return Summary(
        headline=_headline(findings),
        compared=list(_compared(findings)),
        learned=list(learned_sentences(findings)),
        certainty=list(certainty_sentences(findings)),
        cannot_conclude=list(limit_sentences(findings)),
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
    if f.extremes("quality") is None:
        return "No report was scored, so nothing is said of quality."
    if found := difference_clause(f, "quality"):
        return f"{found}."
    match f.omnibus["quality"].verdict:
        case "tests_disagree":
            return "On quality the tests disagree, so no difference is claimed."
        case "only_if_repeats_count":
            return (
                "No difference in quality holds up between any two frameworks once repeats of an item count "
                "as one."
            )
        case "cannot_tell":
            return "Whether quality differs cannot be told from these runs."
        case _:
            return "No difference in quality is shown."


def _latency_headline(f: Findings) -> str:
    ends = f.extremes("latency_s")
    if ends is None:
        disturbed = f.alarm("disturbed_runs")
        return (
            "Every run was disturbed, so latency says nothing." if disturbed else "No latency was measured."
        )
    if found := difference_clause(f, "latency_s"):
        return f"{found}.{_doubt(f)}"
    fast, slow = ends
    means = (
        f"its means run from {seconds(fast.latency_s)} ({fast.name}) to {seconds(slow.latency_s)} "
        f"({slow.name})"
    )
    match f.omnibus["latency_s"].verdict:
        case "cannot_tell":
            return f"Whether latency differs cannot be told from these runs: {means}."
        case "tests_disagree":
            return f"On latency the tests disagree: {means}."
        case _:
            return f"No difference in latency is shown item by item: {means}."


def _doubt(f: Findings) -> str:
    if f.alarm("decode_rate_drift") or f.alarm("probe_drift"):
        return " But the model's own speed was not constant."
    ends, noise = f.extremes("latency_s"), f.floor.metrics.get("latency_s")
    if ends and exceeds((ends[1].latency_s or 0) - (ends[0].latency_s or 0), noise) is False:
        return " But the whole range lies within the noise floor."
    return ""


def _compared(f: Findings) -> Iterator[str]:
    if not f.replication.rows:
        yield "The file has columns but no rows: run a plan first, then make the report again."
        return
    names = f.names("framework")
    others = [*f.names("floor"), *f.names("dry")]
    arms = sorted({x.arm for x in f.frameworks.values() if x.arm})
    who = f"{plural(len(names), 'framework')} ({listing(names)})" if names else ""
    yield (
        f"{' and '.join(part for part in (who, *others) if part)} on {plural(len(f.items), 'item')} "
        f"({listing(list(f.items))}){f' in {len(arms)} arms' if len(arms) > 1 else ''}, "
        f"{'once' if f.iterations == 1 else f'up to {f.iterations} times'} each: "
        f"{plural(f.replication.rows, 'run')}, {f.replication.completed:,} completed."
    )
    if len(arms) > 1:
        yield f"Where no arm is named, what follows is of the {f.usual[0].arm if f.usual else arms[0]} arm."
    if twins := [name.removesuffix(AGAIN) for name in f.names("twin")]:
        yield f"{listing(twins)} ran a second time under another name: what differs between the two is noise."
    if f.setup.planned_runs and (missing := f.setup.planned_runs - f.replication.rows) > 0:
        yield f"{missing:,} of the plan's {plural(f.setup.planned_runs, 'run')} are missing."
    settings = f.setup.facts.get("settings", {})
    if model := settings.get("llm_model"):
        panel = judges_named(settings.get("judge_model") or "")
        asked = (
            f"Judges: {listing(panel)}" if len(panel) > 1 else f"Judge: {next(iter(panel), 'the same model')}"
        )
        yield f"Model: {model}. {asked}."
    if any(x.role == "floor" for x in f.compared):
        yield "The floor is the same three prompts sent by hand, without any framework."
    if any(x.role == "dry" for x in f.frameworks.values()):
        yield "Scripted runs are answered without a model: they count in the latency table only."
