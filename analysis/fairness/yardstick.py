"""What every framework was handed: the briefs, and in older experiments what `direct` sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from analysis.fairness.messages import read_conversation
from analysis.fairness.steps import lay_out
from shared.brief import AgentBrief, Brief, answer_mark
from shared.calls import Call
from shared.errors import CorruptRecord
from shared.plan import Plan, framework_of
from shared.records import RunRecord, Status
from shared.store import Store

REFERENCE = "direct"

Item = tuple[str, str]
"""Task and item."""


@dataclass
class Yardstick:
    briefs: dict[Item, Brief] = field(default_factory=dict)
    derived: set[Item] = field(default_factory=set)
    """Without a brief: taken from what `direct` sent."""
    unknown: set[Item] = field(default_factory=set)
    """Without a brief and without `direct`: only parameters can be checked."""

    def knows_hand_over(self, item: Item) -> bool:
        """Whether the plan's words around earlier answers can be told from a framework's."""
        return all(agent.user_turn is not None for agent in self.briefs[item].agents[1:])


def read_yardstick(store: Store, records: Sequence[RunRecord]) -> Yardstick:
    found, plan = Yardstick(store.briefs()), store.manifest().plan
    by_direct = {
        (record.key.task, record.key.item): record
        for record in reversed(records)
        if framework_of(record.key.framework) == REFERENCE and record.status is Status.COMPLETED
    }
    for item, record in _first_of_each_item(records):
        brief = found.briefs.get(item)
        if brief and found.knows_hand_over(item):
            continue
        example = by_direct.get(item)
        derived = _derive(brief, example, _calls(store, example), plan) if example else None
        if derived:
            found.briefs[item] = derived
            found.derived |= set() if brief else {item}
        elif not brief:
            found.briefs[item] = _without_agents(item, _calls(store, record), plan)
            found.unknown.add(item)
    return found


def _first_of_each_item(records: Iterable[RunRecord]) -> Iterator[tuple[Item, RunRecord]]:
    seen: set[Item] = set()
    for record in records:
        item = (record.key.task, record.key.item)
        if item not in seen:
            seen.add(item)
            yield item, record


def _calls(store: Store, record: RunRecord) -> list[Call]:
    try:
        return store.calls(record)
    except CorruptRecord:  # said where the run itself is looked at
        return []


def _derive(brief: Brief | None, record: RunRecord, calls: list[Call], plan: Plan) -> Brief | None:
    """The brief as `direct` carried it out; None when its requests do not say."""
    names = list(record.agent_outputs)
    frame = brief or _without_agents((record.key.task, record.key.item), calls, plan)
    firsts = {
        request.agent: request.call.request
        for request in reversed(lay_out(calls, frame, names))
        if request.agent is not None and request.kind == "step"
    }
    if any(name not in firsts for name in names):
        return None
    known = {agent.name: agent for agent in brief.agents} if brief else {}
    agents = []
    for number, name in enumerate(names):
        earlier = {before: record.agent_outputs[before] for before in names[:number]}
        agent = _agent(name, firsts[name], earlier, known.get(name))
        if agent is None:
            return None
        agents.append(agent)
    return frame.model_copy(update={"agents": agents})


def _agent(name: str, body: Any, earlier: dict[str, str], known: AgentBrief | None) -> AgentBrief | None:
    conversation = read_conversation(body)
    if conversation is None or [message.role for message in conversation.messages[:2]] != ["system", "user"]:
        return None
    instructions, turn = ("".join(message.texts) for message in conversation.messages[:2])
    # The longest first: one answer may quote another.
    for before, answer in sorted(earlier.items(), key=lambda entry: -len(entry[1])):
        turn = turn.replace(answer, answer_mark(before), 1) if answer else turn
    if known:
        return known.model_copy(update={"user_turn": turn})
    request = turn.rpartition("\u27eb")[2].lstrip()
    tools = [tool.get("function") for tool in body.get("tools") or () if isinstance(tool, dict)]
    try:
        return AgentBrief(
            name=name,
            instructions=instructions,
            request=request,
            max_tokens=body.get("max_tokens"),
            tools=[tool for tool in tools if isinstance(tool, dict)],
            user_turn=turn,
        )
    except ValidationError:
        return None


def _without_agents(item: Item, calls: list[Call], plan: Plan) -> Brief:
    """What the plan says by itself, and the model that the first request names."""
    bodies = (call.request for call in calls if call.kind == "model" and isinstance(call.request, dict))
    model = next((str(body["model"]) for body in bodies if "model" in body), "")
    return Brief(
        task=item[0],
        item=item[1],
        agents=[],
        model=model,
        temperature=plan.temperature,
        seed=plan.seed,
        max_steps=plan.limits.max_steps,
    )
