"""Unequal treatment, planted in one way at a time, is found under its code; a clean experiment is silent."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from shared.calls import Call
from shared.records import Status
from tests.unit.fairness_wire import (
    RESULT,
    body_of,
    brief_of,
    codes,
    completion,
    conversation,
    each_body,
    examined,
    experiment,
    model_call,
    planned,
    quoted,
    the,
)

BOTH = ("idiomatic", "equalised")


def test_clean_experiment_is_silent(tmp_path: Path) -> None:
    """Frameworks that send the plan's own messages in both arms leave no finding at all."""
    found = examined(tmp_path / "e", arms=BOTH, iterations=2)
    assert found.findings == []
    assert found.requests == 3 * 3 * 2 * 2 * 2
    assert found.verdict.startswith("Treatment was equal: no violation in 72 requests of 3 frameworks.")
    assert [len(step.groups) for step in found.steps] == [1] * 6
    assert found.left == {"direct": [], "alpha": [], "beta": []}


def test_clean_tool_loop_is_silent(tmp_path: Path) -> None:
    """So does a run in which an agent calls its tools and reads their answers."""
    found = examined(tmp_path / "e", arms=BOTH, tools=True)
    assert found.findings == []
    assert {t.tool_calls for t in found.treatments} == {4}
    assert [(step.agent, step.first_number) for step in found.steps[:2]] == [
        ("researcher", 1),
        ("researcher", 2),
    ]


def test_other_ways_of_handing_over_are_no_violation_where_they_are_allowed(tmp_path: Path) -> None:
    """In the idiomatic arm a conversation and a quotation are shown as different forms, framing as a note."""
    styles = {"direct": planned, "alpha": conversation, "beta": quoted}
    found = examined(tmp_path / "e", styles=styles, arms=("idiomatic",))
    assert found.violations == []
    assert codes(found, "alpha") == []
    assert codes(found, "beta") == ["framing"]
    writer = found.steps[-1]
    assert [list(group.frameworks) for group in writer.groups] == [["direct"], ["alpha"], ["beta"]]
    by_name = {t.framework: t for t in found.treatments}
    assert by_name["alpha"].made.again > 0 == by_name["alpha"].made.framing
    quote = "\nHere is what your colleague found out:\n\nUse it well."
    assert by_name["beta"].made.framing == 4 * len(quote)


def test_published_defect_is_caught(tmp_path: Path) -> None:
    """The published study's "same prompts": one framework quotes the last output, another continues a
    conversation. Where all are to send the same, both are violations with the difference shown.
    """
    styles = {"direct": planned, "alpha": conversation, "beta": quoted}
    found = examined(tmp_path / "e", styles=styles)
    assert the(found, "prompts_differ", "alpha").severity == "violation"
    assert the(found, "prompts_differ", "alpha").count == 4  # analyst and writer on two items
    quoting = the(found, "prompts_differ", "beta")
    added = "".join(span.text for span in quoting.evidence[0].diff if span.mark == "added")
    assert "Here is what your colleague found out:" in added
    assert codes(found, "direct") == []


def test_published_frameworks_without_a_floor(tmp_path: Path) -> None:
    """Without `direct` the larger group is the reference, and the other is named."""
    styles = {"alpha": conversation, "beta": quoted, "gamma": quoted}
    found = examined(tmp_path / "e", styles=styles)
    assert "prompts_differ" in codes(found, "alpha")
    assert "prompts_differ" not in codes(found, "beta")


def test_one_rewritten_character(tmp_path: Path) -> None:
    """A request that is changed by one character is found, with that character marked."""

    def rewrite(body: dict[str, Any]) -> None:
        last = body["messages"][-1]
        last["content"] = last["content"].replace("Keep every name", "Keep evory name")

    found = examined(tmp_path / "e", spoil={"alpha": each_body(rewrite, "writer")})
    changed = the(found, "prompt_changed")
    assert (changed.count, changed.rule, changed.severity) == (2, 1, "violation")
    marked = [(span.mark, span.text.strip()) for span in changed.evidence[0].diff if span.mark != "same"]
    assert marked == [("removed", "every"), ("added", "evory")]
    assert codes(found) == ["prompt_changed", "prompts_differ", "framing"]
    assert the(found, "framing").text.endswith("6 bytes for each run on average.")
    assert codes(found, "beta") == []


def test_changed_prompts_of_all_items_are_one_picture(tmp_path: Path) -> None:
    """The same change on another item is the same picture: folded, with its count."""

    def rewrite(body: dict[str, Any]) -> None:
        body["messages"][-1]["content"] = body["messages"][-1]["content"].replace("Say nothing", "Say little")

    found = examined(tmp_path / "e", items=("x", "yy", "zzz"), spoil={"alpha": each_body(rewrite, "analyst")})
    [step] = [step for step in found.steps if step.agent == "analyst"]
    assert [group.frameworks for group in step.groups] == [{"direct": 3, "beta": 3}, {"alpha": 3}]
    assert step.items == 3


def test_instructions_left_out(tmp_path: Path) -> None:
    """Instructions that are nowhere in a request are missing, whatever the request says otherwise."""
    found = examined(
        tmp_path / "e", spoil={"alpha": each_body(lambda body: body["messages"].pop(0), "analyst")}
    )
    missing = the(found, "prompt_missing")
    assert missing.count == 2
    assert "the analyst's instructions" in missing.text


def test_changed_instructions_are_no_hidden_call(tmp_path: Path) -> None:
    """A step whose instructions were changed carries no agent's words, and is known as that step even so."""

    def shout(calls: list[Call]) -> list[Call]:
        changed = each_body(lambda body: body["messages"][0].update(content=_loud(body)), "writer")(calls)
        return [
            call.model_copy(update={"agent": None}) if call.agent == "writer" else call for call in changed
        ]

    def _loud(body: dict[str, Any]) -> str:
        return str(body["messages"][0]["content"]).replace("You write", "You always write")

    found = examined(tmp_path / "e", spoil={"alpha": shout})
    assert "prompt_changed" in codes(found)
    assert "hidden_calls" not in codes(found)


def test_agent_without_a_request(tmp_path: Path) -> None:
    """A completed run in which an agent was never asked is found; a failed one says nothing of that."""
    drop = {"alpha": lambda calls: calls[:2]}
    assert "the writer's whole step" in the(examined(tmp_path / "e", spoil=drop), "prompt_missing").text
    assert codes(examined(tmp_path / "f", spoil=drop, status=Status.FRAMEWORK_ERROR)) == []


@pytest.mark.parametrize(
    ("change", "code", "rule"),
    [
        (lambda body: body.pop("temperature"), "temperature_missing", 4),
        (lambda body: body.update(temperature=None), "temperature_missing", 4),
        (lambda body: body.update(temperature=0.7), "temperature_differs", 4),
        (lambda body: body.update(temperature=False), "temperature_differs", 4),
        (lambda body: body.pop("seed"), "seed_missing", 4),
        (lambda body: body.update(seed=8), "seed_differs", 4),
        (lambda body: body.pop("max_tokens"), "limit_missing", 5),
        (lambda body: body.update(max_tokens=4096), "limit_differs", 5),
        (lambda body: body.update(model="gpt-4o"), "model_differs", 3),
    ],
)
def test_parameters(tmp_path: Path, change: Any, code: str, rule: int) -> None:
    """A parameter that is left out or is not the plan's is a violation, counted by request."""
    found = examined(tmp_path / "e", spoil={"alpha": each_body(change)})
    assert codes(found) == [code]
    finding = the(found, code)
    assert (finding.rule, finding.severity, finding.count) == (rule, "violation", 6)
    assert finding.evidence[0].run_id == "t.x.1.equalised.alpha"
    assert finding.evidence[0].call == 1


def test_equal_values_in_other_spelling(tmp_path: Path) -> None:
    """0.0 is 0, and the limit's newer name limits as the older one does, though it is another key."""

    def respell(body: dict[str, Any]) -> None:
        body |= {"temperature": 0.0, "seed": 7.0, "max_completion_tokens": body.pop("max_tokens")}

    assert examined(tmp_path / "e", spoil={"alpha": each_body(respell)}).findings == []


@pytest.mark.parametrize(
    ("key", "value", "severity"),
    [
        ("top_p", 0.9, "violation"),
        ("stop", ["\nObservation:"], "violation"),
        ("n", 1, "note"),
        ("user", "u", "note"),
    ],
)
def test_extra_parameters(tmp_path: Path, key: str, value: Any, severity: str) -> None:
    """A key that others do not send is a violation when it can change the answer, else a note."""
    found = examined(tmp_path / "e", spoil={"alpha": each_body(lambda body: body.update({key: value}))})
    assert codes(found) == ["extra_parameters"]
    assert the(found, "extra_parameters").severity == severity
    [row] = [p for p in found.parameters if (p.key, p.framework) == (key, "alpha")]
    assert row.alone
    assert row.values[0].requests == 6


def test_key_that_all_send_is_no_finding(tmp_path: Path) -> None:
    """What every framework sends alike tells nobody apart."""
    spoil = each_body(lambda body: body.update(top_p=0.9))
    assert examined(tmp_path / "e", spoil=dict.fromkeys(("direct", "alpha", "beta"), spoil)).findings == []


def test_asking_twice(tmp_path: Path) -> None:
    """A second request for an answer that was already there is hidden, not a step."""
    found = examined(tmp_path / "e", spoil={"alpha": lambda calls: [*calls, calls[-1]]})
    assert codes(found) == ["hidden_calls"]
    assert "asking the writer again" in the(found, "hidden_calls").text
    assert [t.hidden_calls for t in found.treatments] == [0, 2, 0]


def test_hidden_summary(tmp_path: Path) -> None:
    """A call of the framework's own is found, shown with its words, and a note where its own way is allowed."""

    def summarise(calls: list[Call]) -> list[Call]:
        body = calls[0].request | {"messages": [{"role": "user", "content": "Summarise this conversation."}]}
        return [calls[0], model_call(body, completion("A summary."), None), *calls[1:]]

    found = examined(tmp_path / "e", spoil={"alpha": summarise}, arms=BOTH)
    hidden = [f for f in found.findings if f.code == "hidden_calls"]
    assert {(f.arm, f.severity) for f in hidden} == {("idiomatic", "note"), ("equalised", "violation")}
    assert hidden[0].evidence[0].seen == "Summarise this conversation."
    assert "with no agent's instructions" in hidden[0].text


def test_request_to_another_endpoint(tmp_path: Path) -> None:
    """What is no chat completion is counted as hidden, and named as not compared."""
    embedding = model_call({"input": "text"}, {"data": []}, None, path="/v1/embeddings")
    found = examined(tmp_path / "e", spoil={"alpha": lambda calls: [*calls, embedding]})
    assert codes(found) == ["hidden_calls"]
    assert "/v1/embeddings" in the(found, "unchecked", None).text
    assert "not everything could be checked" not in found.verdict  # there is a violation to tell of


def test_own_retries(tmp_path: Path) -> None:
    """A failed request made again is a retry: told by the gateway, or by its being the same."""
    failed = {"status": 500, "error": "broken", "response": None}

    def retried(calls: list[Call]) -> list[Call]:
        return [calls[0].model_copy(update=failed), calls[0].model_copy(update={"retry_of": 1}), *calls[1:]]

    def silently(calls: list[Call]) -> list[Call]:
        return [calls[0].model_copy(update=failed), *calls]

    found = examined(tmp_path / "e", spoil={"alpha": retried, "beta": silently})
    for name in ("alpha", "beta"):
        assert codes(found, name) == ["own_retries"]
        assert the(found, "own_retries", name).count == 2
    assert {t.framework: t.retries for t in found.treatments} == {"direct": 0, "alpha": 2, "beta": 2}


def test_streaming(tmp_path: Path) -> None:
    """One framework that streams is named; its answers are read from the events all the same."""

    def stream(calls: list[Call]) -> list[Call]:
        return [call.model_copy(update={"streamed": True, "response": _events(call)}) for call in calls]

    def _events(call: Call) -> list[Any]:
        text = call.response["choices"][0]["message"]["content"]
        deltas = [{"role": "assistant", "content": None}, {"content": text[:9]}, {"content": text[9:]}]
        return [*({"choices": [{"index": 0, "delta": delta}]} for delta in deltas), {"choices": []}]

    found = examined(tmp_path / "e", spoil={"alpha": stream})
    assert codes(found) == ["streaming_differs"]
    assert the(found, "streaming_differs").severity == "violation"
    everybody = dict.fromkeys(("direct", "alpha", "beta"), stream)
    assert examined(tmp_path / "f", spoil=everybody).findings == []


def test_assistant_ending(tmp_path: Path) -> None:
    """A request that ends on an assistant turn is found in either arm."""
    spoil = each_body(
        lambda body: body["messages"].append({"role": "assistant", "content": "Sure:"}), "writer"
    )
    found = examined(tmp_path / "e", spoil={"alpha": spoil}, arms=("idiomatic",))
    assert codes(found) == ["assistant_ending", "framing"]
    assert the(found, "assistant_ending").severity == "violation"
    assert {t.framework: t.assistant_endings for t in found.treatments} == {
        "direct": 0,
        "alpha": 2,
        "beta": 0,
    }


def _with_function(change: Any) -> Any:
    def spoil(body: dict[str, Any]) -> None:
        for tool in body.get("tools", ()):
            change(tool["function"])

    return each_body(spoil)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda f: f.update(description="Tool Name: search"), "description changed"),
        (lambda f: f.update(strict=True), "strict added"),
        (lambda f: f.update(name="Search"), "search is not offered and Search is offered unplanned"),
        (
            lambda f: f.update(parameters=f["parameters"] | {"additionalProperties": False}),
            "parameters.additionalProperties added",
        ),
    ],
)
def test_tools_differ(tmp_path: Path, change: Any, path: str) -> None:
    """A tool that is described otherwise than planned is found, and where it differs is named."""

    def spoil(calls: list[Call]) -> list[Call]:
        return _with_function(change)([copy.deepcopy(call) for call in calls])

    found = examined(tmp_path / "e", spoil={"alpha": spoil}, tools=True, arms=("idiomatic",))
    assert codes(found) == ["tools_differ"]
    assert path in the(found, "tools_differ").text
    assert the(found, "tools_differ").rule == 2


def test_tools_left_out_late(tmp_path: Path) -> None:
    """A request of the loop that no longer offers the tools is found."""

    def spoil(calls: list[Call]) -> list[Call]:
        body = dict(calls[3].request)
        del body["tools"]
        return [*calls[:3], calls[3].model_copy(update={"request": body}), *calls[4:]]

    found = examined(tmp_path / "e", spoil={"alpha": spoil}, tools=True)
    assert the(found, "tools_differ").count == 2
    assert "search is not offered" in the(found, "tools_differ").text


def test_strict_false_is_the_default(tmp_path: Path) -> None:
    """`strict: false` says what its absence says."""
    spoil = {"alpha": _with_function(lambda f: f.update(strict=False))}
    assert examined(tmp_path / "e", spoil=spoil, tools=True).findings == []


@pytest.mark.parametrize("result", [RESULT[:20], f'"{RESULT}"', "Error: the tool is not there"])
def test_result_not_handed_on_as_it_was(tmp_path: Path, result: str) -> None:
    """A tool's result that is cut, wrapped or replaced on its way to the model is found."""

    def spoil(body: dict[str, Any]) -> None:
        for message in body["messages"]:
            if message["role"] == "tool":
                message["content"] = result

    found = examined(tmp_path / "e", spoil={"alpha": each_body(spoil)}, tools=True)
    assert "tool_results_differ" in codes(found)
    assert the(found, "tool_results_differ").rule == 2


def test_result_dropped(tmp_path: Path) -> None:
    """One of two results that never reaches the model is found."""
    found = examined(
        tmp_path / "e",
        spoil={
            "alpha": each_body(lambda b: b["messages"].pop() if b["messages"][-1]["role"] == "tool" else 0)
        },
        tools=True,
    )
    assert "a tool call without its result" in the(found, "tool_results_differ").text


def test_tool_that_answers_one_framework_otherwise(tmp_path: Path) -> None:
    """The same question on the same item with another answer is found, for whom it was given."""

    def spoil(calls: list[Call]) -> list[Call]:
        text = json.dumps([call.model_dump(mode="json") for call in calls], ensure_ascii=False)
        other = text.replace("1,200 staff", "1,300 staff")
        return [Call.model_validate(call) for call in json.loads(other)]

    found = examined(tmp_path / "e", spoil={"alpha": spoil}, tools=True)
    assert codes(found) == ["tool_results_differ"]
    assert "answered the same question otherwise" in the(found, "tool_results_differ").text


def test_more_calls_than_allowed(tmp_path: Path) -> None:
    """More model calls in a step than the plan allows are found."""

    def loop(calls: list[Call]) -> list[Call]:
        return [*calls[:3], *[calls[0]] * 4, *calls[3:]]

    found = examined(tmp_path / "e", spoil={"alpha": loop}, tools=True, arms=("idiomatic",))
    assert "model calls in a step" in the(found, "limit_differs").text


def test_replay_that_differs(tmp_path: Path) -> None:
    """A replayed request that is not the recorded one is found with its difference."""

    def spoil(calls: list[Call]) -> list[Call]:
        recorded = calls[0].request | {"seed": 99}
        return [calls[0].model_copy(update={"recorded": recorded}), *calls[1:]]

    found = examined(tmp_path / "e", spoil={"alpha": spoil})
    assert codes(found) == ["replay_differs"]
    diff = the(found, "replay_differs").evidence[0].diff
    assert {(span.mark, span.text.strip()) for span in diff} >= {("removed", "99"), ("added", "7")}


def test_one_text_part_is_its_text(tmp_path: Path) -> None:
    """A content of one text part, and null for what is left out, are the protocol's other spellings."""

    def respell(body: dict[str, Any]) -> None:
        for message in body["messages"]:
            message |= {"content": [{"type": "text", "text": message["content"]}], "name": None}

    found = examined(tmp_path / "e", spoil={"alpha": each_body(respell)})
    assert found.findings == []
    assert found.normalisations == {"text_part": 6, "null": 6}


def test_name_on_a_message_is_framing(tmp_path: Path) -> None:
    """A key that a framework adds to a message goes to the model, and counts."""
    spoil = each_body(lambda body: body["messages"][-1].update(name="user"))
    found = examined(tmp_path / "e", spoil={"alpha": spoil})
    assert codes(found) == ["prompts_differ", "framing"]
    assert found.left["alpha"][0].startswith("Sends other messages than the reference")


def test_blanks_cut_from_an_answer(tmp_path: Path) -> None:
    """An answer that is handed on without the blanks around it is not the same to the byte."""

    def padded(calls: list[Call]) -> list[Call]:
        return [
            call.model_copy(
                update={"response": completion(f"{call.response['choices'][0]['message']['content']}\n\n")}
            )
            for call in calls
        ]

    found = examined(tmp_path / "e", spoil={"alpha": padded})
    assert codes(found) == ["prompts_differ"]


def test_same_answers_from_two_agents(tmp_path: Path) -> None:
    """A model that answers every agent with the same words, or with a prompt, makes no difference between frameworks."""
    words = brief_of("x").agents[0].request

    def parrot(calls: list[Call]) -> list[Call]:
        brief, said = brief_of("x"), dict.fromkeys(("researcher", "analyst", "writer"), words)
        told = [planned(brief, n, dict(list(said.items())[:n])) for n in range(3)]
        return [
            call.model_copy(update={"request": body_of(brief, n, told[n]), "response": completion(words)})
            for n, call in enumerate(calls)
        ]

    found = examined(tmp_path / "e", items=("x",), spoil={"alpha": parrot})
    assert found.findings == []


def test_experiment_without_briefs(tmp_path: Path) -> None:
    """In an older experiment, `direct` is the yardstick and agents are read from system texts."""

    def plain(calls: list[Call]) -> list[Call]:
        return [call.model_copy(update={"agent": None}) for call in calls]

    def warm(calls: list[Call]) -> list[Call]:
        return plain(each_body(lambda body: body.update(temperature=0.7))(calls))

    found = examined(
        tmp_path / "e", briefs=False, spoil={"direct": plain, "alpha": warm, "beta": plain}, arms=BOTH
    )
    assert codes(found) == ["temperature_differs"]
    assert codes(found, "beta") == []
    assert "`direct` itself" in the(found, "unchecked", None).text
    assert [step.agent for step in found.steps[:3]] == ["researcher", "analyst", "writer"]


def test_experiment_without_briefs_and_floor(tmp_path: Path) -> None:
    """With nobody to say what was handed over, parameters and equality are still checked, and it is said."""
    styles = {"alpha": planned, "beta": planned, "gamma": quoted}
    drop_seed = each_body(lambda body: body.pop("seed"))
    found = examined(tmp_path / "e", briefs=False, styles=styles, spoil={"alpha": drop_seed})
    assert codes(found) == ["seed_missing"]
    assert "prompts_differ" in codes(found, "gamma")
    assert any("nobody knows what was handed over" in f.text for f in found.notes)


def test_brief_that_does_not_say_how_to_hand_over(tmp_path: Path) -> None:
    """Without `direct` to learn it from, the plan's own headings are not held against frameworks."""
    found = examined(tmp_path / "e", user_turns=False, styles={"alpha": planned, "beta": planned})
    assert found.violations == []
    assert "how answers are handed over" in the(found, "unchecked", None).text
    assert "not everything could be checked" in found.verdict
    assert examined(tmp_path / "f", user_turns=False).findings == []


def test_framework_without_requests(tmp_path: Path) -> None:
    """A framework that talks to no model is named, and is nobody's violation."""
    found = examined(tmp_path / "e", spoil={"alpha": lambda _: []})
    assert codes(found) == ["unchecked"]
    assert found.violations == []
    assert "of 2 frameworks" in found.verdict


def test_no_requests_at_all(tmp_path: Path) -> None:
    """An experiment without a model request says that nothing can be said."""
    found = examined(tmp_path / "e", styles={"scripted": planned}, spoil={"scripted": lambda _: []})
    assert found.verdict == "No model request was recorded, so nothing can be said of equal treatment."


def test_calls_that_were_tampered_with(tmp_path: Path) -> None:
    """A run whose calls do not match their digest is left out and said so; the others are examined."""
    from analysis.fairness.examine import examine

    store = experiment(tmp_path / "e")
    path = tmp_path / "e" / "runs" / "t.x.1.equalised.alpha" / "attempt-1.calls.jsonl"
    path.write_text(path.read_text().replace('"seed": 7', '"seed": 8'))
    found = examine(store)
    assert found.requests == 3 * 3 * 2 - 3
    assert "do not match their digest" in the(found, "unchecked", None).text


def test_framework_against_itself(tmp_path: Path) -> None:
    """A framework under its second name is a subject of its own, and no further framework."""
    styles = {"direct": planned, "alpha": planned}
    store_plan: dict[str, Any] = {"styles": styles | {"alpha-aa": planned}}
    found = examined(tmp_path / "e", **store_plan)
    assert found.frameworks["alpha-aa"] == "alpha (again)"
    assert "of 2 frameworks" in found.verdict
