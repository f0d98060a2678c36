"""The embedded model server: llama.cpp in an environment and a process of its own."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from cluster.servers.hub_model import is_hub_name
from cluster.servers.interface import ServerIdentity, ServerOptions, TokenCounters
from cluster.servers.metrics import llamacpp_counters
from cluster.servers.model_weights import WeightsFile, find_weights
from cluster.servers.probe import answers, ask, require_success
from runtime_envs.build import build
from runtime_envs.models import MODELS, chat_template
from shared.own_process import OwnProcess

SCRIPT = Path(__file__).with_name("llamacpp_main.py")

FLAGS: dict[str, Any] = {
    # Slots and prompt cache change the text of an answer from one repeat to the next.
    "n_parallel": 1,
    "cache_prompt": False,
    "cache_ram_mib": 0,
    # A conversation that ends on an assistant turn is to be answered, not continued.
    "prefill_assistant": False,
    # The number of threads that decode changes the text, and a second one collapses on a busy machine.
    "cpuparams.n_threads": 1,
    # Threads that read the prompt do not change the text: two halve the time at the same CPU time.
    "cpuparams_batch.n_threads": 2,
    # Off decodes faster on a CPU by about 40 % and reads prompts slower by about 15 %: ahead in all.
    "flash_attn_type": 0,
    # Otherwise the context is shortened when memory is short, and nobody is told.
    "fit_params": False,
    "endpoint_metrics": True,
    "ui": False,
}

ENVIRONMENT = {
    # Waiting threads sleep: spinning ones take the core from the thread they wait for when cores are few.
    "OMP_WAIT_POLICY": "passive",
}


class LlamaCppServer:
    api_key = None
    ours = True

    def __init__(self, name: str, options: ServerOptions) -> None:
        self._name = name
        self._options = options
        self._weights: WeightsFile | None = None
        self._process: OwnProcess | None = None
        self._url = ""
        self._version: str | None = None
        self._context_length: int | None = None
        self._shows_tools: bool | None = None
        self._chat_template = chat_template(name)

    @property
    def base_url(self) -> str:
        return f"{self._url}/v1"

    @property
    def served_model(self) -> str:
        return self._weights.name if self._weights else self._name

    def start(self) -> None:
        self.stop()
        # Weights first: a wrong name or path is an answer at once, an environment may take minutes.
        self._weights = self._weights or find_weights(self._name, self._options.on_progress)
        python = build("llamacpp", on_progress=self._options.on_progress).python
        self._options.on_progress("loading the model")
        log = self._options.log_dir / "llamacpp.log"
        self._process = OwnProcess([str(python), str(SCRIPT)], log, ENVIRONMENT)
        flags = {**FLAGS, "n_ctx": self._options.context_length}
        if self._chat_template:
            flags["chat_template"] = self._chat_template.read_text(encoding="utf-8")
        ready = self._process.start(
            {"model_path": str(self._weights.path), "alias": self._weights.name, "flags": flags},
            self._options.timeout_s,
        )
        self._url, self._version = ready["url"], ready["version"]
        self._look_at_properties()

    def identity(self) -> ServerIdentity:
        return ServerIdentity(
            setting=f"llamacpp:{self._name if is_hub_name(self._name) else self.served_model}",
            served_model=self.served_model,
            digest=f"sha256:{self._weights.sha256}" if self._weights else None,
            server="llama.cpp (xllamacpp)",
            version=self._version,
            context_length=self._context_length,
            flags={**FLAGS, **ENVIRONMENT, **self._template_flags()},
            caveat=MODELS[self._name].caveat if self._name in MODELS else None,
        )

    def healthy(self) -> bool:
        return self._process is not None and self._process.alive and answers(f"{self._url}/health")

    def counters(self) -> TokenCounters | None:
        return llamacpp_counters(self._url) if self._process and self._process.alive else None

    def pids(self) -> list[int]:
        return self._process.pids() if self._process else []

    def log_tail(self) -> str:
        return self._process.log_tail() if self._process else ""

    def stop(self) -> None:
        if self._process:
            self._process.stop()

    def _template_flags(self) -> dict[str, Any]:
        """A template decides what the model reads and how its tool calls are told from text."""
        described = "the model's own"
        if self._chat_template:
            digest = hashlib.sha256(self._chat_template.read_bytes()).hexdigest()
            described = f"{self._chat_template.name} sha256:{digest}"
        return {"chat_template": described, "chat_template_shows_tools": self._shows_tools}

    def _look_at_properties(self) -> None:
        """What the server has, which may be less than was asked for."""
        url = f"{self._url}/props"
        answer = ask(url)
        require_success(answer, url)
        self._context_length = int(answer.body["default_generation_settings"]["n_ctx"])
        # A template without a place for tools drops them from every request without a word.
        self._shows_tools = bool(answer.body["chat_template_caps"]["supports_tools"])
