"""A task: agents with their wording, items, tools, and what a report is held against.

Nothing outside `shared/tasks` and `shared/prompts` knows a task by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from pydantic import Field

from shared.contract import AgentSpec
from shared.errors import PlanError
from shared.plan import digest
from shared.prompts.agent_prompt import AgentPrompt
from shared.strict import Strict
from shared.suggest import unknown_name
from shared.tasks.item import Item
from shared.tools.catalog import SPECS, TOOLS
from shared.yardsticks import CheckSpec, Rubric

ToolsMode = Literal["prefetched", "agent"]
"""Who calls the tools: we do beforehand, or the agents themselves."""


class ToolCall(Strict):
    tool: str
    arguments: dict[str, Any]


class AgentPlan(Strict):
    name: str
    max_tokens: int = Field(gt=0)
    """Roomy; a plan may set less."""
    tools: tuple[str, ...] = ()
    prefetch: tuple[ToolCall, ...] = ()


class ReportForm(Strict):
    sections: tuple[str, ...]
    min_words: int
    max_words: int
    language: str = Field(default="en", pattern="^[a-z]{2}$")
    """ISO 639-1."""


class TaskDefinition(Strict):
    """`task.yaml`."""

    name: str
    version: int = Field(ge=1)
    description: str
    agents: tuple[AgentPlan, ...] = Field(min_length=1)
    queries: dict[str, tuple[str, ...]]
    report: ReportForm


@dataclass(frozen=True)
class Task:
    definition: TaskDefinition
    prompts: Mapping[str, AgentPrompt]
    items: Mapping[str, Item]
    """By the name used in plans, which is the file's name."""
    rubric: Rubric

    @property
    def name(self) -> str:
        return self.definition.name

    def limited(self, facts_per_query: int | None) -> Task:
        """The same task with fewer facts: told to agents, served by tools and held against alike."""
        if facts_per_query is None:
            return self
        items = {name: item.limited(facts_per_query) for name, item in self.items.items()}
        return replace(self, items=items)

    def item(self, item: str) -> Item:
        if item not in self.items:
            raise PlanError(unknown_name(f"{self.name} item", item, self.items))
        return self.items[item]

    def agents(
        self, item: str, tools_mode: ToolsMode = "prefetched", max_tokens: Mapping[str, int] | None = None
    ) -> tuple[AgentSpec, ...]:
        """The agents in order. `max_tokens` (agent -> tokens) overrides the task's own limits."""
        limits = {agent.name: agent.max_tokens for agent in self.definition.agents}
        for name, limit in (max_tokens or {}).items():
            if name not in limits:
                raise PlanError(unknown_name(f"{self.name} agent in max_tokens", name, limits))
            limits[name] = limit
        return tuple(self._agent(agent, item, tools_mode, limits) for agent in self.definition.agents)

    def tool_data(self, item: str) -> dict[str, Any]:
        """Tool name -> what that tool's function is given as its data. JSON-compatible."""
        known = self.item(item)
        topics = {
            query: {"words": list(words), "text": known.facts_text(query)}
            for query, words in self.definition.queries.items()
        }
        return {"search": {"subject": known.name, "topics": topics}}

    def description(self, item: str) -> str:
        """What was asked for, in words a judge can be given: no prompts."""
        known = self.item(item)
        sections = ", ".join(self.definition.report.sections)
        return self.definition.description.format(item=known.name, as_of=known.as_of, sections=sections)

    def evidence(self, item: str) -> str:
        """The known facts, for a judge to hold the report against."""
        return "\n".join(f"- {fact.text}" for fact in self.item(item).facts)

    def check_spec(self, item: str) -> CheckSpec:
        return CheckSpec(
            name=self.name,
            version=self.definition.version,
            facts=self.item(item).expected_facts(),
            subject=self.item(item).name,
            sources=(self.description(item), *self.item(item).sources()),
            **self.definition.report.model_dump(),
        )

    def digests(self, items: Iterable[str]) -> dict[str, str]:
        """What can change a result, in two parts.

        "runs" changes with anything that agents are told or tools say, "judging" with what reports are held
        against. Only the items named count, so that adding one leaves older experiments valid.
        """
        names = sorted(items)
        modes: tuple[ToolsMode, ...] = ("prefetched", "agent")
        told = [[asdict(agent) for agent in self.agents(name, mode)] for name in names for mode in modes]
        served = [self.tool_data(name) for name in names]
        held_against = [
            [self.description(name), self.evidence(name), self.check_spec(name).model_dump()]
            for name in names
        ]
        return {
            "runs": digest([names, told, served]),
            "judging": digest([names, held_against, self.rubric.model_dump()]),
        }

    def _agent(
        self, plan: AgentPlan, item: str, tools_mode: ToolsMode, limits: Mapping[str, int]
    ) -> AgentSpec:
        prompt, known = self.prompts[plan.name], self.item(item)
        calls_tools = tools_mode == "agent" and bool(plan.tools)
        template = prompt.request_with_tools if calls_tools else prompt.request
        return AgentSpec(
            name=plan.name,
            instructions=prompt.instructions,
            request=(template or prompt.request).format(
                item=known.name, as_of=known.as_of, results="" if calls_tools else self._results(plan, item)
            ),
            max_tokens=limits[plan.name],
            tools=tuple(SPECS[tool] for tool in plan.tools) if calls_tools else (),
        )

    def _results(self, plan: AgentPlan, item: str) -> str:
        """What the tools answer to the agent's standard calls: the same text that the gateway would serve."""
        data = self.tool_data(item)
        return "\n\n".join(TOOLS[call.tool](data[call.tool], call.arguments) for call in plan.prefetch)
