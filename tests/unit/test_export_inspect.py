"""`levelfield export --to inspect`: what the logs say, held against the format as inspect-ai 0.3.285 reads it.

That its own reader takes them without loss is shown in tests/functional/test_inspect.py.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cluster.export.command import export_command
from cluster.export.inspect_messages import request_messages, request_tools
from tests.unit.exported_experiment import ANSWER, LONG, SEARCH, exported_experiment
from tests.unit.measured_experiment import analyse_store, stored_experiment

Log = dict[str, Any]


def logs_of(folder: Path, out: Path) -> dict[str, Log]:
    export_command(folder, "inspect", out, Console(quiet=True), bodies=False, overwrite=False)
    logs = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(out.iterdir())]
    return {log["eval"]["solver"]: log for log in logs}


@pytest.fixture
def logs(tmp_path: Path) -> dict[str, Log]:
    return logs_of(exported_experiment(tmp_path / "experiment").folder, tmp_path / "out")


def test_a_log_per_framework_with_the_head_before_the_samples(tmp_path: Path) -> None:
    """Inspect lists logs by their names and reads heads without samples, so both must be as its own are."""
    exported_experiment(tmp_path / "experiment")
    logs = logs_of(tmp_path / "experiment", tmp_path / "out")
    assert set(logs) == {"a", "b"}
    for path in (tmp_path / "out").iterdir():
        assert re.fullmatch(
            r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\+00-00_t-[ab]-idiomatic_[0-9a-f]{22}\.json", path.name
        )
    assert list(logs["a"]) == ["version", "status", "eval", "plan", "results", "stats", "samples"]
    assert logs["a"]["version"] == 2
    head = logs["a"]["eval"]
    assert (head["model"], head["task_args"]) == ("scripted:instant", {"framework": "a", "arm": "idiomatic"})
    assert head["config"] == {"epochs": 1, "fail_on_error": False, "time_limit": 1800}


def test_a_run_is_a_sample_with_scores_and_usage(logs: dict[str, Log]) -> None:
    """The item is its id, the iteration its epoch; means over a judge's repeats, checks apart, tokens as metered."""
    (sample,) = logs["a"]["samples"]
    assert (sample["id"], sample["epoch"]) == ("x", 1)
    assert sample["input"] == "# researcher\n\nBe brief.\n\nTell."
    assert sample["output"]["completion"].startswith("= A report")
    assert sample["scores"]["judge scripted:instant"]["value"] == {
        "overall": 8.0,
        "accuracy": 8.5,
        "tone": 3.0,
    }
    assert sample["scores"]["checks"]["value"] == {
        "section_share": 0.5,
        "words": 600,
        "words_in_range": True,
        "fact_recall": 0.25,
    }
    assert sample["model_usage"] == {
        "scripted:instant": {
            "input_tokens": 900,
            "output_tokens": 500,
            "total_tokens": 1500,
            "input_tokens_cache_read": 100,
        }
    }
    assert logs["a"]["results"]["scores"][0]["name"] == "overall"
    assert (sample["total_time"], sample["started_at"]) == (3.5, "2026-01-02T03:04:05.500000+00:00")


def test_calls_are_events_within_their_agent_s_span(logs: dict[str, Log]) -> None:
    """Model and tool calls in the order of arrival; the call of no agent stands outside; times are the journal's."""
    events = logs["a"]["samples"][0]["events"]
    assert [(event["event"], event.get("span_id")) for event in events] == [
        ("span_begin", "1-researcher"),
        ("model", "1-researcher"),
        ("tool", "1-researcher"),
        ("model", "1-researcher"),
        ("model", "1-researcher"),
        ("span_end", "1-researcher"),
        ("model", None),
    ]
    first, tool = events[1], events[2]
    assert (first["timestamp"], first["working_start"], first["working_time"]) == (
        "2026-01-02T03:04:06+00:00",
        0.5,
        pytest.approx(0.4),
    )
    assert first["config"] == {"temperature": 0, "seed": 7}
    assert first["output"]["usage"]["input_tokens_cache_read"] == 100
    choice = first["output"]["choices"][0]
    assert choice["stop_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"] == [
        {"id": "c1", "function": "search", "type": "function", "arguments": {"query": "x"}}
    ]
    assert (tool["function"], tool["arguments"]) == ("search", {"query": "x"})


def test_streams_failures_and_the_responses_api_are_read(logs: dict[str, Log]) -> None:
    """A stream spells one answer; a failed call has an error and no choice; both APIs give messages."""
    _, first, _, stream, failed, _, other = logs["a"]["samples"][0]["events"]
    assert stream["output"]["completion"] == f"It makes {ANSWER}"
    assert [message["role"] for message in stream["input"]] == ["system", "user", "assistant", "tool"]
    assert (failed["error"], failed["output"]["choices"]) == ("server fell over", [])
    assert failed["call"]["response"] == {"text": "no answer"}
    assert [message["content"] for message in other["input"]] == ["Sum up.", "All of it"]
    assert other["output"]["completion"] == "Summed."
    assert first["input"][0]["id"] == stream["input"][0]["id"]


def test_long_texts_of_events_are_kept_once(logs: dict[str, Log]) -> None:
    """What every call repeats is an attachment, and the raw request names the same one."""
    sample = logs["a"]["samples"][0]
    _, first, _, stream, *_ = sample["events"]
    mark = first["input"][1]["content"]
    assert sample["attachments"][mark.removeprefix("attachment://")] == LONG
    assert stream["input"][1]["content"] == mark == first["call"]["request"]["messages"][1]["content"]


def test_the_conversation_says_everything_once(logs: dict[str, Log]) -> None:
    """A request that carries the conversation adds only what is new; one that does not starts anew."""
    said = [(message["role"], message["content"]) for message in logs["a"]["samples"][0]["messages"]]
    assert said == [
        ("system", "Be brief."),
        ("user", LONG),
        ("assistant", ""),
        ("tool", "found"),
        ("assistant", f"It makes {ANSWER}"),
        ("system", "Sum up."),
        ("user", "All of it"),
        ("assistant", "Summed."),
    ]


def test_failed_runs_are_samples_too(logs: dict[str, Log]) -> None:
    """A time-out is Inspect's limit, another failure its error; neither counts as completed."""
    timeout, failed = logs["b"]["samples"]
    assert timeout["limit"] == {"type": "time", "limit": 1800.0, "reason": "not done after 1800 s"}
    assert failed["error"]["message"] == "framework_error: ValueError: no"
    assert "\x1b" in failed["error"]["traceback"]
    assert "\x1b" not in failed["error"]["traceback_ansi"]
    results = logs["b"]["results"]
    assert (results["total_samples"], results["completed_samples"], results["scores"]) == (2, 0, [])


def test_the_head_s_means_are_the_report_s(tmp_path: Path) -> None:
    """What `inspect view` lists as a log's score is the mean that the report shows for that framework and arm."""
    store = stored_experiment(tmp_path / "experiment")
    out = tmp_path / "out"
    export_command(store.folder, "inspect", out, Console(quiet=True), bodies=False, overwrite=False)
    analysis = analyse_store(store)
    assert len(list(out.iterdir())) == len(analysis.frameworks)
    for path in out.iterdir():
        log = json.loads(path.read_text(encoding="utf-8"))
        arguments = log["eval"]["task_args"]
        found = analysis.frameworks[f"{arguments['framework']} [{arguments['arm']}]"]
        overall = next(score for score in log["results"]["scores"] if score["name"] == "overall")
        assert overall["metrics"]["mean"]["value"] == pytest.approx(found.quality)
        assert overall["metrics"]["std"]["value"] == pytest.approx(found.std)
        assert log["status"] == "success"


ODD_CALLS = [{"function": "x"}, {"function": {"arguments": "{"}}]
ODD_BODIES: list[Any] = [
    *(None, "text", 3, [], {}, {"messages": "no list"}),
    {"messages": [1, None, {}, {"role": 5}]},
    {"messages": [{"role": "assistant", "tool_calls": ODD_CALLS}]},
    {"tools": [1, {"function": None}, {"function": {"parameters": "x"}}]},
]


@pytest.mark.parametrize("request_body", ODD_BODIES)
def test_a_body_of_another_shape_costs_itself_alone(request_body: Any) -> None:
    """Whatever a framework sends, messages and tools come out as Inspect's, or not at all."""
    for message in request_messages(request_body):
        assert message["role"] in ("system", "user", "assistant", "tool")
        assert isinstance(message["content"], str | list)
    for tool in request_tools(request_body):
        assert isinstance(tool["name"], str)


def test_a_tool_keeps_what_inspect_has_of_its_schema() -> None:
    """Titles and other extras of JSON Schema stay in the raw request alone."""
    (tool,) = request_tools({"tools": [SEARCH]})
    assert tool == {
        "name": "search",
        "description": "Look it up",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
    }
