"""An experiment's recorded answers, to be given again: which run gets which."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cluster.gateway.recorded import RecordedAnswer, recorded_answer
from cluster.servers.replay import recorded_manifest
from shared.calls import Asked
from shared.errors import PlanError
from shared.plan import framework_of
from shared.records import RunKey, RunRecord, Status
from shared.store import Store

OURS = frozenset({Status.INFRASTRUCTURE_ERROR, Status.CONTAMINATED})
"""Runs that broke off for no reason of the model's or the framework's: their answers are not complete."""

NAMED = 3
"""Runs that a message names; of more it says how many."""


class Recording:
    """A finished experiment, read for its answers."""

    def __init__(self, folder: Path) -> None:
        """Raises SettingsError when there is no experiment in `folder`."""
        self._folder = folder
        recorded_manifest(folder)
        self._store = Store.existing(folder)
        warmups = (record for record in self._store.attempts() if record.key.iteration == 0)
        usable = (record for record in [*self._store.runs(), *warmups] if record.status not in OURS)
        self._records = {record.key: record for record in usable}

    def answers(self, key: RunKey) -> list[RecordedAnswer]:
        """In the order in which the recorded run asked. Raises PlanError when it has no such run."""
        calls = self._store.calls(self._record(key))
        return [recorded_answer(call) for call in calls if call.kind == "model"]

    def asked(self, key: RunKey) -> list[Asked]:
        """What the model said for people in the recorded run's tools, in order. Raises PlanError likewise."""
        return [asked for call in self._store.calls(self._record(key)) for asked in call.asked]

    def attempt_id(self, key: RunKey) -> str:
        """Of the attempt that `answers` takes them from. Raises PlanError likewise."""
        return self._record(key).attempt_id

    def require(self, runs: Iterable[RunKey]) -> None:
        """Raises PlanError, with what to do, unless each of these runs has its answers here."""
        missing = [key.run_id for key in runs if self._found(key) is None]
        if not missing:
            return
        named = ", ".join(missing[:NAMED])
        more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
        raise PlanError(
            f"The recording {self._folder} has no answers for {named}{more}. Run the plan with a model "
            "first, or leave out of it what that experiment did not run."
        )

    def _record(self, key: RunKey) -> RunRecord:
        self.require([key])
        record = self._found(key)
        assert record  # noqa: S101 - required just now
        return record

    def _found(self, key: RunKey) -> RunRecord | None:
        """A subject's own run, else its framework's; for a warm-up that was not recorded the first run."""
        for framework in (key.framework, framework_of(key.framework)):
            for iteration in (key.iteration, max(1, key.iteration)):
                wanted = key.model_copy(update={"framework": framework, "iteration": iteration})
                if wanted in self._records:
                    return self._records[wanted]
        return None
