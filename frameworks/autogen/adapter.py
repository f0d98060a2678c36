"""AutoGen: a round-robin group chat, taken up again with each agent's task; everybody reads everything.

Where agents hand over, a swarm: its next speaker is whom the last handoff message names.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import Handoff
from autogen_agentchat.conditions import FunctionalTermination
from autogen_agentchat.messages import HandoffMessage, TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat, Swarm
from autogen_core.models import ModelFamily, ModelInfo
from autogen_core.tools import BaseTool, ParametersSchema, ToolSchema
from autogen_core.utils import schema_to_pydantic_model
from autogen_ext.models.openai import OpenAIChatCompletionClient
from pydantic import BaseModel

from frameworks.handoffs import Handoffs
from frameworks.outcome import check_request, outcome_of
from shared.contract import LimitReached
from shared.prompts.pass_on import user_turn
from shared.tools.client import call_tool

if TYPE_CHECKING:
    from autogen_agentchat.base import TaskResult
    from autogen_core import CancellationToken

    from shared.contract import AgentSpec, Outcome, RunRequest, ToolSpec

DISTRIBUTIONS: tuple[str, ...] = ("autogen-agentchat", "autogen-ext", "autogen-core", "openai")
PATTERNS: tuple[str, ...] = ("pipeline", "handoff")


def run(request: RunRequest) -> Outcome:
    check_request(request, PATTERNS)
    return asyncio.run(_run(request))


async def _run(request: RunRequest) -> Outcome:
    clients = [_client(request, spec) for spec in request.agents]
    agents = [_agent(request, spec, client) for spec, client in zip(request.agents, clients, strict=True)]
    try:
        made = await (_hand_over if request.pattern == "handoff" else _in_order)(request, agents)
    finally:
        for client in clients:
            await client.close()
    usages = [client.total_usage() for client in clients]
    return replace(
        made,
        native_prompt_tokens=sum(usage.prompt_tokens for usage in usages),
        native_completion_tokens=sum(usage.completion_tokens for usage in usages),
    )


async def _in_order(request: RunRequest, agents: list[AssistantAgent]) -> Outcome:
    # One turn per task: the chat remembers what was said, and whose turn comes next.
    team = RoundRobinGroupChat(list(agents), max_turns=1)
    answers: dict[str, str] = {}
    for spec, agent in zip(request.agents, agents, strict=True):
        if request.arm == "equalised":
            result = await agent.run(task=user_turn(spec, answers))
        else:
            result = await team.run(task=spec.request)
        answers[spec.name] = _answer(spec.name, result)
    return outcome_of(request, answers)


async def _hand_over(request: RunRequest, agents: list[AssistantAgent]) -> Outcome:
    names = [agent.name for agent in agents]
    # By itself a swarm would let an agent that answered go on talking.
    answered = FunctionalTermination(
        lambda messages: messages[-1].source in names and not isinstance(messages[-1], HandoffMessage)
    )
    team = Swarm(list(agents), termination_condition=answered, max_turns=request.max_handoffs + 1)
    result = await team.run(task=request.agents[0].request)
    handoffs = Handoffs(request)
    for message in result.messages:
        if isinstance(message, HandoffMessage):
            handoffs.add(message.target)  # the swarm stopped before it carried out one too many
    return handoffs.outcome(_answer(handoffs.in_control, result))


def _answer(agent: str, result: TaskResult) -> str:
    last = result.messages[-1]
    if isinstance(last, TextMessage):
        return last.content
    # Any other kind is the summary of tool calls that an agent leaves when its iterations are used up.
    raise LimitReached(f"{agent} still called tools at its limit of model calls")


def _agent(request: RunRequest, spec: AgentSpec, client: OpenAIChatCompletionClient) -> AssistantAgent:
    return AssistantAgent(
        spec.name,
        model_client=client,
        system_message=spec.instructions,
        tools=[_Tool(request, tool) for tool in spec.tools] or None,
        handoffs=[
            Handoff(target=target.name, description=target.description)
            for target in request.agents
            if target.name in spec.handoffs
        ],
        max_tool_iterations=request.max_steps,
    )


def _client(request: RunRequest, spec: AgentSpec) -> OpenAIChatCompletionClient:
    return OpenAIChatCompletionClient(
        model=request.model,
        base_url=request.base_url,
        api_key="none",  # the run's address is its permission
        temperature=request.temperature,
        seed=request.seed,
        max_tokens=spec.max_tokens,
        timeout=request.request_timeout_s,
        max_retries=0,
        # The other arm is the same messages from everybody, without names.
        include_name_in_message=request.arm == "idiomatic",
        model_info=ModelInfo(
            vision=False,
            function_calling=True,
            json_output=True,
            structured_output=True,
            family=ModelFamily.UNKNOWN,
        ),
    )


class _Tool(BaseTool[BaseModel, str]):
    def __init__(self, request: RunRequest, spec: ToolSpec) -> None:
        super().__init__(
            args_type=schema_to_pydantic_model(spec.parameters, f"{spec.name}_arguments"),
            return_type=str,
            name=spec.name,
            description=spec.description,
        )
        self._tools_url = request.tools_url
        self._told: ToolSchema | None = None
        if request.arm == "equalised":
            # By itself it adds titles to the arguments, which the model would read.
            self._told = ToolSchema(
                name=spec.name, description=spec.description, parameters=ParametersSchema(**spec.parameters)
            )

    @property
    def schema(self) -> ToolSchema:
        return self._told or super().schema

    async def run(self, args: BaseModel, cancellation_token: CancellationToken) -> str:  # noqa: ARG002 - theirs
        arguments: dict[str, Any] = args.model_dump(exclude_none=True)
        return await asyncio.to_thread(call_tool, self._tools_url, self.name, arguments)
