"""A task: agents with their wording, items, tools, and what an answer is held against.

Nothing outside `shared/tasks` knows a task by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from pydantic import Field, model_validator

from shared.contract import AgentSpec
from shared.errors import PlanError
from shared.plan import digest
from shared.score_figures import FigureMeaning
from shared.strict import Strict
from shared.suggest import unknown_name
from shared.tasks.item import TaskItem
from shared.tasks.score import Answer, Score
from shared.tasks.toolbox import PlayedBy, Toolbox
from shared.tools.tools import Tools
from shared.yardsticks import CheckSpec, Rubric

ToolsMode = Literal["prefetched", "agent"]
"""Who calls the tools that have standard calls: we do beforehand, or the agents themselves."""


Pattern = Literal["pipeline", "handoff"]


class ToolCall(Strict):
    tool: str
    arguments: dict[str, Any]


class AgentPlan(Strict):
    """One agent: its wording, its limit, its tools.

    Requests are templates for `str.format`: {item} is the item's name, {as_of} the date of what it says,
    {results} the tool results handed over, and each name of `TaskItem.fields` what the item gives it.
    """

    name: str = Field(pattern="^[a-z][a-z_]*$")
    instructions: str = Field(min_length=1)
    """System prompt."""
    request: str = ""
    """User turn. Frameworks put other turns before it, so it makes sense on its own."""
    request_with_tools: str | None = None
    """The user turn when the agent is to call its tools itself; None: the same as `request`."""
    max_tokens: int = Field(gt=0)
    """Roomy; a plan may set less."""
    tools: tuple[str, ...] = ()
    description: str = ""
    """What it is for, in a line: agents that may hand over to it read it."""
    handoffs: tuple[str, ...] = ()
    """Agents that it may hand over to, in the pattern "handoff"."""
    prefetch: tuple[ToolCall, ...] = ()
    """Standard calls, for plans with tools "prefetched". Without any, the agent always calls its tools."""


class ReportForm(Strict):
    """What a written answer must look like."""

    sections: tuple[str, ...]
    min_words: int
    max_words: int
    language: str = Field(default="en", pattern="^[a-z]{2}$")
    """ISO 639-1."""


class TaskDefinition(Strict):
    """`task.yaml`."""

    name: str
    version: int = Field(ge=1)
    description: str = Field(min_length=1)
    """For the judge and for people: what is asked for, without the agents' prompts. A template as well."""
    agents: tuple[AgentPlan, ...] = ()
    """None: those of the task that it shares, with their pattern."""
    pattern: Pattern = "pipeline"
    """Whether the agents work in their order, or the model decides by handing over who goes on."""
    shares: str | None = None
    """Another task, whose items, tools, rubric and figures this one uses: other agents, or other people."""
    played_by: PlayedBy = "script"
    queries: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Of the search tool: each standard query, with the words that also ask for it."""
    report: ReportForm | None = None
    """None: the answer is no report, and its form is not checked."""
    figures: dict[str, FigureMeaning] = Field(default_factory=dict)
    """What each figure of the items' own scores means, by its name."""

    @model_validator(mode="after")
    def _shared_figures_are_the_other_tasks(self) -> TaskDefinition:
        if self.shares and self.figures:
            raise ValueError(f"figures: they are those of {self.shares}, whose score this task shares")
        return self

    @model_validator(mode="after")
    def _agents_fit_the_pattern(self) -> TaskDefinition:
        if not self.agents:
            if self.shares is None:
                raise ValueError("agents: name at least one, or in `shares` the task whose agents they are")
            return self
        for problem in (_handoff_problems if self.pattern == "handoff" else _pipeline_problems)(self.agents):
            raise ValueError(f"agents: {problem}")
        return self


def _pipeline_problems(agents: tuple[AgentPlan, ...]) -> Iterator[str]:
    for agent in agents:
        if not agent.request:
            yield f"{agent.name}: it has no request"
        if agent.handoffs:
            yield f"{agent.name}: handoffs are of the pattern handoff: add `pattern: handoff` to the task"


def _handoff_problems(agents: tuple[AgentPlan, ...]) -> Iterator[str]:
    first, *others = agents
    known = {agent.name: agent for agent in agents}
    if not first.request:
        yield f"{first.name}: it has no request, and it is the one that starts"
    if not first.handoffs:
        yield f"{first.name}: it starts, and has no handoffs: name the agents that it may hand over to"
    for agent in others:
        if agent.request or agent.request_with_tools:
            yield f"{agent.name}: its request would never be said: only the first agent's is"
    for agent in agents:
        for target in agent.handoffs:
            if target not in known or target == agent.name:
                yield f"{agent.name}: handoffs: {unknown_name('agent', target, set(known) - {agent.name})}"
            elif not known[target].description:
                yield f"{target}: it has no description, by which {agent.name} would know what it is for"


@dataclass(frozen=True)
class Task:
    definition: TaskDefinition
    items: Mapping[str, TaskItem]
    """By the name used in plans, which is the file's name."""
    rubric: Rubric | None
    """None: no judge is asked; the items' own scores decide."""
    tools_module: str
    figures: Mapping[str, FigureMeaning] = field(default_factory=dict)
    """What the figures of the items' own scores mean, by name."""
    code: str = ""
    """Digest of the task's own tools."""

    @property
    def name(self) -> str:
        return self.definition.name

    def limited(self, facts_per_query: int | None) -> Task:
        """The same task with fewer facts: told to agents, served by tools and held against alike."""
        if facts_per_query is None:
            return self
        items = {name: item.limited(facts_per_query) for name, item in self.items.items()}
        return replace(self, items=items)

    def item(self, item: str) -> TaskItem:
        if item not in self.items:
            raise PlanError(unknown_name(f"{self.name} item", item, self.items))
        return self.items[item]

    def agents(
        self, item: str, tools_mode: ToolsMode = "prefetched", max_tokens: Mapping[str, int] | None = None
    ) -> tuple[AgentSpec, ...]:
        """The agents in order. `max_tokens` (agent -> tokens) comes before the task's own limits."""
        limits = {agent.name: agent.max_tokens for agent in self.definition.agents}
        limits |= {name: limit for name, limit in (max_tokens or {}).items() if name in limits}
        return tuple(self._agent(agent, item, tools_mode, limits) for agent in self.definition.agents)

    @property
    def tools_kind(self) -> type[Tools]:
        """The class of the tools, without any item's data."""
        return Toolbox(module=self.tools_module).kind

    def toolbox(self, item: str) -> Toolbox:
        """What the run's tools are and answer from."""
        return Toolbox(
            module=self.tools_module,
            data=self.item(item).tool_data(self.definition.queries),
            played_by=self.definition.played_by,
        )

    def description(self, item: str) -> str:
        """What was asked for, in words a judge can be given: no prompts."""
        form = self.definition.report
        sections = ", ".join(form.sections) if form else ""
        return self.definition.description.format(**self._fields(item), sections=sections)

    def evidence(self, item: str) -> str:
        """The known facts, for a judge to hold the report against."""
        return self.item(item).evidence()

    def check_spec(self, item: str) -> CheckSpec:
        known, form = self.item(item), self.definition.report
        return CheckSpec(
            name=self.name,
            version=self.definition.version,
            facts=known.expected_facts(),
            subject=known.name,
            sources=(self.description(item), *known.sources()) if known.sources() else (),
            **(form.model_dump() if form else {}),
        )

    def score(self, item: str, answer: Answer) -> Score | None:
        """The item's own verdict on a completed run; None where only checks and judges can say."""
        return self.item(item).score(answer)

    @property
    def has_score(self) -> bool:
        return any(item.score(Answer(text="")) for item in self.items.values())

    def digests(self, items: Iterable[str]) -> dict[str, str]:
        """What can change a result, in two parts.

        "runs" changes with anything that agents are told or tools say, "judging" with what answers are held
        against. Only the items named count, so that adding one leaves older experiments valid.
        """
        names = sorted(items)
        modes: tuple[ToolsMode, ...] = ("prefetched", "agent")
        told = [[asdict(agent) for agent in self.agents(name, mode)] for name in names for mode in modes]
        served = [self.toolbox(name).model_dump(mode="json") for name in names]
        held_against = [
            [self.description(name), self.evidence(name), self.check_spec(name).model_dump()]
            for name in names
        ]
        rubric = self.rubric.model_dump() if self.rubric else None
        return {
            "runs": digest([names, told, served, self.code]),
            "judging": digest([names, held_against, rubric]),
        }

    def _agent(
        self, plan: AgentPlan, item: str, tools_mode: ToolsMode, limits: Mapping[str, int]
    ) -> AgentSpec:
        calls_tools = bool(plan.tools) and (tools_mode == "agent" or not plan.prefetch)
        template = plan.request_with_tools if calls_tools else plan.request
        specs = {spec.name: spec for spec in self.tools_kind.SPECS} if calls_tools else {}
        return AgentSpec(
            name=plan.name,
            instructions=plan.instructions,
            request=(template or plan.request).format(
                **self._fields(item), results="" if calls_tools else self._results(plan, item)
            ),
            max_tokens=limits[plan.name],
            tools=tuple(specs[tool] for tool in plan.tools) if calls_tools else (),
            description=plan.description,
            handoffs=plan.handoffs,
        )

    def _fields(self, item: str) -> dict[str, str]:
        known = self.item(item)
        return {**known.fields(), "item": known.name, "as_of": str(known.as_of or "")}

    def _results(self, plan: AgentPlan, item: str) -> str:
        """What the tools answer to the agent's standard calls: the same text that the gateway would serve."""
        if not plan.prefetch:
            return ""
        tools = self.toolbox(item).open(lambda _: "")
        try:
            return "\n\n".join(tools.call(call.tool, call.arguments) for call in plan.prefetch)
        finally:
            tools.close()
