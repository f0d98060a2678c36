"""The rows of the exported tables, one at a time: what is held for all runs at once is small."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cluster.runs_csv import COLUMNS, CRITERIA, joined_rows, main_judge
from shared.calls import Call
from shared.mean_verdict import mean_verdicts
from shared.records import RunKey, RunRecord, Verdict
from shared.store import Store

Row = dict[str, Any]


class Rows:
    """Of one experiment. `runs` comes first: the other tables take a run's names from it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys: dict[str, RunKey] = {}
        self._attempts: dict[str, int] = {}
        self._criteria: set[str] = set()
        self._verdicts = mean_verdicts(self._light_verdicts(), main_judge(store))

    @property
    def own_criteria(self) -> list[str]:
        """Criteria of this experiment's rubrics that are not everybody's."""
        return sorted(self._criteria - {*CRITERIA, *COLUMNS})

    def runs(self) -> Iterator[Row]:
        for record, row in joined_rows(self._store, self._store.each_run(), self._verdicts):
            self._keys[record.key.run_id] = record.key
            self._attempts[record.attempt_id] = record.attempt
            yield {
                **row,
                **_key(record),
                "error": record.error,
                "trace_id": record.trace_id,
                "replay_of": record.replay_of,
                "agent_outputs": record.agent_outputs,
                "framework_log": record.log,
                "text": record.text,
            }

    def calls(self, *, bodies: bool) -> Iterator[list[Row]]:
        """Run by run; `bodies`: with what was asked and answered."""
        for record in self._store.each_run():
            key = _key(record)
            yield [key | _call(call, bodies=bodies) for call in self._store.calls(record)]

    def verdicts(self) -> Iterator[Row]:
        for verdict in self._store.each_verdict():
            row = verdict.model_dump(
                exclude={"schema_version", "scores", "attempts", "run_id", "attempt_id"}
            ) | self._key_of(verdict.run_id, verdict.attempt_id)
            asked = verdict.attempts
            yield (
                row
                | verdict.scores
                | {
                    "answers": len(asked),
                    "seconds": sum(attempt.seconds for attempt in asked),
                    "prompt_tokens": _sum(attempt.prompt_tokens for attempt in asked),
                    "completion_tokens": _sum(attempt.completion_tokens for attempt in asked),
                }
            )

    def checks(self) -> Iterator[Row]:
        for check in self._store.each_check():
            row = check.model_dump(exclude={"schema_version", "run_id", "attempt_id"})
            yield (
                row
                | self._key_of(check.run_id, check.attempt_id)
                | {"section_share": check.section_share, "fact_recall": check.fact_recall}
            )

    def _key_of(self, run_id: str, attempt_id: str) -> Row:
        """The names are empty where the run's own record is gone, the number where another attempt counts."""
        key = self._keys.get(run_id)
        return {
            "run_id": run_id,
            "attempt_id": attempt_id,
            **(key.model_dump() if key else {}),
            "attempt": self._attempts.get(attempt_id),
        }

    def _light_verdicts(self) -> Iterator[Verdict]:
        """Without the texts, which are most of a verdict."""
        for verdict in self._store.each_verdict():
            self._criteria |= verdict.scores.keys()
            yield verdict.model_copy(update={"attempts": [], "reasoning": ""})


def _key(record: RunRecord) -> Row:
    return {
        "run_id": record.key.run_id,
        "attempt_id": record.attempt_id,
        **record.key.model_dump(),
        "attempt": record.attempt,
    }


def _call(call: Call, *, bodies: bool) -> Row:
    row = call.model_dump(exclude={"server", "request", "response", "recorded"})
    if call.server:
        row |= {f"server_{name}": value for name, value in call.server.model_dump().items()}
    return row | ({"request": call.request, "response": call.response} if bodies else {})


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
