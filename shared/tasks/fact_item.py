"""An item with known facts, found by standard queries: a company, for instance."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator, model_validator

from shared.strict import Strict
from shared.suggest import unknown_name
from shared.tasks.item import TaskItem
from shared.tasks.synthetic import Synthetic
from shared.yardsticks import Alternatives, ExpectedFact


class Fact(Strict):
    id: str = Field(min_length=1)
    query: str
    """The standard query that this fact answers."""
    text: str = Field(min_length=1)
    expect: tuple[Alternatives, ...] = Field(min_length=1)
    """What a report that states the fact says: every entry, or one term of an entry that is a list."""

    @field_validator("expect", mode="before")
    @classmethod
    def _entries_as_lists_of_text(cls, expect: Any) -> Any:
        if not isinstance(expect, list):
            return expect
        return [[_term(term) for term in (entry if isinstance(entry, list) else [entry])] for entry in expect]


class FactItem(TaskItem):
    as_of: dt.date
    """The facts were true on that day."""
    synthetic: Synthetic | None = None
    """Given where nothing of it exists: what is told of it was made up."""
    facts: tuple[Fact, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ids_differ(self) -> FactItem:
        twice = [fact_id for fact_id, count in Counter(fact.id for fact in self.facts).items() if count > 1]
        if twice:
            raise ValueError(f"fact id {twice[0]!r} is used more than once: ids must differ")
        return self

    @property
    def notice(self) -> str:
        """To be shown wherever the facts are."""
        if self.synthetic:
            return f"benchmark data: all of it is invented, as of {self.as_of}, for comparing frameworks"
        return (
            f"benchmark data: known facts as of {self.as_of}, for comparing frameworks; not a source of truth"
        )

    def tool_data(self, queries: Mapping[str, tuple[str, ...]]) -> Any:
        """For the search tool: each query's other words, and the facts that answer it."""
        topics = {
            query: {"words": list(words), "text": self.facts_text(query)} for query, words in queries.items()
        }
        return {"subject": self.name, "topics": topics}

    def problems(self, queries: Mapping[str, tuple[str, ...]]) -> list[str]:
        strangers = [
            f"facts[{place}] ({fact.id}): {unknown_name('query', fact.query, queries)}"
            for place, fact in enumerate(self.facts)
            if fact.query not in queries
        ]
        unanswered = [
            f"no fact answers the query {query!r}: add at least one"
            for query in queries
            if not self.facts_text(query)
        ]
        return strangers + unanswered

    def evidence(self) -> str:
        return "\n".join(f"- {fact.text}" for fact in self.facts)

    def expected_facts(self) -> tuple[ExpectedFact, ...]:
        return tuple(ExpectedFact(id=fact.id, expect=fact.expect) for fact in self.facts)

    def sources(self) -> tuple[str, ...]:
        """All that is known, in the facts' words and in those that a report may use for them."""
        other_words = [term for fact in self.facts for alternatives in fact.expect for term in alternatives]
        return (*(fact.text for fact in self.facts), *other_words)

    def limited(self, facts_per_query: int) -> FactItem:
        """With only the first facts of each query, in their order."""
        seen: Counter[str] = Counter()
        kept = []
        for fact in self.facts:
            seen[fact.query] += 1
            if seen[fact.query] <= facts_per_query:
                kept.append(fact)
        return self.model_copy(update={"facts": tuple(kept)})

    def facts_text(self, query: str) -> str:
        return "\n".join(f"- {fact.text}" for fact in self.facts if fact.query == query)


def _term(term: object) -> str:
    """YAML reads 2010 as a number and 2025-03-03 as a date; both are meant as they were written."""
    if isinstance(term, bool) or not isinstance(term, str | int | float | dt.date):
        raise ValueError(f"{term!r} is no text or number: put it in quotes")  # noqa: TRY004 - pydantic wants it
    if not any(character.isalnum() for character in str(term)):
        raise ValueError(f"{term!r} holds no letter or digit")
    return str(term)
