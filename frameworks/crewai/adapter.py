"""CrewAI: a sequential crew, one task per agent, each task given what the ones before it produced.

CrewAI has no system prompt and user turn of its own: it writes both, from a role, a goal and a task. What an
agent is told goes into the goal and the task's description, word for word; the rest of the text is CrewAI's.

No handing over: its delegation, also in a hierarchical process, is a tool whose answer comes back to the
agent that asked, which keeps control.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crewai import LLM, Agent, Crew, Process, Task
from crewai.hooks import HookAborted, register_before_llm_call_hook, unregister_before_llm_call_hook
from crewai.tools import BaseTool
from crewai.utilities.pydantic_schema_utils import create_model_from_schema

from frameworks.outcome import check_request, outcome_of
from shared.contract import LimitReached
from shared.prompts.pass_on import user_turn
from shared.tools.client import call_tool

if TYPE_CHECKING:
    from crewai.hooks import LLMCallHookContext

    from shared.contract import AgentSpec, Outcome, RunRequest, ToolSpec

DISTRIBUTIONS: tuple[str, ...] = ("crewai", "openai")
PATTERNS: tuple[str, ...] = ("pipeline",)


def run(request: RunRequest) -> Outcome:
    check_request(request, PATTERNS)
    # A model object each: token counts of a shared one would be added up once per agent.
    models = [_model(request, spec) for spec in request.agents]
    tasks = [
        Task(
            name=spec.name,
            description=spec.request,
            expected_output="",  # it asks for text of its own here; the request says it all
            agent=_agent(request, spec, model),
        )
        for spec, model in zip(request.agents, models, strict=True)
    ]
    crew = Crew(agents=[task.agent for task in tasks], tasks=tasks, process=Process.sequential)
    watch = _Watch(request, models, tasks)
    register_before_llm_call_hook(watch)
    try:
        result = crew.kickoff()
    except HookAborted as stop:
        raise LimitReached(stop.reason) from stop
    finally:
        unregister_before_llm_call_hook(watch)
    answers = {
        spec.name: output.raw for spec, output in zip(request.agents, result.tasks_output, strict=True)
    }
    usages = [model.get_token_usage_summary() for model in models]
    return outcome_of(
        request,
        answers,
        sum(usage.prompt_tokens for usage in usages),
        sum(usage.completion_tokens for usage in usages),
    )


def _model(request: RunRequest, spec: AgentSpec) -> LLM:
    return LLM(
        model=request.model,
        provider="openai",
        base_url=request.base_url,
        api_key="none",  # the run's address is its permission
        temperature=request.temperature,
        seed=request.seed,
        max_tokens=spec.max_tokens,
        timeout=request.request_timeout_s,
        max_retries=0,
    )


def _agent(request: RunRequest, spec: AgentSpec, model: LLM) -> Agent:
    return Agent(
        role=spec.name,
        goal=spec.instructions,
        backstory="",
        llm=model,
        tools=[_tool(request, tool) for tool in spec.tools],
        max_iter=request.max_steps,
        max_retry_limit=0,
        # Both would add model calls, or hide a tool's answer from the model, behind the plan's back.
        respect_context_window=False,
        use_better_compaction=False,
        allow_delegation=False,
    )


class _Watch:
    """Called by CrewAI before each model call."""

    def __init__(self, request: RunRequest, models: list[LLM], tasks: list[Task]) -> None:
        self._request = request
        self._models = models
        self._tasks = tasks
        self._calls = [0] * len(models)

    def __call__(self, context: LLMCallHookContext) -> None:
        number = next(i for i, model in enumerate(self._models) if model is context.llm)
        self._calls[number] += 1
        limit = self._request.max_steps
        if self._calls[number] > limit:
            # After max_iter CrewAI asks once more for an answer, whatever it may be.
            agent = self._request.agents[number].name
            raise HookAborted(f"{agent} still called tools after {limit} model calls")
        if self._request.arm == "equalised":
            self._equalise(number, context.messages)

    def _equalise(self, number: int, messages: list[Any]) -> None:
        """Put the plan's own messages in the place of CrewAI's, and take the names off tools' answers."""
        if self._calls[number] > 1:
            for message in messages:
                if message["role"] == "tool":
                    message.pop("name", None)
            return
        spec = self._request.agents[number]
        earlier = {task.name: task.output.raw for task in self._tasks[:number]}
        messages[:] = [
            {"role": "system", "content": spec.instructions},
            {"role": "user", "content": user_turn(spec, earlier)},
        ]


class _Tool(BaseTool):
    tools_url: str

    def _run(self, **arguments: Any) -> str:
        return call_tool(self.tools_url, self.name, arguments)


def _tool(request: RunRequest, spec: ToolSpec) -> BaseTool:
    return _Tool(
        name=spec.name,
        description=spec.description,
        args_schema=create_model_from_schema(spec.parameters),
        tools_url=request.tools_url,
    )
