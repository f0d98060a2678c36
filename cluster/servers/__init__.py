"""Model servers by their setting: `open_server("llamacpp:smollm2-135m", options)`."""

from __future__ import annotations

from collections.abc import Callable

from cluster.servers.attached import anthropic_server, openai_server
from cluster.servers.interface import (
    ModelServer,
    ServerIdentity,
    ServerOptions,
    TokenCounters,
    VllmOptions,
    growth,
)
from cluster.servers.llamacpp import LlamaCppServer
from cluster.servers.model_weights import check_name
from cluster.servers.ollama_server import OllamaServer
from cluster.servers.probe import checked_key
from cluster.servers.replay import ReplayServer
from cluster.servers.scripted import ScriptedServer
from cluster.servers.vllm_server import vllm_server
from shared.errors import SettingsError
from shared.settings import REPLAY
from shared.suggest import unknown_name

__all__ = [
    "ModelServer",
    "ServerIdentity",
    "ServerOptions",
    "TokenCounters",
    "VllmOptions",
    "check_setting",
    "growth",
    "open_server",
]


def check_setting(setting: str) -> tuple[str, str]:
    """Prefix and name. Raises SettingsError for a prefix, an embedded model or a script that nobody knows."""
    prefix, _, name = setting.partition(":")
    if prefix not in _OPENERS:
        raise SettingsError(unknown_name("model prefix", prefix, _OPENERS))
    if not name.strip():
        what = ("recording", "FOLDER") if prefix == REPLAY else ("model", "NAME")
        raise SettingsError(f'"{setting}" names no {what[0]}: write {prefix}:{what[1]}.')
    if prefix == "llamacpp":
        check_name(name.strip())
    if prefix == "scripted" and name.strip() != "instant":
        raise SettingsError(unknown_name("scripted server", name.strip(), ["instant"]))
    return prefix, name.strip()


def open_server(setting: str, options: ServerOptions) -> ModelServer:
    """The server of a model setting, not started. Raises SettingsError like `check_setting`."""
    prefix, name = check_setting(setting)
    checked_key(options.api_key)
    return _OPENERS[prefix](name, options)


def _llamacpp(name: str, options: ServerOptions) -> ModelServer:
    return LlamaCppServer(name, options)


def _scripted(_: str, options: ServerOptions) -> ModelServer:
    return ScriptedServer(options)


_OPENERS: dict[str, Callable[[str, ServerOptions], ModelServer]] = {
    "anthropic": anthropic_server,
    "llamacpp": _llamacpp,
    "ollama": OllamaServer,
    "openai": openai_server,
    REPLAY: ReplayServer,
    "scripted": _scripted,
    "vllm": vllm_server,
}
