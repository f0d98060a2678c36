"""Reports judged by hand with asyncio and httpx, straight to the judge's server: the floor of `judging`.

`python -m benchmarks.judging_plain CONFIG OUT`. What a careful script does: the judge's own requests, so many
in flight, every answer read as JSON, and all verdicts written at the end.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import httpx

from judge.attempts import PROBABILITIES
from judge.chat import JudgeEndpoint
from judge.findings import findings
from judge.judge_prompt import messages, response_format
from shared.yardsticks import CheckSpec, Rubric

TIMEOUT_S = 300


def body(config: dict[str, Any], rubric: Rubric, report: str) -> dict[str, Any]:
    """What `judge.judge_report` sends at its first attempt."""
    checks = CheckSpec.model_validate(config["checks"])
    endpoint = JudgeEndpoint(base_url=config["base_url"], model=config["model"])
    return {
        "model": endpoint.model,
        "messages": messages(
            report, config["description"], rubric, config["evidence"], "", counted=findings(report, checks)
        ),
        "temperature": 0,
        "seed": 0,
        "max_tokens": endpoint.max_tokens,
        "response_format": response_format(rubric),
    } | PROBABILITIES


async def verdicts(config: dict[str, Any]) -> list[dict[str, Any]]:
    rubric = Rubric.model_validate(config["rubric"])
    url, waiting = f"{config['base_url']}/chat/completions", iter(config["reports"])
    found: list[dict[str, Any]] = []
    async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:

        async def judge() -> None:
            for report in waiting:
                answer = await client.post(url, json=body(config, rubric, report))
                answer.raise_for_status()
                found.append(json.loads(answer.json()["choices"][0]["message"]["content"]))

        await asyncio.gather(*(judge() for _ in range(config["parallel"])))
    return found


def main(config: Path, out: Path) -> None:
    found = asyncio.run(verdicts(json.loads(config.read_text(encoding="utf-8"))))
    out.write_text("".join(f"{json.dumps(verdict)}\n" for verdict in found), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
