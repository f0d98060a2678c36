"""The three-agent task by hand with httpx, straight to the model server: the floor of `cpu`."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from benchmarks.child import Message, answer_lines
from benchmarks.cpu_task import agents_of, parameters


def begin(config: Message) -> Callable[[Message], Message]:
    agents = agents_of(config)
    url = f"{config['base_url']}/chat/completions"
    client = httpx.Client(timeout=60)

    def carry_out() -> None:
        answers: dict[str, str] = {}
        for spec in agents:
            answer = client.post(url, json=parameters(spec, answers, config["model"]))
            answer.raise_for_status()
            answers[spec.name] = answer.json()["choices"][0]["message"]["content"]

    def answer(message: Message) -> Message:
        for _ in range(message["tasks"]):
            carry_out()
        return {"tasks": message["tasks"]}

    return answer


if __name__ == "__main__":
    answer_lines(begin)
