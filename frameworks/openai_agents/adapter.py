"""OpenAI Agents SDK: the runner, agent after agent, each given the items of the run before it.

Not by handoff: that is the model's choice, and it may never happen.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agents import Agent, FunctionTool, ModelSettings, OpenAIChatCompletionsModel, Runner
from agents.exceptions import MaxTurnsExceeded
from openai import AsyncOpenAI

from frameworks.outcome import check_arm, outcome_of
from shared.contract import LimitReached
from shared.prompts.pass_on import user_turn
from shared.tools.client import call_tool

if TYPE_CHECKING:
    from agents.tool_context import ToolContext

    from shared.contract import AgentSpec, Outcome, RunRequest, ToolSpec

DISTRIBUTIONS: tuple[str, ...] = ("openai-agents", "openai")


def run(request: RunRequest) -> Outcome:
    check_arm(request)
    return asyncio.run(_run(request))


async def _run(request: RunRequest) -> Outcome:
    answers: dict[str, str] = {}
    conversation: list[Any] = []
    prompt_tokens = completion_tokens = 0
    async with AsyncOpenAI(
        base_url=request.base_url,
        api_key="none",  # the run's address is its permission
        timeout=request.request_timeout_s,
        max_retries=0,
    ) as client:
        for spec in request.agents:
            if request.arm == "equalised":
                told: Any = user_turn(spec, answers)
            else:
                told = [*conversation, {"role": "user", "content": spec.request}]
            try:
                result = await Runner.run(_agent(request, spec, client), told, max_turns=request.max_steps)
            except MaxTurnsExceeded as error:
                raise LimitReached(f"{spec.name}: {error}") from error
            answers[spec.name] = str(result.final_output or "")
            conversation = result.to_input_list()
            prompt_tokens += result.context_wrapper.usage.input_tokens
            completion_tokens += result.context_wrapper.usage.output_tokens
    return outcome_of(request, answers, prompt_tokens, completion_tokens)


def _agent(request: RunRequest, spec: AgentSpec, client: AsyncOpenAI) -> Agent[None]:
    return Agent(
        name=spec.name,
        instructions=spec.instructions,
        model=OpenAIChatCompletionsModel(model=request.model, openai_client=client),
        model_settings=ModelSettings(
            temperature=request.temperature,
            max_tokens=spec.max_tokens,
            extra_body={"seed": request.seed},
        ),
        tools=[_tool(request, tool) for tool in spec.tools],
    )


def _tool(request: RunRequest, spec: ToolSpec) -> FunctionTool:
    async def call(_: ToolContext[Any], arguments: str) -> str:
        return await asyncio.to_thread(call_tool, request.tools_url, spec.name, arguments)

    return FunctionTool(
        name=spec.name,
        description=spec.description,
        params_json_schema=spec.parameters,
        on_invoke_tool=call,
        strict_json_schema=False,
    )
