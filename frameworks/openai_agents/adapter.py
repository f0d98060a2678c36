"""OpenAI Agents SDK: the runner, agent after agent, each given the items of the run before it.

A pipeline is not done by handoff: that is the model's choice, and it may never happen. Where handing over is
the task's own pattern, the agents have `handoffs` and one call of the runner takes them all the way.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agents import Agent, FunctionTool, ModelSettings, OpenAIChatCompletionsModel, RunHooks, Runner
from agents.exceptions import MaxTurnsExceeded
from openai import AsyncOpenAI

from frameworks.handoffs import Handoffs
from frameworks.outcome import check_request, outcome_of
from shared.contract import LimitReached
from shared.prompts.pass_on import user_turn
from shared.tools.client import call_tool

if TYPE_CHECKING:
    from agents.tool_context import ToolContext

    from shared.contract import AgentSpec, Outcome, RunRequest, ToolSpec

DISTRIBUTIONS: tuple[str, ...] = ("openai-agents", "openai")
PATTERNS: tuple[str, ...] = ("pipeline", "handoff")


def run(request: RunRequest) -> Outcome:
    check_request(request, PATTERNS)
    return asyncio.run(_run(request))


async def _run(request: RunRequest) -> Outcome:
    async with AsyncOpenAI(
        base_url=request.base_url,
        api_key="none",  # the run's address is its permission
        timeout=request.request_timeout_s,
        max_retries=0,
    ) as client:
        return await (_hand_over if request.pattern == "handoff" else _in_order)(request, client)


async def _in_order(request: RunRequest, client: AsyncOpenAI) -> Outcome:
    answers: dict[str, str] = {}
    conversation: list[Any] = []
    prompt_tokens = completion_tokens = 0
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


async def _hand_over(request: RunRequest, client: AsyncOpenAI) -> Outcome:
    agents = {spec.name: _agent(request, spec, client) for spec in request.agents}
    for spec in request.agents:
        agents[spec.name].handoffs = [agents[name] for name in spec.handoffs]
    watch = _Watch(request)
    first = request.agents[0]
    result = await Runner.run(
        agents[first.name],
        first.request,
        max_turns=request.max_steps * (request.max_handoffs + 1) + 1,  # never before the watch says so
        hooks=watch,
    )
    usage = result.context_wrapper.usage
    return watch.handoffs.outcome(str(result.final_output or ""), usage.input_tokens, usage.output_tokens)


class _Watch(RunHooks[None]):
    """Called by the SDK, which counts turns over all agents alone, and no handoffs."""

    def __init__(self, request: RunRequest) -> None:
        self.handoffs = Handoffs(request)
        self._most = request.max_steps
        self._calls = 0

    async def on_llm_start(self, context: Any, agent: Agent[None], *_: Any) -> None:  # noqa: ARG002 - theirs
        self._calls += 1
        if self._calls > self._most:
            raise LimitReached(f"{agent.name} still called tools after {self._most} model calls")

    async def on_handoff(self, context: Any, from_agent: Agent[None], to_agent: Agent[None]) -> None:  # noqa: ARG002
        self.handoffs.add(to_agent.name)
        self._calls = 0


def _agent(request: RunRequest, spec: AgentSpec, client: AsyncOpenAI) -> Agent[None]:
    return Agent(
        name=spec.name,
        handoff_description=spec.description or None,
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
