"""A plan without Levelfield's cluster: frameworks as subprocesses, one after the other, then the judge.

What a careful script does: the same environments, adapters, requests and judge; no Ray, gateway or records.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.line_process import ROOT, ProcessFailed, child_variables
from judge.chat import JudgeEndpoint
from judge.judge_report import judge_report
from runtime_envs.build import OnProgress, build
from runtime_envs.catalog import framework, process_variables
from shared.contract import RunRequest
from shared.plan import Plan, framework_of, ordered_runs
from shared.records import RunKey
from shared.tasks.load_task import load_task

ERROR_CHARACTERS = 1000


def run_loop(plan: Plan, base_url: str, model: str, on_progress: OnProgress) -> None:
    """Every run of the plan, then a verdict on each report."""
    keys = [key for block in ordered_runs(plan) for key in block]
    reports: list[tuple[RunKey, str]] = []
    for key in keys:
        on_progress(f"{key.framework} on {key.item}")
        reports.append((key, _report(key, plan, base_url, model)))
    for key, text in reports:
        on_progress(f"judging {key.item}")
        _judge(key, text, base_url, model)


def _report(key: RunKey, plan: Plan, base_url: str, model: str) -> str:
    chosen = framework(framework_of(key.framework))
    with tempfile.TemporaryDirectory(prefix="levelfield-loop-") as folder:
        request = Path(folder) / "request.json"
        request.write_text(json.dumps(asdict(_request(key, plan, base_url, model))), encoding="utf-8")
        python, module = build(chosen.environment).python, chosen.adapter.rpartition(".")[0]
        done = subprocess.run(
            [str(python), "-m", module, "--request", str(request)],
            cwd=ROOT,
            env=child_variables() | process_variables(chosen, Path(folder)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=plan.limits.run_timeout_s,
            check=False,
        )
    if done.returncode:
        raise ProcessFailed(
            f"{key.framework} ended with {done.returncode}: {done.stderr[-ERROR_CHARACTERS:]}"
        )
    text: str = json.loads(done.stdout.splitlines()[-1])["text"]
    return text


def _request(key: RunKey, plan: Plan, base_url: str, model: str) -> RunRequest:
    limits = plan.limits
    return RunRequest(
        run_id=key.run_id,
        base_url=base_url,
        tools_url=f"{base_url}/tools",
        model=model,
        agents=load_task(key.task).agents(key.item, plan.tools, limits.max_tokens),
        temperature=plan.temperature,
        seed=plan.seed,
        request_timeout_s=limits.request_timeout_s,
        max_steps=limits.max_steps,
        arm=key.arm,
    )


def _judge(key: RunKey, text: str, base_url: str, model: str) -> None:
    task = load_task(key.task)
    assert task.rubric
    verdict = judge_report(
        text,
        run_id=key.run_id,
        attempt_id=key.run_id,
        description=task.description(key.item),
        rubric=task.rubric,
        evidence=task.evidence(key.item),
        endpoint=JudgeEndpoint(base_url=base_url, model=model),
        judge_name="loop",
    )
    if not verdict.scored:
        raise ProcessFailed(f"The mock's verdict on {key.run_id} could not be used.")
