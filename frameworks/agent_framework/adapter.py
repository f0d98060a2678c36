"""Microsoft Agent Framework: the sequential builder, one conversation handed down the line of agents.

Where agents hand over, the handoff builder, which ends by asking the user once an agent has answered.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agent_framework import (
    Agent,
    AgentExecutor,
    AgentMiddleware,
    AgentResponse,
    ChatMiddleware,
    FunctionTool,
    Message,
)
from agent_framework.openai import OpenAIChatCompletionClient
from agent_framework.orchestrations import HandoffBuilder, SequentialBuilder
from openai import AsyncOpenAI

from frameworks.handoffs import Handoffs
from frameworks.outcome import check_request, outcome_of
from shared.contract import LimitReached
from shared.prompts.pass_on import user_turn
from shared.tools.client import call_tool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from agent_framework import AgentContext, ChatContext, WorkflowRunResult

    from shared.contract import AgentSpec, Outcome, RunRequest, ToolSpec

DISTRIBUTIONS: tuple[str, ...] = (
    "agent-framework-core",
    "agent-framework-openai",
    "agent-framework-orchestrations",
    "openai",
)
PATTERNS: tuple[str, ...] = ("pipeline", "handoff")


def run(request: RunRequest) -> Outcome:
    check_request(request, PATTERNS)
    return asyncio.run(_run(request))


async def _run(request: RunRequest) -> Outcome:
    # Its own client classes take a timeout and a number of retries in no other way.
    async with AsyncOpenAI(
        base_url=request.base_url,
        api_key="none",  # the run's address is its permission
        timeout=request.request_timeout_s,
        max_retries=0,
    ) as connection:
        return await (_hand_over if request.pattern == "handoff" else _in_order)(request, connection)


async def _in_order(request: RunRequest, connection: AsyncOpenAI) -> Outcome:
    answers: dict[str, str] = {}
    participants = [
        AgentExecutor(
            _agent(request, spec, connection),
            id=spec.name,
            context_mode="custom",
            context_filter=_told(request, number, answers),
        )
        for number, spec in enumerate(request.agents)
    ]
    workflow = SequentialBuilder(participants=participants, output_from="all").build()
    responses = _responses(await workflow.run(request.agents[0].request))
    answers |= {name: response.messages[-1].text for name, response in responses}
    return outcome_of(request, answers, *_tokens(response for _, response in responses))


async def _hand_over(request: RunRequest, connection: AsyncOpenAI) -> Outcome:
    handoffs = Handoffs(request)
    agents = {spec.name: _agent(request, spec, connection, handoffs) for spec in request.agents}
    builder = HandoffBuilder(participants=list(agents.values()))
    for spec in request.agents:
        if spec.handoffs:
            builder.add_handoff(agents[spec.name], [agents[name] for name in spec.handoffs])
    workflow = builder.with_start_agent(agents[request.agents[0].name]).build()
    responses = _responses(await workflow.run(request.agents[0].request))
    answer = responses[-1][1].messages[-1].text if responses else ""
    return handoffs.outcome(answer, *_tokens(response for _, response in responses))


def _responses(result: WorkflowRunResult) -> list[tuple[str, AgentResponse]]:
    """Who said what, in order."""
    return [
        (event.executor_id or "", event.data)
        for event in result
        if event.type == "output" and isinstance(event.data, AgentResponse)
    ]


def _tokens(responses: Iterable[AgentResponse]) -> tuple[int, int]:
    usages = [response.usage_details or {} for response in responses]
    return (
        sum(usage.get("input_token_count") or 0 for usage in usages),
        sum(usage.get("output_token_count") or 0 for usage in usages),
    )


def _told(
    request: RunRequest, number: int, answers: dict[str, str]
) -> Callable[[list[Message]], list[Message]]:
    """What an agent is given of the conversation so far.

    The builder hands over a conversation that ends on the last agent's answer, which some servers would
    continue rather than answer: the next agent's own request follows it.
    """

    def told(conversation: list[Message]) -> list[Message]:
        spec = request.agents[number]
        answers[request.agents[number - 1].name] = conversation[-1].text
        if request.arm == "equalised":
            return [Message("user", [user_turn(spec, answers)])]
        return [*conversation, Message("user", [spec.request])]

    return told


def _agent(
    request: RunRequest, spec: AgentSpec, connection: AsyncOpenAI, handoffs: Handoffs | None = None
) -> Agent:
    client = OpenAIChatCompletionClient(model=request.model, async_client=connection)
    client.function_invocation_configuration["max_iterations"] = request.max_steps
    limit = _ModelCallLimit(spec.name, request.max_steps)
    return Agent(
        client=client,
        name=spec.name,
        description=spec.description or None,
        instructions=spec.instructions,
        tools=[_tool(request, tool) for tool in spec.tools],
        default_options={
            "temperature": request.temperature,
            "seed": request.seed,
            # `max_tokens` would go out as max_completion_tokens, which not every compatible server knows.
            "extra_body": {"max_tokens": spec.max_tokens},
        },
        middleware=[*([_Turn(spec.name, handoffs, limit)] if handoffs else []), limit],
        # The handoff builder insists on it.
        require_per_service_call_history_persistence=handoffs is not None,
    )


class _ModelCallLimit(ChatMiddleware):
    """After `max_iterations` the framework asks once more, without tools, and at need makes up an answer."""

    def __init__(self, agent: str, limit: int) -> None:
        self._agent = agent
        self._limit = limit
        self.calls = 0

    async def process(self, context: ChatContext, call_next: Callable[[], Awaitable[None]]) -> None:  # noqa: ARG002 - theirs
        self.calls += 1
        if self.calls > self._limit:
            raise LimitReached(f"{self._agent} still called tools after {self._limit} model calls")
        await call_next()


class _Turn(AgentMiddleware):
    """Around each turn of an agent."""

    def __init__(self, agent: str, handoffs: Handoffs, limit: _ModelCallLimit) -> None:
        self._agent = agent
        self._handoffs = handoffs
        self._limit = limit

    async def process(self, context: AgentContext, call_next: Callable[[], Awaitable[None]]) -> None:  # noqa: ARG002 - theirs
        self._handoffs.begin_turn(self._agent)
        self._limit.calls = 0
        await call_next()


def _tool(request: RunRequest, spec: ToolSpec) -> FunctionTool:
    async def call(**arguments: Any) -> str:
        return await asyncio.to_thread(call_tool, request.tools_url, spec.name, arguments)

    return FunctionTool(name=spec.name, description=spec.description, func=call, input_model=spec.parameters)
