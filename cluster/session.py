"""The Ray session: a local one, the job's own cluster, or one to join by address."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray

from shared.errors import NodeFailed, ServerUnavailable

ROOT = Path(__file__).resolve().parent.parent
"""Where our rooms are: a checkout, or what `ray job submit` unpacked."""

STAND_IN = "inference_node"
"""The resource that stands for a GPU on machines without one."""

CONNECT_TIMEOUT_S = 60.0
"""`ray.init` on a dead address blocks for minutes."""

UPLOAD_EXCLUDES = [".git", ".venv", ".uv", "results", "tests", "docs", "benchmarks"]


@dataclass(frozen=True, slots=True)
class NodePlace:
    """Where one inference node goes: a machine and what it holds of it."""

    name: str
    ray_node_id: str
    resources: dict[str, float]
    """Ray's resources for the actor: {"GPU": 1}, the stand-in, or {"CPU": 1}."""
    index: int = 0
    """Among the places of its machine."""
    of: int = 1
    """How many places its machine has."""

    @property
    def key(self) -> tuple[str, int]:
        """Tells it from every other place; names of machines may repeat."""
        return self.ray_node_id, self.index


@contextmanager
def ray_session(address: str | None) -> Iterator[None]:
    """Connected to Ray inside the block; what we started ends with it."""
    # Otherwise Ray starts workers through `uv run` if the driver was started so.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    # Stated because Ray warns on every start of a default that will change; no task of ours depends on it.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # Otherwise a machine that is cut off is waited for for minutes (420 s measured, 17 s with these).
    os.environ.setdefault("RAY_grpc_client_keepalive_time_ms", "10000")
    os.environ.setdefault("RAY_grpc_client_keepalive_timeout_ms", "5000")
    joined = address or os.environ.get("RAY_ADDRESS")
    on_terminate = signal.getsignal(signal.SIGTERM)
    _connect(joined) if joined else _start_local()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, on_terminate)  # ray.init put its own there
    try:
        yield
    finally:
        ray.shutdown()


def _start_local() -> None:
    # Ray's own default, token authentication, with a token of this session instead of one in the home
    # folder. RAY_AUTH_MODE itself would have to be set before ray is imported.
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    # Ray's processes, and with them every framework, get what stands in the environment now. A key goes to
    # its node alone, with what the node is started with.
    kept_back = {name: os.environ.pop(name) for name in list(os.environ) if name.endswith("_API_KEY")}
    try:
        ray.init(
            "local",  # not the cluster that somebody else started on this machine
            resources={STAND_IN: 1},
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            object_store_memory=200_000_000,
            runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
        )
    except Exception as error:  # Ray raises no more exact one when its own processes are not up in 30 s
        raise NodeFailed(
            f"Ray did not start on this machine: {error} If it is busy, try again when it is less so."
        ) from error
    finally:
        os.environ.update(kept_back)


def _connect(address: str) -> None:
    """Join a running cluster; in a submitted job Ray has already unpacked our code on every machine."""
    in_job = "RAY_JOB_CONFIG_JSON_ENV_VAR" in os.environ
    environment: dict[str, Any] = {} if in_job else {"working_dir": str(ROOT), "excludes": UPLOAD_EXCLUDES}
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    with ThreadPoolExecutor(1) as pool:
        joining = pool.submit(ray.init, address, runtime_env=environment, **options)
        try:
            joining.result(CONNECT_TIMEOUT_S)
        except FutureTimeout:
            os.write(2, f"No Ray cluster answers at {address}. Is it running? Try: ray status\n".encode())
            os._exit(ServerUnavailable.exit_code)  # the thread inside ray.init cannot be stopped
        except ConnectionError as error:
            raise ServerUnavailable(f"No Ray cluster at {address}: {error}. Try: ray status") from None


def node_places(machines: list[dict[str, Any]], gpus_per_node: int = 1) -> list[NodePlace]:
    """One inference node per GPU; on a cluster without GPUs one per stand-in; without these, one per machine.

    Args:
        machines: As `ray.nodes()` gives them.
        gpus_per_node: How many GPUs, or stand-ins, of one machine a node holds.

    Raises:
        NodeFailed: There is no place.
    """
    alive = [machine for machine in machines if machine["Alive"]]
    for resource in ("GPU", STAND_IN):
        counted = [(each, int(each["Resources"].get(resource, 0)) // gpus_per_node) for each in alive]
        places = [
            NodePlace(
                f"{machine['NodeManagerHostname']}/{resource.lower()}{index}",
                machine["NodeID"],
                {resource: gpus_per_node},
                index,
                count,
            )
            for machine, count in counted
            for index in range(count)
        ]
        if places:
            return places
        most = max((int(machine["Resources"].get(resource, 0)) for machine in alive), default=0)
        if most:
            raise NodeFailed(
                f"gpus_per_node is {gpus_per_node}, but no machine of the Ray cluster has so many: "
                f"the most is {most} of {resource}."
            )
    places = [
        NodePlace(machine["NodeManagerHostname"], machine["NodeID"], {"CPU": 1})
        for machine in alive
        if machine["Resources"].get("CPU", 0) >= 1
    ]
    if not places:
        raise NodeFailed("The Ray cluster has neither a GPU nor a CPU to give. See: ray status")
    return places
