"""Where a judge is asked, and with which key."""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import dotenv_values

from cluster.servers import ServerOptions, VllmOptions, open_server
from shared.errors import SettingsError
from shared.key_file import key_in_file
from shared.settings import EMBEDDED, BenchmarkSettings


def judge_options(settings: BenchmarkSettings, judge: str, log_dir: Path) -> ServerOptions:
    """What `open_server` needs for this judge. Raises SettingsError when its key is not set."""
    if settings.is_subject(judge):
        return subject_options(settings, log_dir)
    return ServerOptions(
        base_url=_base_url(settings, judge),
        api_key=_key(settings, judge),
        context_length=settings.context_length,
        log_dir=log_dir,
        vllm=_vllm(settings),
    )


def subject_options(settings: BenchmarkSettings, log_dir: Path) -> ServerOptions:
    """The same for the model under test."""
    key = settings.llm_api_key
    return ServerOptions(
        base_url=settings.llm_base_url,
        api_key=key.get_secret_value() if key else None,
        context_length=settings.context_length,
        log_dir=log_dir,
        vllm=_vllm(settings),
    )


def needs_no_node(settings: BenchmarkSettings, judge: str) -> bool:
    """Whether the judge has a stated address: then it is asked from here and not on the inference nodes.

    The usual address of an Ollama or vLLM is each node's own.
    """
    embedded = judge.partition(":")[0] in EMBEDDED
    return not embedded and not settings.is_subject(judge) and _base_url(settings, judge) is not None


def check_judges(settings: BenchmarkSettings) -> None:
    """Before hours of runs: raises SettingsError for a judge that lacks its address or key."""
    for judge in settings.panel:
        open_server(judge, judge_options(settings, judge, Path()))


def _vllm(settings: BenchmarkSettings) -> VllmOptions | None:
    if settings.vllm_python is None:
        return None
    return VllmOptions(
        settings.vllm_python,
        settings.vllm_tensor_parallel,
        settings.vllm_prefix_caching,
        settings.vllm_tool_call_parser,
    )


def _base_url(settings: BenchmarkSettings, judge: str) -> str | None:
    own = settings.judge_servers.get(judge)
    return own.base_url if own else settings.judge_base_url


def _key(settings: BenchmarkSettings, judge: str) -> str | None:
    own = settings.judge_servers.get(judge)
    if own is None:
        return settings.judge_api_key.get_secret_value() if settings.judge_api_key else None
    if own.api_key_variable is None:
        return None
    variable = own.api_key_variable
    said = {**dotenv_values(".env"), **os.environ}
    if key := said.get(variable):
        return key
    if file := said.get(f"{variable}_FILE"):
        return key_in_file(Path(file), f"{variable}_FILE")
    raise SettingsError(
        f"The key of {judge} is to be in {variable}, which is not set: "
        f"export it, put it into .env, or set {variable}_FILE to the file that holds it."
    )
