"""The plan's stopping rule, carried out: when enough items are complete, look, and say whether to stop."""

from __future__ import annotations

from collections import Counter

from cluster.attempts import kept_in
from cluster.runs_csv import write_runs_csv
from shared.plan import Plan
from shared.records import RunKey
from shared.stopping import Stopped
from shared.store import Store


class Looks:
    """Counts complete items; each stated look is taken once, at the first moment that it can be."""

    def __init__(self, plan: Plan, store: Store) -> None:
        self._plan = plan
        self._store = store
        self._per_item = len(plan.subjects) * len(plan.arms) * plan.iterations
        self._complete: Counter[str] = Counter()
        if plan.stopping:
            kept = kept_in(store, plan.disturbance.attempts).complete
            keys = (record.key for record in store.each_run())
            self._complete.update(key.item for key in keys if key.run_id in kept)
        self._taken = self._due()

    def after(self, key: RunKey) -> Stopped | None:
        """To be told of each run that is complete for good; what the rule says then."""
        rule = self._plan.stopping
        self._complete[key.item] += 1
        if rule is None or self._due() <= self._taken:
            return None
        from analysis.stopping import decided_pairs  # noqa: PLC0415 - scipy takes seconds to import

        self._taken = self._due()
        write_runs_csv(self._store)
        pairs = decided_pairs(self._store.folder, rule)
        if pairs is None:
            return None
        return Stopped(
            metric=rule.metric, items=self._items(), look=self._taken, looks=rule.count, pairs=pairs
        )

    def again(self, key: RunKey) -> None:
        """To be told of a run that had counted and is to be repeated."""
        self._complete[key.item] -= key.iteration > 0

    def _items(self) -> int:
        return sum(count >= self._per_item for count in self._complete.values())

    def _due(self) -> int:
        """How many of the stated looks the complete items allow."""
        rule = self._plan.stopping
        return sum(self._items() >= look for look in rule.looks) if rule else 0
