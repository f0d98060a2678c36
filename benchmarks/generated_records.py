"""Records, journals, verdicts and checks of made-up runs, in the form that experiments keep."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable
from dataclasses import dataclass

from shared.calls import Call, ServerTimings
from shared.latency import take_apart, take_apart_by_agent
from shared.records import (
    Boot,
    CheckResult,
    JudgeAttempt,
    RunKey,
    RunRecord,
    Status,
    UnsupportedClaim,
    Verdict,
)
from shared.store import Store

AGENTS = ("researcher", "analyst", "writer")
INSTRUCTIONS = {
    agent: f"You are the {agent}. You keep to the facts that you are given. " * 4 for agent in AGENTS
}
WORDS = (
    *("market", "growth", "customers", "product", "revenue", "region", "partner", "supplier", "quarter"),
    *("contract", "research", "platform", "service", "quality", "demand", "strategy", "expansion", "factory"),
    *("software", "export", "margin", "founder", "office", "investment"),
)
REPORT_WORDS = 600
TOKENS_PER_S = {"prefill": 1000.0, "decode": 25.0}


@dataclass(frozen=True)
class GeneratedRun:
    framework: str
    arm: str
    task: str
    item: str
    iteration: int
    position: int
    started_at: str
    error: str
    """Empty for a completed run."""
    prompt_tokens: int
    completion_tokens: int
    framework_s: float
    scores: dict[str, int]


def report_text(run: GeneratedRun) -> str:
    """Sections, bullets and numbers; every fifth iteration repeats the one before, as models may."""
    told_apart = run.iteration - (run.iteration % 5 == 0)
    words = random.Random(f"{run.framework} {run.arm} {run.item} {told_apart}")  # noqa: S311 - seeded on purpose
    lines = [f"# {run.item}", ""]
    for section in ("Overview", "Figures", "Outlook"):
        lines += [f"## {section}", ""]
        for _ in range(REPORT_WORDS // 3 // 12):
            lines.append(f"- {' '.join(words.choices(WORDS, k=11))} {words.randint(1, 999)}.")
        lines.append("")
    return "\n".join(lines)


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def write_records(store: Store, runs: Iterable[GeneratedRun], *, judge: str) -> None:
    for run in runs:
        record, calls = generated_record(run)
        record = store.write_run(record, calls)
        if record.status == Status.COMPLETED:
            store.write_verdict(_verdict(record, run, judge))
            store.write_check(_check(record))


def generated_record(run: GeneratedRun) -> tuple[RunRecord, list[Call]]:
    text = "" if run.error else report_text(run)
    calls = _calls(run, text)
    end_s = calls[-1].delivered_s or 0.0
    return RunRecord(
        key=RunKey(**{name: getattr(run, name) for name in RunKey.model_fields}),
        attempt=1,
        attempt_id=f"{run.position:08x}",
        status=Status.FRAMEWORK_ERROR if run.error else Status.COMPLETED,
        error=run.error or None,
        position=run.position,
        node="n1",
        started_at=run.started_at,
        latency_s=end_s,
        started_s=0.0,
        ended_s=end_s,
        model_s=sum(call.last_byte_s - call.arrived_s for call in calls),
        tool_s=0.0,
        parts=take_apart(calls, 0.0, end_s),
        agent_parts=take_apart_by_agent(calls, 0.0, end_s),
        prompt_tokens=run.prompt_tokens,
        completion_tokens=run.completion_tokens,
        cached_tokens=0,
        model_calls=len(AGENTS),
        tool_calls=0,
        text=text,
        boot=Boot(process_s=0.9, import_s=1.5, versions={}, python="3.11"),
    ), calls


def _calls(run: GeneratedRun, text: str) -> list[Call]:
    """Each agent asks once, having been told what the others said; the last answer is the report."""
    facts = "\n".join(f"- {run.item}: {WORDS[n % len(WORDS)]} was {n * 37 % 500} in 2024." for n in range(40))
    said: list[str] = []
    calls, at = [], 0.0
    for number, agent in enumerate(AGENTS, start=1):
        answer = text if agent == AGENTS[-1] else f"{agent}: " + report_text(run)[: 900 + 10 * number]
        told = [facts, *said, f"Do the {agent}'s part on {run.item}."]
        arrived = at + run.framework_s / len(AGENTS)
        first = arrived + run.prompt_tokens / len(AGENTS) / TOKENS_PER_S["prefill"]
        at = first + run.completion_tokens / len(AGENTS) / TOKENS_PER_S["decode"]
        calls.append(
            Call(
                sequence=number, kind="model", path="/v1/chat/completions", agent=agent, arrived_s=arrived,
                forwarded_s=arrived, first_token_s=first, last_byte_s=at, delivered_s=at, status=200,
                server=ServerTimings(prefill_s=first - arrived, decode_s=at - first),
                request={"model": "m", "temperature": 0, "messages": [
                    {"role": "system", "content": INSTRUCTIONS[agent]},
                    {"role": "user", "content": "\n\n".join(told)},
                ]},
                response={"choices": [{"message": {"role": "assistant", "content": answer}}]},
                prompt_tokens=run.prompt_tokens // len(AGENTS), finish_reason="stop",
                completion_tokens=run.completion_tokens // len(AGENTS), cached_tokens=0,
            )
        )  # fmt: skip
        said.append(answer)
    return calls


def _verdict(record: RunRecord, run: GeneratedRun, judge: str) -> Verdict:
    overall = sum(run.scores.values()) / len(run.scores)
    return Verdict(
        run_id=record.key.run_id, attempt_id=record.attempt_id, judge=judge, rubric=f"{run.task}/1",
        scored=True, scores=run.scores, overall=overall, judge_overall=round(overall),
        reasoning="Covers what was asked, with figures; little is said of risks.",
        attempts=[JudgeAttempt(text="{}", seconds=1.0)],
    )  # fmt: skip


def _check(record: RunRecord) -> CheckResult:
    return CheckResult(
        run_id=record.key.run_id, attempt_id=record.attempt_id, checks="generated/1",
        sections_found=["Overview", "Figures", "Outlook"], sections_missing=["Risks"],
        words=len(record.text.split()), words_in_range=True, facts_found=["f1", "f2"], facts_total=8,
        sentences=48, unsupported_sentences=1,
        unsupported=[UnsupportedClaim(sentence="Growth was 999 in 2024.", unsupported=["999"])],
        repetition=0.05, language="en", in_asked_language=True,
    )  # fmt: skip
