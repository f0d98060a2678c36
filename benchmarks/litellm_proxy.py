"""The LiteLLM proxy as a peer of the gateway: one worker, no database, no logging, no retries."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.line_process import child_variables, end, log_tail, tied_process
from benchmarks.mock import MODEL
from runtime_envs.build import OnProgress, build
from shared.errors import EnvironmentFailed

START_TIMEOUT_S = 180
"""It imports for about ten seconds on two busy cores."""

VARIABLES = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # or it asks the internet for prices before it listens
    "LITELLM_LOG": "ERROR",
    "LITELLM_MODE": "PRODUCTION",  # no .env file
    # No key to check with each request; it listens on loopback alone, for minutes.
    "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
}


@contextmanager
def litellm_proxy(upstream_url: str, folder: Path, on_progress: OnProgress) -> Iterator[str]:
    """Its origin. Raises EnvironmentFailed when it cannot be built or does not come up."""
    built = build("bench-litellm", on_progress=on_progress)
    config, log, port = folder / "litellm.json", folder / "litellm.log", _free_port()
    config.write_text(json.dumps(_config(upstream_url)), encoding="utf-8")  # JSON is YAML, too
    command = [str(built.path / "bin" / "litellm"), "--config", str(config), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--num_workers", "1", "--telemetry", "False"]
    with log.open("ab") as output:
        process = tied_process(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=child_variables() | VARIABLES,
            cwd=folder,
        )
    try:
        origin = f"http://127.0.0.1:{port}"
        on_progress("litellm: starting")
        _wait_for(f"{origin}/health/liveliness", process, log)
        yield origin
    finally:
        process.terminate()
        end(process)


def _config(upstream_url: str) -> dict[str, object]:
    params = {"model": f"openai/{MODEL}", "api_base": upstream_url, "api_key": "none"}
    return {
        "model_list": [{"model_name": MODEL, "litellm_params": params}],
        "litellm_settings": {"num_retries": 0, "request_timeout": 60},
    }


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with opener.open(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise EnvironmentFailed(f"The LiteLLM proxy did not come up. The end of its log:\n{log_tail(log)}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
