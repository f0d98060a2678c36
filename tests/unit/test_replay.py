"""A recording: which run gets whose answers, what is missing, and how it stands in for a model server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cluster.experiment import describe_experiment, read_plan
from cluster.replay import Recording
from cluster.servers import ServerOptions, check_setting, open_server
from shared.calls import Asked, Call
from shared.errors import CorruptRecord, PlanError, SettingsError
from shared.plan import ordered_runs, warmup_runs
from shared.records import RunKey, Status
from shared.settings import load_settings
from shared.store import Store
from tests.unit.stored_records import begun, run


def key(framework: str = "a", iteration: int = 1, **fields: Any) -> RunKey:
    values = {"arm": "idiomatic", "task": "t", "item": "x"} | fields
    return RunKey(framework=framework, iteration=iteration, **values)


def call(text: str, sequence: int = 1, kind: str = "model") -> Call:
    return Call.model_validate(
        {
            "sequence": sequence, "kind": kind, "path": "/v1/chat/completions", "arrived_s": 1, "forwarded_s": 1,
            "last_byte_s": 3, "status": 200, "request": {"n": text}, "response": {"said": text},
        }
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return begun(tmp_path / "source")


def said(recording: Recording, wanted: RunKey) -> list[Any]:
    return [answer.response["said"] for answer in recording.answers(wanted)]


def test_a_run_gets_its_own_answers(store: Store) -> None:
    """Model calls of the attempt that counts, in order; a tool call is no answer of a model."""
    store.write_run(run("a", status=Status.INFRASTRUCTURE_ERROR), [call("broken")])
    store.write_run(run("a", attempt=2), [call("one"), call("tool", 2, "tool"), call("two", 3)])
    store.write_run(run("b"), [call("b's")])
    recording = Recording(store.folder)
    assert said(recording, key("a")) == ["one", "two"]
    assert (recording.attempt_id(key("a")), recording.attempt_id(key("b"))) == ("a2", "b1")
    answer = recording.answers(key("a"))[0]
    assert (answer.request, answer.last_byte_s) == ({"n": "one"}, 2)


def test_what_was_said_for_people_is_recorded_too(store: Store) -> None:
    """In order, from the attempt that counts, whichever tool calls it was said in."""
    words = [Asked(said=said, seconds=1) for said in ("one", "two", "three")]
    asked = [call("tool", n, "tool").model_copy(update={"asked": words[n - 1 : 2 * n - 1]}) for n in (1, 2)]
    store.write_run(run("a"), [*asked, call("model", 3)])
    assert Recording(store.folder).asked(key("a")) == words


def test_a_twin_gets_its_own_answers_or_its_frameworks(store: Store) -> None:
    """A framework's second name, in an experiment that did not run it, is answered like the framework."""
    store.write_run(run("a"), [call("a's")])
    assert said(Recording(store.folder), key("a-aa")) == ["a's"]
    store.write_run(run("a-aa", key=key("a-aa")), [call("twin's")])
    assert said(Recording(store.folder), key("a-aa")) == ["twin's"]
    assert said(Recording(store.folder), key("a")) == ["a's"]


def test_a_warmup_gets_its_own_answers_or_the_first_runs(store: Store) -> None:
    """Warm-ups are replayed too, in an experiment that had none from its first iteration."""
    store.write_run(run("a"), [call("first")])
    assert said(Recording(store.folder), key("a", 0)) == ["first"]
    store.write_run(run("a", key=key("a", 0)), [call("warm")])
    assert said(Recording(store.folder), key("a", 0)) == ["warm"]


@pytest.mark.parametrize("status", [Status.INFRASTRUCTURE_ERROR, Status.CONTAMINATED])
def test_what_is_missing_is_named(store: Store, status: Status) -> None:
    """Runs that were not recorded, or that we broke off ourselves, are named before anything starts."""
    store.write_run(run("a"), [call("a's")])
    store.write_run(run("b", status=status), [call("half")])
    recording = Recording(store.folder)
    recording.require([key("a"), key("a-aa"), key("a", 0)])
    with pytest.raises(PlanError, match=r"no answers for t\.x\.1\.idiomatic\.b\. Run the plan with a model"):
        recording.require([key("a"), key("b")])
    many = [key("a", iteration) for iteration in range(1, 7)]
    with pytest.raises(PlanError, match=r"t\.x\.2.*t\.x\.3.*t\.x\.4\.idiomatic\.a and 2 more\."):
        recording.require(many)
    with pytest.raises(PlanError, match="no answers for"):
        recording.answers(key("c"))


def test_a_tampered_recording_is_noticed(store: Store) -> None:
    """Answers come out of checked records."""
    store.write_run(run("a"), [call("a's")])
    (calls,) = store.folder.glob("runs/*/attempt-1.calls.jsonl")
    calls.write_text(calls.read_text().replace("a's", "b's"))
    with pytest.raises(CorruptRecord):
        Recording(store.folder).answers(key("a"))


def test_no_recording_there(tmp_path: Path) -> None:
    """A folder without an experiment is a clear error, from the driver and from a node."""
    for opening in (
        lambda: Recording(tmp_path),
        lambda: open_server(f"replay:{tmp_path}", ServerOptions(tmp_path)).start(),
    ):
        with pytest.raises(SettingsError, match=r"No experiment in .*Name the folder of an experiment"):
            opening()
    with pytest.raises(SettingsError, match=r"names no recording: write replay:FOLDER"):
        check_setting("replay:")


def test_it_stands_in_for_the_server(store: Store, tmp_path: Path) -> None:
    """It starts nothing, names the recorded model, says what it is, and differs from any other recording."""
    manifest = store.manifest().model_copy(
        update={"server": {"served_model": "m", "server": "llama.cpp", "version": "1", "digest": "sha256:d",
                           "context_length": 4096, "flags": {"n_parallel": 1}, "setting": "llamacpp:m"}}
    )  # fmt: skip
    identities = []
    for experiment in ("first", "second"):
        folder = tmp_path / experiment
        Store(folder).lock()
        Store(folder).begin(manifest.model_copy(update={"experiment": experiment}))
        server = open_server(f"replay:{folder}", ServerOptions(tmp_path))
        server.start()
        assert (server.base_url, server.api_key, server.served_model, server.healthy()) == (
            "",
            None,
            "m",
            True,
        )
        identities.append(server.identity())
        server.stop()
    first, second = identities
    assert (first.setting, first.server, first.digest, first.context_length) == (
        *("replay:first", "llama.cpp", "sha256:d", 4096),
    )
    assert first.caveat
    assert "Answers are replayed from first: no model ran" in first.caveat
    assert first.flags["n_parallel"] == 1
    assert first.flags["recording"] != second.flags["recording"]
    assert str(tmp_path) not in repr(first)


PLAN = """
name: p
frameworks: [direct, langgraph]
aa: direct
warmups: 1
tasks: [{name: company_research, items: [stripe]}]
"""


def test_an_experiment_on_a_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name and identity have the recording's name and timing, but not the way to its folder."""
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    plan = read_plan(path)
    monkeypatch.chdir(tmp_path)
    here = load_settings({"llm_model": "replay:results/source"})
    assert here.recording == tmp_path / "results" / "source"
    there = load_settings({"llm_model": "replay:/elsewhere/source"})
    slow = load_settings({"llm_model": "replay:/elsewhere/source", "replay_timing": "recorded"})
    experiments = [describe_experiment(plan, settings) for settings in (here, there, slow)]
    assert experiments[0].name == experiments[1].name
    assert experiments[0].name.startswith("p-replay-source-")
    assert experiments[0].name != experiments[2].name
    assert str(tmp_path) not in repr(experiments[0].identity)
    live = load_settings({"llm_model": "scripted:instant", "replay_timing": "recorded"})
    assert live.recording is None
    assert "replay_timing" not in live.identity
    keys = [*warmup_runs(plan), *(key for block in ordered_runs(plan) for key in block)]
    assert {found.framework for found in keys} == {"direct", "direct-aa", "langgraph"}
