"""Microsoft Agent Framework: the sequential builder, one conversation handed down the line of agents."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agent_framework import Agent, AgentExecutor, AgentResponse, ChatMiddleware, FunctionTool, Message
from agent_framework.openai import OpenAIChatCompletionClient
from agent_framework.orchestrations import SequentialBuilder
from openai import AsyncOpenAI

from frameworks.outcome import check_arm, outcome_of
from shared.contract import LimitReached
from shared.prompts.pass_on import user_turn
from shared.tools.client import call_tool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent_framework import ChatContext

    from shared.contract import AgentSpec, Outcome, RunRequest, ToolSpec

DISTRIBUTIONS: tuple[str, ...] = (
    "agent-framework-core",
    "agent-framework-openai",
    "agent-framework-orchestrations",
    "openai",
)


def run(request: RunRequest) -> Outcome:
    check_arm(request)
    return asyncio.run(_run(request))


async def _run(request: RunRequest) -> Outcome:
    answers: dict[str, str] = {}
    # Its own client classes take a timeout and a number of retries in no other way.
    async with AsyncOpenAI(
        base_url=request.base_url,
        api_key="none",  # the run's address is its permission
        timeout=request.request_timeout_s,
        max_retries=0,
    ) as connection:
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
        result = await workflow.run(request.agents[0].request)
    prompt_tokens = completion_tokens = 0
    for event in result:
        if event.type == "output" and isinstance(event.data, AgentResponse):
            answers[event.executor_id] = event.data.messages[-1].text
            usage = event.data.usage_details or {}
            prompt_tokens += usage.get("input_token_count") or 0
            completion_tokens += usage.get("output_token_count") or 0
    return outcome_of(request, answers, prompt_tokens, completion_tokens)


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


def _agent(request: RunRequest, spec: AgentSpec, connection: AsyncOpenAI) -> Agent:
    client = OpenAIChatCompletionClient(model=request.model, async_client=connection)
    client.function_invocation_configuration["max_iterations"] = request.max_steps
    return Agent(
        client=client,
        name=spec.name,
        instructions=spec.instructions,
        tools=[_tool(request, tool) for tool in spec.tools],
        default_options={
            "temperature": request.temperature,
            "seed": request.seed,
            # `max_tokens` would go out as max_completion_tokens, which not every compatible server knows.
            "extra_body": {"max_tokens": spec.max_tokens},
        },
        middleware=[_ModelCallLimit(spec.name, request.max_steps)] if spec.tools else None,
    )


class _ModelCallLimit(ChatMiddleware):
    """After `max_iterations` the framework asks once more, without tools, and at need makes up an answer."""

    def __init__(self, agent: str, limit: int) -> None:
        self._agent = agent
        self._limit = limit
        self._calls = 0

    async def process(self, context: ChatContext, call_next: Callable[[], Awaitable[None]]) -> None:  # noqa: ARG002 - theirs
        self._calls += 1
        if self._calls > self._limit:
            raise LimitReached(f"{self._agent} still called tools after {self._limit} model calls")
        await call_next()


def _tool(request: RunRequest, spec: ToolSpec) -> FunctionTool:
    async def call(**arguments: Any) -> str:
        return await asyncio.to_thread(call_tool, request.tools_url, spec.name, arguments)

    return FunctionTool(name=spec.name, description=spec.description, func=call, input_model=spec.parameters)
