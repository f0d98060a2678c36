"""BenchmarkSettings: which models and machines; from command line, environment, `.env` and plan."""

from __future__ import annotations

import os
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableVariable

from shared.errors import SettingsError
from shared.judge_panel import BETWEEN, JudgeServer, split_judges
from shared.key_file import key_in_file
from shared.suggest import unknown_name

PREFIX = "LEVELFIELD_"
REPLAY = "replay"
"""Prefix of a model setting whose answers come from an experiment's folder."""
EMBEDDED = frozenset({"llamacpp", "scripted", REPLAY})
"""Prefixes of models that have no address, because Levelfield serves them itself."""
KEYS = ("llm_api_key", "judge_api_key")
NOT_FROM_PLANS = {*KEYS, *(f"{key}_file" for key in KEYS), "vllm_python", "ray_address"}
"""Plans come from others: none may hold a key, name its file, name a program, or a cluster that gets keys."""
VLLM_DECIDES = ("vllm_tensor_parallel", "vllm_prefix_caching", "vllm_tool_call_parser")
"""Settings of a vLLM of ours that can change a run."""
OWN_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
NOT_SETTINGS = frozenset({"LEVELFIELD_CACHE", "LEVELFIELD_DEBUG"})
"""Variables with our prefix that others read: where environments and models are kept, and for tracebacks."""


class BenchmarkSettings(BaseSettings):
    """Each field is also the variable LEVELFIELD_<NAME>, in the environment or in `.env`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True)

    llm_model: str = "llamacpp:smollm2-135m"
    """The model under the frameworks: llamacpp:NAME_OR_PATH, ollama:NAME, vllm:NAME, openai:NAME,
    anthropic:NAME, or replay:FOLDER for the answers that an experiment recorded."""
    replay_timing: Literal["instant", "recorded"] = "instant"
    """In a replay, whether answers come at once or as slowly as they were recorded."""
    llm_base_url: str | None = None
    """Where it is served, for ollama, vllm and openai; each has a usual default."""
    llm_api_key: SecretStr | None = None
    """Only from the environment or `.env`, never from a plan."""
    llm_api_key_file: Path | None = None
    """A file that holds the key and nothing else, in place of `llm_api_key`; read once, here."""
    judge_model: str | None = None
    """The judge, or several with commas between, in a plan also as a list: the first is the main one. None:
    the same model, used only while no run has its node."""
    judge_base_url: str | None = None
    """Where judges are that `judge_servers` does not name."""
    judge_api_key: SecretStr | None = None
    judge_api_key_file: Path | None = None
    judge_servers: dict[str, JudgeServer] = Field(default_factory=dict)
    """Judge -> its own address and the variable with its key; in the environment as JSON."""
    judge_parallel: int = Field(default=2, ge=1)
    """Judge requests in flight at once: on each node, or at a judge that is asked without one."""
    judge_repeats: int = Field(default=1, ge=1)
    """How often each judge scores the same text."""
    judge_pairs: bool = False
    """Whether judges also say which of two reports is better."""
    judge_pairs_limit: int = Field(default=50, ge=1)
    """Most pairs of texts on one item and arm, each asked in both orders; of more, a seeded sample."""
    judge_max_tokens: int = Field(default=400, ge=50)
    """For one answer of a judge. The schema bounds it to about 150; a judge that thinks first needs more."""
    context_length: int = Field(default=8192, ge=512)
    """Tokens of context that a server we start gives each request."""
    vllm_python: Path | None = None
    """The interpreter of an environment with vLLM: then Levelfield starts it, where no address is stated.
    Never from a plan, which is data: this is a program to be run."""
    vllm_tensor_parallel: int | None = Field(default=None, ge=1)
    """GPUs that it spreads the model over; None: all that its node has."""
    vllm_prefix_caching: bool = False
    """Whether it keeps what it read of a prompt for the next: faster, and less alike from run to run."""
    vllm_tool_call_parser: str | None = Field(default=None, pattern=r"^[a-z0-9_.-]+$")
    """Its name for how the model writes tool calls, e.g. hermes; None: it answers none."""
    results_dir: Path = Path("results")
    """Experiments are folders in it. As a Ray job, a relative one is taken below the home folder."""
    trace_content: bool = False
    """Whether prompts, answers and error messages stand in the spans, and are sent with them."""
    gpus_per_node: int = Field(default=1, ge=1)
    """GPUs of one machine that an inference node holds; on machines without GPUs, of the stand-in."""
    ray_address: str | None = None
    """A running cluster to join; None: the job's own, or a local one."""

    @field_validator("llm_model")
    @classmethod
    def _recording_from_anywhere(cls, setting: str) -> str:
        """A node need not run in the folder that the command was given in."""
        prefix, _, folder = setting.partition(":")
        if prefix != REPLAY or not folder.strip():
            return setting
        return f"{REPLAY}:{Path(folder.strip()).expanduser().resolve()}"

    @field_validator("judge_model", mode="before")
    @classmethod
    def _several_judges(cls, judges: Any) -> Any:
        listed = isinstance(judges, list | tuple) and all(isinstance(name, str) for name in judges)
        return BETWEEN.join(split_judges(judges)) or None if listed or isinstance(judges, str) else judges

    @property
    def identity(self) -> dict[str, Any]:
        """What can change a run: not addresses, keys or places, and not the judge, who comes later."""
        found: dict[str, Any] = {"llm_model": self.model_name, "context_length": self.context_length}
        if self.recording:
            found["replay_timing"] = self.replay_timing
        if self.llm_model.startswith("vllm:") and self.vllm_python:
            found |= {name: getattr(self, name) for name in VLLM_DECIDES}
        return found

    @property
    def recording(self) -> Path | None:
        """The experiment whose answers are replayed; None when a model is asked."""
        prefix, _, folder = self.llm_model.partition(":")
        return Path(folder) if prefix == REPLAY else None

    @property
    def model_name(self) -> str:
        """`llm_model`; of a replay without the way to its folder, which changes no answer."""
        return f"{REPLAY}:{self.recording.name}" if self.recording else self.llm_model

    @property
    def panel(self) -> tuple[str, ...]:
        """All judges; empty when there is nobody, since a recording holds no answers to a judge."""
        return split_judges(self.judge_model) or (() if self.recording else (self.llm_model,))

    @property
    def judge(self) -> str:
        """The main judge: whose scores stand in runs.csv."""
        return self.panel[0] if self.panel else self.llm_model

    def is_subject(self, judge: str) -> bool:
        """Whether the model under test judges: on its own nodes, while no run holds them."""
        elsewhere = judge in self.judge_servers or self.judge_base_url not in (None, self.llm_base_url)
        embedded = judge.partition(":")[0] in EMBEDDED
        return judge == self.llm_model and (embedded or not elsewhere)

    @property
    def public(self) -> dict[str, Any]:
        """All of it but the keys and where they are, for the manifest."""
        return self.model_dump(mode="json", exclude=NOT_FROM_PLANS)


def load_settings(
    given: Mapping[str, Any] | None = None, plan_settings: Mapping[str, Any] | None = None
) -> BenchmarkSettings:
    """`given` (the command line) comes first, then the environment, `.env`, the plan, the defaults.

    Raises:
        SettingsError: An unknown key, naming the nearest right one, or a bad value.
    """
    known = set(BenchmarkSettings.model_fields)
    plan = dict(plan_settings or {})
    _refuse_unknown("setting in the plan", plan, known)
    for key in plan:
        if key in NOT_FROM_PLANS:
            raise SettingsError(f'"{key}" does not belong in a plan file: set {PREFIX}{key.upper()} instead.')
    variables = {**dotenv_values(".env"), **os.environ}
    ours = {
        k: v for k, v in variables.items() if k.upper().startswith(PREFIX) and k.upper() not in NOT_SETTINGS
    }
    _refuse_unknown("setting", [k[len(PREFIX) :].lower() for k in ours], known)
    set_outside = {k[len(PREFIX) :].lower() for k in ours}
    lowest = {k: v for k, v in plan.items() if k not in set_outside}
    highest = {k: v for k, v in (given or {}).items() if v is not None}
    try:
        settings = _with_keys(BenchmarkSettings(**{**lowest, **highest}))
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False)
        )
        raise SettingsError(f"Settings: {problems}.") from None
    except UnreadableVariable as error:
        raise SettingsError(f"Settings: {error}. It has to be JSON.") from None
    _keep_keys(settings, lowest.keys() - highest.keys())
    return settings


def _with_keys(settings: BenchmarkSettings) -> BenchmarkSettings:
    """Keys that stand in files, read."""
    found: dict[str, SecretStr] = {}
    for key in KEYS:
        file: Path | None = getattr(settings, f"{key}_file")
        if file is None:
            continue
        variable = f"{PREFIX}{key.upper()}"
        if getattr(settings, key) is not None:
            raise SettingsError(f"{variable} and {variable}_FILE are both set: keep one of them.")
        found[key] = SecretStr(key_in_file(file, f"{variable}_FILE"))
    return settings.model_copy(update=found)


def _keep_keys(settings: BenchmarkSettings, from_plan: AbstractSet[str]) -> None:
    """No key of the user's goes to an address that only a plan, or somebody's results, state."""
    addresses = {
        "llm_base_url": (settings.llm_base_url, settings.llm_api_key),
        "judge_base_url": (settings.judge_base_url, settings.judge_api_key),
    }
    stated = [(name, url) for name, (url, key) in addresses.items() if key and name in from_plan]
    if "judge_servers" in from_plan:
        servers = settings.judge_servers.values()
        stated += [("judge_servers", server.base_url) for server in servers if server.api_key_variable]
    for name, url in stated:
        if url and _host(url) not in OWN_HOSTS:
            raise SettingsError(
                f"The plan states {name} {url}, and your key would be sent there. If you trust that address, "
                f"set {PREFIX}{name.upper()} to what the plan has."
            )


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _refuse_unknown(kind: str, keys: Mapping[str, Any] | list[str], known: set[str]) -> None:
    for key in keys:
        if key not in known:
            raise SettingsError(unknown_name(kind, key, known))
