"""A run as a sample of Inspect's log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cluster.export.inspect_events import Clock, conversation, events_of
from cluster.export.inspect_messages import Json, assistant, usage
from shared.brief import Brief
from shared.calls import Call
from shared.foreign_text import harmless
from shared.plan import Limits
from shared.records import CheckResult, RunRecord, Status, Verdict


def sample_of(
    record: RunRecord,
    calls: Sequence[Call],
    *,
    brief: Brief | None,
    scores: Mapping[str, Json],
    model: str,
    limits: Limits,
) -> Json:
    """An EvalSample: the item is its id, the iteration its epoch.

    Args:
        record: The attempt that counts.
        calls: Its journal, in the order of arrival.
        brief: What every framework was handed on that item; None: not recorded.
        scores: Scorer -> Score, of `verdict_score` and `check_score`.
        model: The experiment's model, for what does not name one.
        limits: The plan's, which tell how long a run that timed out may have taken.
    """
    clock = Clock(record)
    events, attachments = events_of(record, calls, model)
    answer = assistant(record.text, model)
    used = usage(record.prompt_tokens, record.completion_tokens, record.cached_tokens)
    sample: Json = {
        "id": record.key.item,
        "epoch": record.key.iteration,
        "input": _input(brief, record.key.item),
        "target": "",
        "messages": conversation(calls, model),
        "output": {
            "model": model,
            "choices": [{"message": answer, "stop_reason": "stop"}] if record.text else [],
            "completion": record.text,
            "usage": used,
        },
        "scores": dict(scores),
        "metadata": {"levelfield": record.model_dump(mode="json", exclude={"text"}, exclude_none=True)},
        "store": {},
        "events": events,
        "model_usage": {model: used},
        "started_at": clock.at(clock.started_s),
        "uuid": f"{record.key.run_id}.{record.attempt_id}",
        "turn_count": record.model_calls,
        "attachments": attachments,
    }
    if record.ended_s is not None:
        sample["completed_at"] = clock.at(record.ended_s)
    if record.latency_s is not None:
        # Inspect tells the two apart for the same reason: https://inspect.aisi.org.uk/parallelism.html
        total_s = record.latency_s + record.rate_limited_s
        sample |= {"total_time": total_s, "working_time": record.latency_s}
        sample["output"]["time"] = record.latency_s
    return sample | _ending(record, limits)


def verdict_score(verdicts: Sequence[Verdict], mean: Mapping[str, float], overall: float | None) -> Json:
    """One judge's Score of one report: means over its repeats, of which one at least has scores."""
    scored = [verdict for verdict in verdicts if verdict.scored]
    return {
        "value": ({} if overall is None else {"overall": overall}) | dict(mean),
        "explanation": "\n\n".join(verdict.reasoning for verdict in scored if verdict.reasoning),
        "metadata": {
            "judge": verdicts[0].judge,
            "verdicts": [
                verdict.model_dump(mode="json", exclude={"attempts", "reasoning"}, exclude_none=True)
                for verdict in verdicts
            ],
        },
    }


def check_score(check: CheckResult) -> Json:
    figures: dict[str, Any] = {
        "section_share": check.section_share,
        "words": check.words,
        "words_in_range": check.words_in_range,
        "fact_recall": check.fact_recall,
        "unsupported_sentences": check.unsupported_sentences,
        "repetition": check.repetition,
        "in_asked_language": check.in_asked_language,
        "passed": check.passed,
        **check.figures,
    }
    return {
        "value": {name: value for name, value in figures.items() if value is not None},
        "metadata": check.model_dump(mode="json", exclude_none=True),
    }


def _input(brief: Brief | None, item: str) -> str:
    """What every framework was handed, as text: each agent with its instructions and its request."""
    if brief is None:
        return item
    return "\n\n".join(
        f"# {agent.name}\n\n{agent.instructions}\n\n{agent.user_turn or agent.request}"
        for agent in brief.agents
    )


def _ending(record: RunRecord, limits: Limits) -> Json:
    """A time-out is a limit of Inspect's; every other ending but `completed` is an error, named as ours."""
    if record.status is Status.COMPLETED:
        return {}
    said = record.error or ""
    if record.status is Status.TIMEOUT:
        return {"limit": {"type": "time", "limit": limits.run_timeout_s, "reason": said or "timeout"}}
    first = said.strip().partition("\n")[0]
    message = f"{record.status}: {first}" if first else str(record.status)
    return {"error": {"message": message, "traceback": said, "traceback_ansi": harmless(said)}}
