"""The same reports judged by DeepEval's GEval: a metric for each criterion, so a request for each as well.

`python -m benchmarks.judging_deepeval CONFIG OUT`, in the environment `bench-deepeval`. The evaluation steps
are given, or GEval would ask the model for them first. LocalModel is DeepEval's own class for servers with
OpenAI's API.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from deepeval.metrics import GEval
from deepeval.models import LocalModel
from deepeval.test_case import LLMTestCase, SingleTurnParams

PARTS = [SingleTurnParams.INPUT, SingleTurnParams.ACTUAL_OUTPUT, SingleTurnParams.CONTEXT]


class OneClient(LocalModel):  # type: ignore[misc] # it is not installed beside the type checker
    """Keeps its client; LocalModel makes one for each call, and each reads the machine's certificates."""

    _client: Any = None

    def load_model(self, async_mode: bool = True) -> Any:
        self._client = self._client or super().load_model(async_mode=async_mode)
        return self._client


def steps(criterion: dict[str, Any]) -> list[str]:
    """What our judge is told of a criterion."""
    anchors = "; ".join(f"{score} = {words}" for score, words in criterion["anchors"].items())
    return [criterion["question"], f"Scores: {anchors}."]


async def verdicts(config: dict[str, Any]) -> list[dict[str, float]]:
    made = OneClient if config["one_client"] else LocalModel
    model = made(model=config["model"], base_url=config["base_url"], api_key="none", temperature=0)
    waiting = (
        (number, criterion)
        for number in range(len(config["reports"]))
        for criterion in config["rubric"]["criteria"]
    )
    found: list[dict[str, float]] = [{} for _ in config["reports"]]

    async def judge() -> None:
        for number, criterion in waiting:
            metric = GEval(
                name=criterion["name"],
                evaluation_params=PARTS,
                evaluation_steps=steps(criterion),
                model=model,
            )
            case = LLMTestCase(
                input=config["description"],
                actual_output=config["reports"][number],
                context=[config["evidence"]],
            )
            found[number][criterion["name"]] = await metric.a_measure(case, _show_indicator=False)

    await asyncio.gather(*(judge() for _ in range(config["parallel"])))
    return found


def main(config: Path, out: Path) -> None:
    found = asyncio.run(verdicts(json.loads(config.read_text(encoding="utf-8"))))
    out.write_text("".join(f"{json.dumps(verdict)}\n" for verdict in found), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
