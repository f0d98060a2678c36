"""Run one adapter alone against any OpenAI-compatible address, for people writing adapters.

    python -m frameworks.langgraph --base-url http://127.0.0.1:8080/v1 --model NAME [--request FILE]

A request file is a `RunRequest` as JSON; what stands on the command line goes before it. Without a file,
three short agents work in a row. The outcome is printed as one JSON object.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.contract import AgentSpec, LimitReached, RunRequest, ToolSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.contract import Adapter

LIMIT_REACHED_STATUS = 3
"""Exit status for a run that stopped at its limit: neither done nor broken."""

_SUBJECT = "the city of Lisbon"
_EXAMPLE: dict[str, Any] = {
    "run_id": "example",
    "base_url": "http://127.0.0.1:8080/v1",
    "tools_url": "http://127.0.0.1:8080/tools",
    "model": "default",
    "temperature": 0.0,
    "seed": 7,
    "request_timeout_s": 120.0,
    "max_steps": 8,
    "agents": [
        {
            "name": "researcher",
            "instructions": "You gather facts.",
            "request": f"List five facts about {_SUBJECT}.",
            "max_tokens": 200,
        },
        {
            "name": "analyst",
            "instructions": "You judge what facts mean.",
            "request": f"Say what these facts mean for a visitor to {_SUBJECT}.",
            "max_tokens": 200,
        },
        {
            "name": "writer",
            "instructions": "You write clearly.",
            "request": f"Write one paragraph about {_SUBJECT} for a travel guide.",
            "max_tokens": 200,
        },
    ],
}


def request_from(raw: dict[str, Any]) -> RunRequest:
    agents = tuple(
        AgentSpec(
            **agent
            | {
                "tools": tuple(ToolSpec(**tool) for tool in agent.get("tools", ())),
                "handoffs": tuple(agent.get("handoffs", ())),
            }
        )
        for agent in raw["agents"]
    )
    return RunRequest(**{**raw, "agents": agents})


def main(adapter: Adapter, arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    for name in ("base_url", "tools_url", "model", "arm"):
        parser.add_argument(f"--{name.replace('_', '-')}", default=argparse.SUPPRESS)
    parser.add_argument("--request", type=Path, default=None, help="a RunRequest as JSON")
    options = vars(parser.parse_args(arguments))
    file: Path | None = options.pop("request")
    raw = json.loads(file.read_text(encoding="utf-8")) if file else _EXAMPLE
    try:
        outcome = adapter.run(request_from({**raw, **options}))
    except LimitReached as limit:
        print(f"limit reached: {limit}", file=sys.stderr)
        return LIMIT_REACHED_STATUS
    # On a line of its own, last: some frameworks print while they work.
    print(json.dumps(dataclasses.asdict(outcome)), flush=True)
    return 0
