"""An experiment's folder: write-once records, safe against a kill at any moment.

results/<experiment>/
    manifest.json                      everything that could change a result
    briefs/<task>.<item>.json          a Brief: what every framework was handed
    locks/<framework>.txt              of a framework in a stated version: what is installed
    runs/<run_id>/attempt-N.json       a RunRecord
    runs/<run_id>/attempt-N.calls.jsonl  its calls, a JSON object per line, long texts by digest
    runs/<run_id>/quarantine-N.json    a Quarantine: why attempt N is not used
    runs/<run_id>/attempt-N.spans.jsonl  its trace, OTLP in JSON, a line per export
    texts/ab/<sha256>.z                a long text of any call, once (zlib)
    probes/N.json                      a Probe
    stopped.json                       a Stopped: the plan's stopping rule ended it
    verdicts/<judge>/<run_id>.<attempt_id>.<rubric>.K.json  a Verdict (repeat K)
    checks/<run_id>.json               a CheckResult
    figures/<task>.json                a FigureMeanings: what the task's own score counts
    comparisons/, audits/, ratings/, preferences/  see shared/judgement_store.py
    logs/                              of model servers
    runs.csv, report.html, ...         derived: delete them freely

Each record is a JSON object {"sha256": ..., "body": ...}, the digest being of the body.
"""

from __future__ import annotations

import contextlib
import fcntl
import glob
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial, reduce
from itertools import groupby
from pathlib import Path
from typing import TextIO

from shared.acceptance import Acceptance
from shared.brief import Brief
from shared.calls import Call
from shared.errors import CorruptRecord, ResultsMismatch
from shared.manifest import Manifest
from shared.packing import pack, unpack
from shared.plan import digest
from shared.record_files import corrupt, make_folder, read_record, write_record, write_whole
from shared.records import CheckResult, RunRecord, Verdict
from shared.score_figures import FigureMeanings
from shared.stopping import Stopped
from shared.surroundings import Probe, Quarantine
from shared.texts import Texts

COUNTS = 2
HOLDER_CHARS = 200
"""Of who holds the lock, in the lock's file."""
BODIES = ("request", "response", "recorded")
"""Fields of a call that hold what was sent."""
NUMBER = re.compile(r"\d+")


class Store:
    """One experiment's folder. Reading needs no lock; `lock` is for whoever writes."""

    def __init__(self, folder: Path, task: str | None = None) -> None:
        """With `task`, a view for reading: records of its runs alone."""
        self.folder = folder
        self._begins = f"{task}." if task else ""
        self._texts = Texts(folder / "texts")
        self._lock: TextIO | None = None

    @classmethod
    def existing(cls, folder: Path, task: str | None = None) -> Store:
        """Raises ResultsMismatch when there is no experiment in `folder`."""
        store = cls(folder, task)
        if not store.manifest_path.is_file():
            raise ResultsMismatch(f"No experiment in {folder}: it has no manifest.json.")
        store.manifest()
        return store

    @property
    def manifest_path(self) -> Path:
        return self.folder / "manifest.json"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def lock(self, holder: str = "levelfield") -> None:
        """Keep other writers out until this process ends or `unlock`; they are told who holds it."""
        make_folder(self.folder)
        handle = (self.folder / ".lock").open("a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.seek(0)
            who = handle.read(HOLDER_CHARS).strip() or "levelfield"
            handle.close()
            raise ResultsMismatch(
                f"Another {who} is writing to {self.folder}. Wait for it or end it, or give another --out."
            ) from None
        with contextlib.suppress(OSError):  # a full disk is told by what cannot be recorded
            handle.truncate(0)
            handle.write(f"{holder} (process {os.getpid()})")
            handle.flush()
        self._lock = handle

    def unlock(self) -> None:
        if self._lock:
            self._lock.close()
            self._lock = None

    def begin(self, manifest: Manifest, *, extends: bool = False) -> Manifest:
        """Write the manifest, or check that the one already there describes the same experiment.

        Args:
            manifest: Of the experiment.
            extends: Its plan is known to add to the one there: then only the server has to be the same.

        Raises:
            ResultsMismatch: With what differs.
        """
        if not self.manifest_path.exists():
            if any(self.folder.glob("runs/*/*.json")):
                raise ResultsMismatch(f"{self.folder} holds runs but no manifest.json. Give another --out.")
            write_record(self.manifest_path, manifest)
            return manifest
        old = self.manifest()
        if not extends:
            self.require_same(old.differs_from(manifest))
            return old
        self.require_same(old.differs_in_server(manifest))
        extended = old.extended_by(manifest)
        write_record(self.manifest_path, extended, replace=True)
        return extended

    def require_same(self, differing: list[str]) -> None:
        """Raises ResultsMismatch unless nothing differs between the experiment here and the one to run."""
        if differing:
            raise ResultsMismatch(
                f"{self.folder} holds another experiment; it differs in {', '.join(differing)}. "
                "Give another --out, or --fresh for a new folder; the old one stays as it is. "
                "A plan that only adds runs goes on with --extend."
            )

    def restate_acceptance(self, acceptance: Acceptance) -> None:
        """What is accepted may change after the runs: it changes none of them."""
        old = self.manifest()
        if old.plan.acceptance != acceptance:
            plan = old.plan.model_copy(update={"acceptance": acceptance})
            write_record(self.manifest_path, old.model_copy(update={"plan": plan}), replace=True)

    def manifest(self) -> Manifest:
        return read_record(self.manifest_path, Manifest)

    def covers(self, run_id: str) -> bool:
        """Whether the view holds this run, or what is said of it."""
        return run_id.startswith(self._begins)

    def _paths(self, pattern: str) -> list[Path]:
        """`{run}` in the pattern stands for what begins with a run's id."""
        return self._found(pattern.replace("{run}", f"{glob.escape(self._begins)}*"))

    def write_brief(self, brief: Brief) -> None:
        path = self.folder / "briefs" / f"{brief.task}.{brief.item}.json"
        make_folder(path.parent)
        if not path.exists():
            write_record(path, brief)

    def briefs(self) -> dict[tuple[str, str], Brief]:
        """By task and item; empty for an experiment of schema 1."""
        found = (read_record(path, Brief) for path in self._paths("briefs/{run}.json"))
        return {(brief.task, brief.item): brief for brief in found}

    def write_run(self, record: RunRecord, calls: Iterable[Call]) -> RunRecord:
        """The calls first, then the record: a record on disk has its calls beside it."""
        folder = self.folder / "runs" / record.key.run_id
        text = "".join(self._line(call) for call in calls)
        record = record.model_copy(update={"calls_sha256": digest(text)})
        make_folder(folder)
        write_whole(folder / f"attempt-{record.attempt}.calls.jsonl", text.encode())
        write_record(folder / f"attempt-{record.attempt}.json", record)
        return record

    def attempts(self) -> Iterator[RunRecord]:
        """Every attempt at every run, in the order of their names."""
        for path in self._paths("runs/{run}/attempt-*.json"):
            yield read_record(path, RunRecord)

    def last_attempts(self) -> dict[str, int]:
        """Highest attempt number by run id, warm-ups included."""
        found: dict[str, int] = {}
        for path in self.folder.glob("runs/*/attempt-*.json"):
            number = int(path.stem.removeprefix("attempt-"))
            found[path.parent.name] = max(number, found.get(path.parent.name, 0))
        return found

    def runs(self) -> list[RunRecord]:
        """The attempt that counts for each run, warm-ups left out, in the plan's order.

        The first that says something final and is not in quarantine, else the last final one, else the last.
        """
        return sorted(self.each_run(), key=lambda record: record.position)

    def each_run(
        self,
        attempts: Iterable[RunRecord] | None = None,
        quarantined: Mapping[str, Quarantine] | None = None,
    ) -> Iterator[RunRecord]:
        """The same one by one, by their ids: for whoever cannot hold them all.

        Args:
            attempts: What `attempts` gave, where it has been read already.
            quarantined: What `quarantines` gave, likewise.
        """
        quarantined = self.quarantines() if quarantined is None else quarantined
        read = self.attempts() if attempts is None else attempts
        for _, of_run in groupby(read, key=lambda record: record.key.run_id):
            chosen = reduce(partial(_better, quarantined), of_run)
            if chosen.key.iteration > 0:
                yield chosen

    def calls(self, record: RunRecord, *, bodies: bool = True) -> list[Call]:
        """Without `bodies` what was sent and answered is left out, and the texts on disk are not read."""
        path = self.folder / "runs" / record.key.run_id / f"attempt-{record.attempt}.calls.jsonl"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if digest(text) != record.calls_sha256:
            raise CorruptRecord(corrupt(path, "does not match the digest in its record"))
        return [self._call(line, bodies=bodies) for line in text.splitlines()]

    def write_spans(self, record: RunRecord, text: str) -> None:
        """The attempt's trace, beside it; it can be made again from the record and its calls."""
        folder = self.folder / "runs" / record.key.run_id
        make_folder(folder)
        write_whole(folder / f"attempt-{record.attempt}.spans.jsonl", text.encode())

    def write_quarantine(self, quarantine: Quarantine) -> None:
        folder = self.folder / "runs" / quarantine.run_id
        make_folder(folder)
        path = folder / f"quarantine-{quarantine.attempt}.json"
        if not path.exists():
            write_record(path, quarantine)

    def quarantines(self) -> dict[str, Quarantine]:
        """By attempt id."""
        found = (read_record(path, Quarantine) for path in self._paths("runs/{run}/quarantine-*.json"))
        return {quarantine.attempt_id: quarantine for quarantine in found}

    def write_probe(self, probe: Probe) -> None:
        make_folder(self.folder / "probes")
        write_record(self.folder / "probes" / f"{probe.number}.json", probe)

    def probes(self) -> list[Probe]:
        """In the order in which they were made."""
        found = (read_record(path, Probe) for path in self._found("probes/*.json"))
        return [probe for probe in found if self.covers(probe.block)]

    def write_stopped(self, stopped: Stopped) -> None:
        write_record(self.folder / "stopped.json", stopped)

    def stopped(self) -> Stopped | None:
        """Why there are fewer runs than planned; None where the plan's stopping rule did not end it."""
        path = self.folder / "stopped.json"
        return read_record(path, Stopped) if path.exists() else None

    def write_verdict(self, verdict: Verdict) -> None:
        folder = self.folder / "verdicts" / slug(verdict.judge)
        make_folder(folder)
        name = f"{verdict.run_id}.{verdict.attempt_id}.{slug(verdict.rubric)}.{verdict.repeat}"
        write_record(folder / f"{name}.json", verdict)

    def verdicts(self) -> list[Verdict]:
        return list(self.each_verdict())

    def each_verdict(self) -> Iterator[Verdict]:
        for path in self._paths("verdicts/*/{run}.json"):
            yield read_record(path, Verdict)

    def write_check(self, check: CheckResult) -> None:
        make_folder(self.folder / "checks")
        write_record(self.folder / "checks" / f"{check.run_id}.json", check, replace=True)

    def checks(self) -> list[CheckResult]:
        return list(self.each_check())

    def each_check(self) -> Iterator[CheckResult]:
        for path in self._paths("checks/{run}.json"):
            yield read_record(path, CheckResult)

    def write_figure_meanings(self, meanings: FigureMeanings) -> None:
        make_folder(self.folder / "figures")
        write_record(self.folder / "figures" / f"{meanings.task}.json", meanings, replace=True)

    def figure_meanings(self) -> dict[str, FigureMeanings]:
        """By task; one that has no figures, or was scored before this was kept, is not there."""
        found = (read_record(path, FigureMeanings) for path in self._found("figures/*.json"))
        return {meanings.task: meanings for meanings in found if self.covers(f"{meanings.task}.")}

    def write_derived(self, name: str, text: str) -> Path:
        """A file that can be made again from the records, such as runs.csv."""
        path = self.folder / name
        write_whole(path, text.encode())
        return path

    def _found(self, pattern: str) -> list[Path]:
        """In the order of their folders, then of the numbers in their names."""
        names = glob.glob(pattern, root_dir=self.folder)  # noqa: PTH207 - several times as fast as pathlib's
        return [self.folder / name for name in sorted(names, key=_natural)]

    def _line(self, call: Call) -> str:
        content = call.model_dump(mode="json", exclude_defaults=True)
        content |= {name: pack(getattr(call, name), self._texts.put) for name in BODIES if name in content}
        return json.dumps(content, ensure_ascii=False) + "\n"

    def _call(self, line: str, *, bodies: bool) -> Call:
        content = json.loads(line)
        if not bodies:
            return Call.model_validate({name: content[name] for name in content if name not in BODIES})
        return Call.model_validate(
            content | {name: unpack(content[name], self._texts.get) for name in BODIES if name in content}
        )


def _better(quarantined: Mapping[str, Quarantine], earlier: RunRecord, later: RunRecord) -> RunRecord:
    return later if _supersedes(later, earlier, quarantined) else earlier


def _supersedes(later: RunRecord, earlier: RunRecord, quarantined: Mapping[str, Quarantine]) -> bool:
    settled = _worth(earlier, quarantined)
    return settled < COUNTS and _worth(later, quarantined) >= settled


def _worth(record: RunRecord, quarantined: Mapping[str, Quarantine]) -> int:
    """0: says nothing of the framework; 1: in quarantine; COUNTS."""
    if not record.status.is_final:
        return 0
    return 1 if record.attempt_id in quarantined else COUNTS


def slug(setting: str) -> str:
    """A folder name for a model setting: "ollama:qwen3:14b" -> "ollama-qwen3-14b"."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", setting).strip("-.") or "model"


def _natural(name: str) -> tuple[str, list[int], str]:
    folder, _, file = name.rpartition("/")
    return (folder, [int(number) for number in NUMBER.findall(file)], file)
