"""The three-agent task by an agent written for OpenAI's client, in inspect_ai through its agent bridge.

Runs in the environment `bench-inspect`. One sample of an evaluation is one task, its log is what our journal
and store are beside; samples follow one another, as our runs do.
"""

from __future__ import annotations

from collections.abc import Callable

from inspect_ai import Task
from inspect_ai import eval as evaluate
from inspect_ai.agent import Agent, AgentState, agent, agent_bridge
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import get_model
from openai import AsyncOpenAI

from benchmarks.child import Message, answer_lines
from benchmarks.cpu_task import agents_of, parameters
from shared.contract import AgentSpec

BRIDGED = "inspect"
"""The model's name by which the bridge takes a request over."""


@agent  # type: ignore[untyped-decorator] # it is not installed beside the type checker
def three_agents(agents: tuple[AgentSpec, ...], client: AsyncOpenAI) -> Agent:
    async def execute(state: AgentState) -> AgentState:
        # Without forward_generation_config the bridge drops temperature, seed and max_tokens.
        async with agent_bridge(state, forward_generation_config=True) as bridge:
            answers: dict[str, str] = {}
            for spec in agents:
                answer = await client.chat.completions.create(**parameters(spec, answers, BRIDGED))
                answers[spec.name] = answer.choices[0].message.content or ""
            return bridge.state

    return execute


def begin(config: Message) -> Callable[[Message], Message]:
    solver = three_agents(agents_of(config), AsyncOpenAI(base_url="http://127.0.0.1:9/v1", api_key="none"))
    model = get_model(f"openai-api/mock/{config['model']}", base_url=config["base_url"], api_key="none")

    def answer(message: Message) -> Message:
        samples = [Sample(input="Write the report.", id=number) for number in range(1, message["tasks"] + 1)]
        (log,) = evaluate(
            Task(dataset=MemoryDataset(samples), solver=solver),
            model=model,
            display="none",
            log_level="error",
            log_dir=config["folder"],
            max_samples=1,
            max_connections=1,
        )
        if log.status != "success":
            raise RuntimeError(f"the evaluation ended as {log.status}: {log.error}")
        return {"tasks": message["tasks"]}

    return answer


if __name__ == "__main__":
    answer_lines(begin)
