"""AutoGen: a round-robin group chat, taken up again with each agent's task; everybody reads everything."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core.models import ModelFamily, ModelInfo
from autogen_core.tools import BaseTool, ParametersSchema, ToolSchema
from autogen_core.utils import schema_to_pydantic_model
from autogen_ext.models.openai import OpenAIChatCompletionClient
from pydantic import BaseModel

from frameworks.outcome import check_arm, outcome_of
from shared.contract import LimitReached
from shared.prompts.pass_on import user_turn
from shared.tools.client import call_tool

if TYPE_CHECKING:
    from autogen_agentchat.base import TaskResult
    from autogen_core import CancellationToken

    from shared.contract import AgentSpec, Outcome, RunRequest, ToolSpec

DISTRIBUTIONS: tuple[str, ...] = ("autogen-agentchat", "autogen-ext", "autogen-core", "openai")


def run(request: RunRequest) -> Outcome:
    check_arm(request)
    return asyncio.run(_run(request))


async def _run(request: RunRequest) -> Outcome:
    clients = [_client(request, spec) for spec in request.agents]
    agents = [_agent(request, spec, client) for spec, client in zip(request.agents, clients, strict=True)]
    # One turn per task: the chat remembers what was said, and whose turn comes next.
    team = RoundRobinGroupChat(list(agents), max_turns=1)
    answers: dict[str, str] = {}
    try:
        for spec, agent in zip(request.agents, agents, strict=True):
            if request.arm == "equalised":
                result = await agent.run(task=user_turn(spec, answers))
            else:
                result = await team.run(task=spec.request)
            answers[spec.name] = _answer(spec, result)
    finally:
        for client in clients:
            await client.close()
    usages = [client.total_usage() for client in clients]
    return outcome_of(
        request,
        answers,
        sum(usage.prompt_tokens for usage in usages),
        sum(usage.completion_tokens for usage in usages),
    )


def _answer(spec: AgentSpec, result: TaskResult) -> str:
    last = result.messages[-1]
    if isinstance(last, TextMessage):
        return last.content
    # Any other kind is the summary of tool calls that an agent leaves when its iterations are used up.
    raise LimitReached(f"{spec.name} still called tools at its limit of model calls")


def _agent(request: RunRequest, spec: AgentSpec, client: OpenAIChatCompletionClient) -> AssistantAgent:
    return AssistantAgent(
        spec.name,
        model_client=client,
        system_message=spec.instructions,
        tools=[_Tool(request, tool) for tool in spec.tools] or None,
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
