"""`--to inspect`: a log per task, framework and arm, written sample by sample."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from cluster.export.inspect_log import CHECKS, Subject, Tally, file_name, log_head
from cluster.export.inspect_messages import Json
from cluster.export.inspect_sample import check_score, sample_of, verdict_score
from cluster.export.tables import Written
from cluster.export.write_tables import cannot_write
from cluster.gateway.parsing import dump_json
from cluster.gateway.scrub import Scrubber
from cluster.progress import RunProgress
from shared.mean_verdict import mean_verdicts
from shared.records import RunRecord, Verdict
from shared.store import Store


def write_inspect_logs(
    store: Store, folder: Path, scrubber: Scrubber, progress: RunProgress
) -> Iterator[Written]:
    """Each log once it is whole; the folder exists. Held for all runs at once: verdicts and checks.

    Raises:
        CorruptRecord: A record cannot be read.
        StoreFailed: A file cannot be written.
    """
    logs = _Logs(folder)
    try:
        progress.stage("Reading verdicts")
        scores = _Scores(store)
        manifest, briefs = store.manifest(), store.briefs()
        progress.stage("Exporting runs", sum(1 for _ in store.folder.glob("runs/*")))
        for record in store.each_run():
            key = record.key
            sample = sample_of(
                record,
                store.calls(record),
                brief=briefs.get((key.task, key.item)),
                scores=scores.of(record),
                model=str(manifest.settings.get("llm_model", "")),
                limits=manifest.plan.limits,
            )
            logs.add(Subject(key.task, key.framework, key.arm), scrubber.scrubbed(sample))
            progress.advance()
            progress.doing(f"{key.framework} on {key.item}")
        for subject, tally in sorted(logs.tallies.items()):
            head = scrubber.scrubbed(log_head(subject, manifest, tally))
            path = logs.finish(subject, file_name(subject, manifest), head)
            yield Written(path, tally.samples, "sample")
    except OSError as error:
        raise cannot_write(folder, error) from error
    finally:
        logs.clear()


class _Logs:
    """Samples wait in a file per subject, because their log's head is known only when all have passed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: dict[Subject, Path] = {}
        self.tallies: dict[Subject, Tally] = {}

    def add(self, subject: Subject, sample: Json) -> None:
        tally = self.tallies.setdefault(subject, Tally())
        path = self._parts.setdefault(subject, self._folder / f".samples-{len(self._parts)}.part")
        # Opened for each sample: there may be more subjects than files that a process may have open.
        with path.open("ab" if tally.samples else "wb") as handle:
            handle.write((b",\n" if tally.samples else b"") + dump_json(sample))
        tally.add(sample)

    def finish(self, subject: Subject, name: str, head: Json) -> Path:
        path, waiting = self._folder / name, self._folder / f".{name}.part"
        self._parts[subject], samples = waiting, self._parts[subject]
        with waiting.open("wb") as handle, samples.open("rb") as part:
            handle.write(dump_json(head).removesuffix(b"}") + b',"samples":[\n')
            shutil.copyfileobj(part, handle)
            handle.write(b"\n]}\n")
        samples.unlink()
        waiting.replace(path)
        return path

    def clear(self) -> None:
        for path in self._parts.values():
            path.unlink(missing_ok=True)


class _Scores:
    """What judges and checks said of each attempt, as Inspect's scores."""

    def __init__(self, store: Store) -> None:
        kept = [verdict.model_copy(update={"attempts": []}) for verdict in store.each_verdict()]
        self._verdicts: dict[str, dict[str, list[Verdict]]] = {}
        for verdict in kept:
            self._verdicts.setdefault(verdict.attempt_id, {}).setdefault(verdict.judge, []).append(verdict)
        self._means = {judge: mean_verdicts(kept, judge) for judge in {verdict.judge for verdict in kept}}
        self._checks = {check.attempt_id: check for check in store.each_check()}

    def of(self, record: RunRecord) -> dict[str, Json]:
        found = {}
        for judge, verdicts in sorted(self._verdicts.get(record.attempt_id, {}).items()):
            mean = self._means[judge].get(record.attempt_id)
            if mean and mean.repeats:
                found[f"judge {judge}"] = verdict_score(verdicts, mean.scores, mean.overall)
        if check := self._checks.get(record.attempt_id):
            found[CHECKS] = check_score(check)
        return found
