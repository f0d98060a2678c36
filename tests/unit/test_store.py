"""Records are written once, survive a kill at any moment, and say so when they were tampered with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.calls import Call
from shared.errors import CorruptRecord, ResultsMismatch, StoreFailed
from shared.manifest import Manifest
from shared.plan import Plan, TaskPlan
from shared.records import SCHEMA_VERSION, CheckResult, JudgeAttempt, Status, Verdict
from shared.store import Store, slug
from tests.unit.stored_records import run


def manifest(**identity: Any) -> Manifest:
    return Manifest(
        experiment="e",
        created_at="now",
        levelfield="0",
        plan=Plan(name="p", frameworks=["a"], tasks=[TaskPlan(name="t", items=["x"])]),
        settings={"llm_model": "scripted:instant", "judge_model": None},
        identity={"code": "1"} | identity,
        frameworks={},
        server={"digest": "d"},
        hardware={},
    )


CALL = Call(sequence=1, kind="model", path="/v1/chat/completions", arrived_s=0, last_byte_s=1, status=200)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Runs with their calls, verdicts and checks come back equal."""
    store = Store(tmp_path)
    store.begin(manifest())
    written = store.write_run(run(text="é \u2028 <b>"), [CALL])
    verdict = Verdict(
        run_id="r", attempt_id="a1", judge="ollama:qwen3:14b", rubric="r/1", scored=False,
        attempts=[JudgeAttempt(text="?", error="not JSON", seconds=1)],
    )  # fmt: skip
    check = CheckResult(
        run_id="r", attempt_id="a1", checks="c/1", sections_found=["A"], sections_missing=["B"], words=5,
        words_in_range=False, facts_found=[], facts_total=2,
    )  # fmt: skip
    store.write_verdict(verdict)
    store.write_check(check)
    again = Store.existing(tmp_path)
    assert again.runs() == [written]
    assert again.calls(written) == [CALL]
    assert again.verdicts() == [verdict]
    assert again.checks() == [check]
    assert check.section_share == 0.5


def test_records_are_written_once(tmp_path: Path) -> None:
    """Writing the same attempt again is refused and leaves the first as it was."""
    store = Store(tmp_path)
    first = store.write_run(run(text="first"), [])
    with pytest.raises(StoreFailed, match="written once"):
        store.write_run(run(text="second"), [])
    assert store.runs() == [first]


def test_the_first_final_attempt_counts(tmp_path: Path) -> None:
    """An infrastructure error is superseded by a later attempt; a final result by nothing."""
    store = Store(tmp_path)
    store.write_run(run(attempt=1, status=Status.INFRASTRUCTURE_ERROR), [])
    store.write_run(run(attempt=2, text="counts"), [])
    store.write_run(run(attempt=3, text="late"), [])
    assert [record.text for record in store.runs()] == ["counts"]
    assert len(list(store.attempts())) == 3


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "not a record"])
def test_a_damaged_record_is_named(tmp_path: Path, damage: str) -> None:
    """Every kind of damage is found and the message names the file and what to do."""
    store = Store(tmp_path)
    store.write_run(run(text="report"), [])
    path = next(tmp_path.glob("runs/*/attempt-1.json"))
    text = path.read_text()
    changed = {
        "flip": text.replace("report", "resort"),
        "truncate": text[:100],
        "empty": "",
        "not a record": '{"sha256": "x", "body": 3}',
    }
    path.write_text(changed[damage])
    with pytest.raises(CorruptRecord, match=r"attempt-1\.json.*delete it"):
        store.runs()


def test_changed_calls_are_noticed(tmp_path: Path) -> None:
    """The calls file is held against the digest in its record."""
    store = Store(tmp_path)
    record = store.write_run(run(), [CALL])
    next(tmp_path.glob("runs/*/*.calls.jsonl")).write_text("")
    with pytest.raises(CorruptRecord, match="calls"):
        store.calls(record)


def test_another_experiment_is_refused_with_what_differs(tmp_path: Path) -> None:
    """Resuming with another plan, code or model names each difference and changes nothing."""
    store = Store(tmp_path)
    store.begin(manifest())
    with pytest.raises(ResultsMismatch, match="differs in code"):
        store.begin(manifest(code="2"))
    other_model = manifest().model_copy(update={"server": {"digest": "other"}})
    with pytest.raises(ResultsMismatch, match="server: digest"):
        store.begin(other_model)
    assert store.begin(manifest()).identity == {"code": "1"}


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    """A folder of a newer Levelfield gives a message instead of a guess."""
    store = Store(tmp_path)
    store.begin(manifest().model_copy(update={"schema_version": SCHEMA_VERSION + 1}))
    with pytest.raises(ResultsMismatch, match="newer Levelfield"):
        Store.existing(tmp_path)


def test_no_experiment_here(tmp_path: Path) -> None:
    """A folder without a manifest is the user's mistake."""
    with pytest.raises(ResultsMismatch, match=r"no manifest\.json"):
        Store.existing(tmp_path / "nowhere")


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    """A second writer is refused until the first lets go."""
    first, second = Store(tmp_path), Store(tmp_path)
    first.lock()
    with pytest.raises(ResultsMismatch, match="Another levelfield"):
        second.lock()
    first.unlock()
    second.lock()
    second.unlock()


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """A write that the disk refuses is an error with a cure, leaves no half file, and earlier records stay."""
    program = f"""
import resource, sys
sys.path.insert(0, {str(Path.cwd())!r})
from pathlib import Path
from shared.store import Store
from shared.errors import StoreFailed
from tests.unit.test_store import run
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store(Path({str(tmp_path)!r}))
store.write_run(run(framework="small"), [])
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    store.write_run(run(framework="large", text="x" * 50_000), [])
except StoreFailed as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert "Everything recorded before is safe" in done.stdout
    assert [record.key.framework for record in Store(tmp_path).runs()] == ["small"]
    assert not list(tmp_path.rglob("*.part"))


def test_killed_at_any_moment_it_opens_again(tmp_path: Path) -> None:
    """A writer killed with SIGKILL in the middle leaves only whole records, and at most one is missing."""
    program = f"""
import sys
sys.path.insert(0, {str(Path.cwd())!r})
from pathlib import Path
from shared.store import Store
from tests.unit.test_store import run, CALL
store = Store(Path({str(tmp_path)!r}))
for number in range(1, 100_000):
    store.write_run(run(framework=f"f{{number}}", text="x" * 20_000), [CALL])
    print(number, flush=True)
"""
    for _ in range(3):
        for old in tmp_path.glob("runs"):
            old.rename(tmp_path / f"old-{os.urandom(4).hex()}")
        writer = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        assert writer.stdout
        lines = [writer.stdout.readline() for _ in range(20)]
        writer.send_signal(signal.SIGKILL)
        reported = [int(line) for line in (*lines, *writer.stdout.read().split()) if line.strip()]
        writer.wait(timeout=30)
        kept = Store(tmp_path).runs()
        assert len(reported) <= len(kept) <= len(reported) + 1
        assert all(Store(tmp_path).calls(record) == [CALL] for record in kept)


def test_folder_names_of_models() -> None:
    """A model setting becomes a plain folder name."""
    assert slug("ollama:qwen3:14b") == "ollama-qwen3-14b"
    assert slug("llamacpp:/a/../b.gguf") == "llamacpp-a-..-b.gguf"
    assert slug("../..") == "model"


def test_a_number_of_any_size_is_kept(tmp_path: Path) -> None:
    """An integer that no machine word holds, in what a framework tells, is written and read as it is."""
    store = Store(tmp_path)
    store.write_run(run(details={"n": 2**80}), [])
    assert store.runs()[0].details == {"n": 2**80}


def test_a_tiny_number_is_no_damage(tmp_path: Path) -> None:
    """A number that two JSON writers spell in two ways reads back as it was, and its digest still guards it."""
    store = Store(tmp_path)
    written = store.write_run(run(latency_s=1e-05, details={"n": 1e16}), [])
    assert Store(tmp_path).runs() == [written]
    (path,) = tmp_path.glob("runs/*/attempt-1.json")
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"latency_s": 0.00001', b'"latency_s": 0.00002'))
    assert path.read_bytes() != whole
    with pytest.raises(CorruptRecord, match="does not match its checksum"):
        Store(tmp_path).runs()


def test_attempts_are_counted_as_numbers(tmp_path: Path) -> None:
    """The tenth attempt comes after the second, in folders in the order of their names."""
    store = Store(tmp_path)
    for framework, attempt in (("b", 10), ("b", 2), ("a", 3)):
        store.write_run(run(framework=framework, attempt=attempt), [])
    assert [(r.key.framework, r.attempt) for r in store.attempts()] == [("a", 3), ("b", 2), ("b", 10)]
