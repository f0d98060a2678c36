"""One experiment with nothing wrong in it: the alarms' yardstick.

Six items, two repeats, both arms, a framework run against itself, two nodes with half of the blocks each, every
request on the wire as it was handed over, and an audited judge of another model.
"""

from __future__ import annotations

from pathlib import Path

from analysis.analyse import analyse
from analysis.fairness.examine import examine_folder
from analysis.read_runs import read_runs
from analysis.result import Analysis
from cluster.runs_csv import write_runs_csv
from shared.calls import Call
from shared.defects import ALL, DEFECTS
from shared.judgement_store import Judgements
from shared.judgements import AuditVerdict
from shared.records import JudgeAttempt, RunKey, RunRecord
from shared.store import Store
from tests.unit.fairness_wire import AGENTS, Style, answer_text, brief_of, calls_of, planned
from tests.unit.measured_experiment import ITEMS, JUDGE, stored_experiment

AUDITED_REPORTS = 8


def clean_experiment(folder: Path, *, styles: dict[str, Style] | None = None) -> Store:
    """`styles`: framework -> how it writes its requests, where that is not as planned."""

    def wire(key: RunKey, calls: list[Call]) -> list[Call]:
        style = (styles or {}).get(key.framework, planned)
        asked = calls_of(brief_of(key.item), _named(key), style)
        return [
            call.model_copy(update={"request": a.request, "response": a.response, "client": "test/1"})
            for call, a in zip(calls, asked, strict=True)
        ]

    store = stored_experiment(folder, change=_as_answered, wire=wire, iterations=2)
    for item in ITEMS:
        store.write_brief(brief_of(item))
    _audit(store)
    write_runs_csv(store)
    return store


def analyse_folder(folder: Path) -> Analysis:
    """With the proof from the wire, as the report does."""
    return analyse(read_runs(folder), examine_folder(folder))


def _named(key: RunKey) -> RunKey:
    """Another text in each arm."""
    return key.model_copy(update={"framework": f"{key.framework}, {key.arm}"})


def _as_answered(record: RunRecord) -> RunRecord:
    key = _named(record.key)
    outputs = {name: answer_text(key.framework, key.item, key.iteration, name) for name in AGENTS}
    node = "n1" if (ITEMS.index(key.item) + key.iteration) % 2 else "n2"
    return record.model_copy(update={"agent_outputs": outputs, "text": outputs["writer"], "node": node})


def _audit(store: Store) -> None:
    """By a judge that sees every defect."""
    judgements = Judgements(store.folder)
    for record in list(store.runs())[:AUDITED_REPORTS]:
        for defect in ("", *DEFECTS):
            lowers = DEFECTS[defect].lowers if defect else None
            scores = {name: 4 if name == lowers else 8 for name in ALL}
            judgements.write_audit(
                AuditVerdict(
                    judge=JUDGE,
                    rubric="t/1",
                    run_id=record.key.run_id,
                    attempt_id=record.attempt_id,
                    defect=defect,
                    text_sha256=f"{record.attempt_id}{defect}",
                    words=600,
                    scored=True,
                    scores=scores,
                    overall=sum(scores.values()) / len(scores),
                    attempts=[JudgeAttempt(text="{}", seconds=1.0)],
                )
            )
