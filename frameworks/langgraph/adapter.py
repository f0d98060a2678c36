"""LangGraph: a state graph with one node per agent, all of them adding to the graph's messages.

Where agents hand over, the agents themselves are the nodes, and a tool's `Command` says which node is next.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, ModelCallLimitMiddleware
from langchain.agents.middleware.model_call_limit import ModelCallLimitExceededError
from langchain.tools import ToolRuntime
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import StructuredTool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command

from frameworks.handoffs import Handoffs
from frameworks.outcome import check_request, outcome_of
from shared.contract import LimitReached
from shared.prompts.hand_over import transfer_tool, transferred
from shared.prompts.pass_on import user_turn
from shared.tools.client import call_tool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.runnables import RunnableConfig

    from shared.contract import AgentSpec, Outcome, RunRequest, ToolSpec

DISTRIBUTIONS: tuple[str, ...] = ("langgraph", "langchain", "langchain-openai", "openai")
PATTERNS: tuple[str, ...] = ("pipeline", "handoff")


def run(request: RunRequest) -> Outcome:
    check_request(request, PATTERNS)
    usage = UsageMetadataCallbackHandler()
    try:
        make = _hand_over if request.pattern == "handoff" else _in_order
        made = make(request, {"callbacks": [usage]})
    except ModelCallLimitExceededError as error:
        raise LimitReached(str(error)) from error
    counted = usage.usage_metadata.values()
    if not counted:
        return made
    return replace(
        made,
        native_prompt_tokens=sum(model["input_tokens"] for model in counted),
        native_completion_tokens=sum(model["output_tokens"] for model in counted),
    )


def _in_order(request: RunRequest, config: RunnableConfig) -> Outcome:
    answers: dict[str, str] = {}
    graph = StateGraph(MessagesState)
    for spec in request.agents:
        graph.add_node(spec.name, _node(request, spec, answers))
    names = [spec.name for spec in request.agents]
    for before, after in zip([START, *names], names, strict=False):
        graph.add_edge(before, after)
    graph.compile().invoke({"messages": []}, config=config)
    return outcome_of(request, answers)


def _hand_over(request: RunRequest, config: RunnableConfig) -> Outcome:
    specs = {spec.name: spec for spec in request.agents}
    handoffs = Handoffs(request)
    graph = StateGraph(MessagesState)
    for spec in request.agents:
        transfers = [_transfer(specs[name]) for name in spec.handoffs]
        agent = _agent(request, spec, transfers, [_Turn(spec.name, handoffs)])
        graph.add_node(spec.name, agent, destinations=spec.handoffs)
    first = request.agents[0]
    graph.add_edge(START, first.name)
    told = {"messages": [HumanMessage(first.request)]}
    return handoffs.outcome(graph.compile().invoke(told, config=config)["messages"][-1].text)


def _node(request: RunRequest, spec: AgentSpec, answers: dict[str, str]) -> Any:
    agent = _agent(request, spec)

    def work(state: MessagesState) -> dict[str, Any]:
        # A user turn of its own for each agent: a conversation that ends on another agent's answer would be
        # continued rather than answered by some servers.
        if request.arm == "equalised":
            told = [HumanMessage(user_turn(spec, answers))]
        else:
            told = [*state["messages"], HumanMessage(spec.request)]
        messages = agent.invoke({"messages": told})["messages"]
        answers[spec.name] = messages[-1].text
        return {"messages": messages}  # merged by id: what was there stays once

    return work


def _agent(
    request: RunRequest,
    spec: AgentSpec,
    transfers: Sequence[StructuredTool] = (),
    middleware: Sequence[AgentMiddleware] = (),
) -> Any:
    tools = [*(_tool(request, tool) for tool in spec.tools), *transfers]
    # Without tools an agent makes one call and no limit is needed.
    limit = [ModelCallLimitMiddleware(run_limit=request.max_steps, exit_behavior="error")] if tools else []
    return create_agent(
        model=_model(request, spec),
        tools=tools,
        system_prompt=spec.instructions,
        middleware=[*middleware, *limit],
        # The other arm is the same messages from everybody, without names.
        name=spec.name if request.arm == "idiomatic" else None,
    )


class _Turn(AgentMiddleware):
    """At the start of each turn of an agent."""

    def __init__(self, agent: str, handoffs: Handoffs) -> None:
        super().__init__()
        self._agent = agent
        self._handoffs = handoffs

    def before_agent(self, state: Any, runtime: Any) -> None:  # noqa: ARG002 - theirs
        self._handoffs.begin_turn(self._agent)


def _transfer(target: AgentSpec) -> StructuredTool:
    """LangGraph has no such tool of its own: its documentation says how to write one."""

    def transfer(runtime: ToolRuntime) -> Command[Any]:
        *before, asked = runtime.state["messages"]
        # Answers of tools that were called beside it do not get out of the agent's own graph, and a call
        # without its answer is no valid conversation: what is passed on asks for this tool alone.
        calls = [call for call in asked.tool_calls if call["id"] == runtime.tool_call_id]
        alone = asked.model_copy(update={"tool_calls": calls})
        done = ToolMessage(transferred(target.name), tool_call_id=runtime.tool_call_id)
        return Command(graph=Command.PARENT, goto=target.name, update={"messages": [*before, alone, done]})

    tool = transfer_tool(target)
    return StructuredTool.from_function(transfer, name=tool.name, description=tool.description)


def _model(request: RunRequest, spec: AgentSpec) -> ChatOpenAI:
    return ChatOpenAI(
        model=request.model,
        base_url=request.base_url,
        api_key="none",  # the run's address is its permission
        temperature=request.temperature,
        seed=request.seed,
        # `max_tokens=` would go out as max_completion_tokens, which not every compatible server knows.
        extra_body={"max_tokens": spec.max_tokens},
        timeout=request.request_timeout_s,
        max_retries=0,
        use_responses_api=False,
    )


def _tool(request: RunRequest, spec: ToolSpec) -> StructuredTool:
    def call(**arguments: Any) -> str:
        return call_tool(request.tools_url, spec.name, arguments)

    return StructuredTool.from_function(
        call, name=spec.name, description=spec.description, args_schema=spec.parameters
    )
