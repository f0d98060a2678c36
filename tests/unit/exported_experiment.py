"""A small experiment whose records hold what is hard to hand on: tools, streams, failures, odd answers, secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shared.brief import AgentBrief, Brief
from shared.calls import Call, ServerTimings
from shared.records import CheckResult, RunKey, RunRecord, Status
from shared.store import Store
from tests.unit.stored_records import begun, run, verdict

TOKEN = "lfrun-" + "t" * 32
KEY = "sk-very-secret-key"
LONG = "The company makes payments software. " * 20
ANSWER = "money, " * 30
SEARCH: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "search",
        "description": "Look it up",
        "parameters": {
            "type": "object",
            "title": "Search",
            "properties": {"query": {"type": "string", "title": "Query"}},
            "required": ["query"],
        },
    },
}


def exported_experiment(folder: Path) -> Store:
    """Frameworks a (three calls, one of them a tool's, one a stream) and b (a time-out, then an error)."""
    store = begun(folder)
    store.write_brief(
        Brief(
            task="t", item="x", model="m", temperature=0, seed=7, max_steps=8,
            agents=[AgentBrief(name="researcher", instructions="Be brief.", request="Tell.", max_tokens=9)],
        )
    )  # fmt: skip
    first = run(
        "a",
        text=f"= A report | with {KEY}\nand ünïcode",
        agent_outputs={"researcher": "facts"},
        started_s=0.5,
        ended_s=4.0,
        log=[f"WARNING used /runs/{TOKEN}/v1"],
        cached_tokens=100,
    )
    store.write_run(first, calls())
    store.write_run(run("b", status=Status.TIMEOUT, error="not done after 1800 s", latency_s=None), [])
    failed = run("b", attempt=1, status=Status.FRAMEWORK_ERROR, error="ValueError: no\nTraceback \x1b[31m")
    key = RunKey(framework="b", arm="idiomatic", task="t", item="x", iteration=2)
    store.write_run(failed.model_copy(update={"key": key, "attempt_id": "b2", "position": 1}), [])
    store.write_verdict(verdict(first, reasoning="good | bad", scores={"accuracy": 8, "tone": 3}))
    store.write_verdict(verdict(first, repeat=2, overall=8.5, scores={"accuracy": 9, "tone": 3}))
    store.write_check(
        CheckResult(
            run_id=first.key.run_id, attempt_id=first.attempt_id, checks="t/1", sections_found=["Overview"],
            sections_missing=["Risks"], words=600, words_in_range=True, facts_found=["f1"], facts_total=4,
        )
    )  # fmt: skip
    return store


def calls() -> list[Call]:
    asked = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": LONG}]
    wanted = {"id": "c1", "type": "function", "function": {"name": "search", "arguments": '{"query": "x"}'}}
    answered = {"role": "assistant", "content": None, "tool_calls": [wanted]}
    result = {"role": "tool", "tool_call_id": "c1", "content": "found"}
    return [
        _call(
            1,
            "model",
            {"model": "m", "messages": asked, "temperature": 0, "seed": 7, "tools": [SEARCH]},
            {"id": "r1", "model": "m-1", "choices": [{"message": answered, "finish_reason": "tool_calls"}]},
            prompt_tokens=300,
            completion_tokens=20,
            cached_tokens=100,
            server=ServerTimings(prefill_s=0.1, decode_s=0.2),
        ),
        _call(2, "tool", {"query": "x"}, {"results": ["found"], "huge": 2**70}),
        _call(
            3,
            "model",
            {"model": "m", "messages": [*asked, answered, result], "stream": True},
            [
                {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "It makes "}}]},
                {"choices": [{"index": 0, "delta": {"content": ANSWER}, "finish_reason": "stop"}]},
            ],
            streamed=True,
            chunks_s=[2.1, 2.2],
        ),
        _call(
            4, "model", f"not JSON from /runs/{TOKEN}/v1", "no answer", status=500, error="server fell over"
        ),
        _call(
            5,
            "model",
            {"model": "m", "instructions": "Sum up.", "input": "All of it"},
            {"output": [{"type": "message", "content": [{"type": "output_text", "text": "Summed."}]}]},
            finish_reason="stop",
        ),
    ]


def _call(number: int, kind: Any, request: Any, response: Any, **fields: Any) -> Call:
    values: dict[str, Any] = {
        "path": "/v1/chat/completions" if kind == "model" else "/tools/search",
        "agent": "researcher" if number < 5 else None,
        "arrived_s": 0.5 + number / 2,
        "last_byte_s": 0.9 + number / 2,
        "status": 200,
    }
    return Call(sequence=number, kind=kind, request=request, response=response, **values | fields)


def attempts(store: Store) -> list[RunRecord]:
    return list(store.each_run())
