"""LangGraph: a state graph with one node per agent, all of them adding to the graph's messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain.agents import create_agent
from langchain.agents.middleware import ModelCallLimitMiddleware
from langchain.agents.middleware.model_call_limit import ModelCallLimitExceededError
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.messages import HumanMessage
from langchain_core.tools import StructuredTool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph

from frameworks.outcome import check_arm, outcome_of
from shared.contract import LimitReached
from shared.prompts.pass_on import user_turn
from shared.tools.client import call_tool

if TYPE_CHECKING:
    from shared.contract import AgentSpec, Outcome, RunRequest, ToolSpec

DISTRIBUTIONS: tuple[str, ...] = ("langgraph", "langchain", "langchain-openai", "openai")


def run(request: RunRequest) -> Outcome:
    check_arm(request)
    answers: dict[str, str] = {}
    graph = StateGraph(MessagesState)
    for spec in request.agents:
        graph.add_node(spec.name, _node(request, spec, answers))
    names = [spec.name for spec in request.agents]
    for before, after in zip([START, *names], names, strict=False):
        graph.add_edge(before, after)
    usage = UsageMetadataCallbackHandler()
    try:
        graph.compile().invoke({"messages": []}, config={"callbacks": [usage]})
    except ModelCallLimitExceededError as error:
        raise LimitReached(str(error)) from error
    counted = usage.usage_metadata.values()
    if not counted:
        return outcome_of(request, answers)
    return outcome_of(
        request,
        answers,
        sum(model["input_tokens"] for model in counted),
        sum(model["output_tokens"] for model in counted),
    )


def _node(request: RunRequest, spec: AgentSpec, answers: dict[str, str]) -> Any:
    agent = create_agent(
        model=_model(request, spec),
        tools=[_tool(request, tool) for tool in spec.tools],
        system_prompt=spec.instructions,
        # Without tools an agent makes one call and no limit is needed.
        middleware=[ModelCallLimitMiddleware(run_limit=request.max_steps, exit_behavior="error")]
        if spec.tools
        else [],
        # The other arm is the same messages from everybody, without names.
        name=spec.name if request.arm == "idiomatic" else None,
    )

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
