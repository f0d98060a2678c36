"""`ollama:NAME`: a model of an Ollama that runs already, with a context window that is really the plan's."""

from __future__ import annotations

import os
import re

import httpx
import ollama

from cluster.servers.interface import ServerIdentity, ServerOptions
from cluster.servers.probe import PROBE_TIMEOUT_S, answers, ask, checked_url
from shared.errors import ServerUnavailable, UserError

PORT = 11434
"""Ollama's usual port."""
CREATE_TIMEOUT_S = 60.0


class OllamaServer:
    """Ollama's OpenAI endpoint takes no context length, and its default cuts long prompts without a word.

    So start() creates a model that is NAME with num_ctx set. It shares NAME's weights, takes no room, and
    stays under its own name, to be used again.
    """

    def __init__(self, name: str, options: ServerOptions) -> None:
        self._name = name if ":" in name.rpartition("/")[2] else f"{name}:latest"
        self._options = options
        self._origin = ollama_origin(options.base_url or os.environ.get("OLLAMA_HOST") or "127.0.0.1")
        self._digest: str | None = None
        self._version: str | None = None

    @property
    def base_url(self) -> str:
        return f"{self._origin}/v1"

    @property
    def served_model(self) -> str:
        plain = re.sub(r"[^a-z0-9.]+", "-", self._name.lower())
        return f"levelfield-{plain}:ctx{self._options.context_length}"

    @property
    def api_key(self) -> str | None:
        return self._options.api_key

    def start(self) -> None:
        try:
            self._digest = self._find(self._client(PROBE_TIMEOUT_S))
            self._client(CREATE_TIMEOUT_S).create(
                model=self.served_model,
                from_=self._name,
                parameters={"num_ctx": self._options.context_length},
            )
        except ollama.ResponseError as error:
            raise ServerUnavailable(
                f"Ollama at {self._origin} answered {error.status_code}: {str(error.error)[:300]}."
            ) from None
        except (ConnectionError, httpx.HTTPError) as error:
            raise ServerUnavailable(
                f"Ollama at {self._origin} does not answer ({type(error).__name__}). "
                "Start it with `ollama serve`, or set OLLAMA_HOST to where it is."
            ) from None
        except ValueError:  # what the client cannot parse, pydantic's errors included
            raise ServerUnavailable(f"What answers at {self._origin} is no Ollama.") from None
        self._version = self._told_version()

    def identity(self) -> ServerIdentity:
        return ServerIdentity(
            setting=f"ollama:{self._name}",
            served_model=self.served_model,
            digest=self._digest,
            server="ollama",
            version=self._version,
            context_length=self._options.context_length,
            flags={"num_ctx": self._options.context_length},
        )

    def healthy(self) -> bool:
        return answers(f"{self._origin}/api/version")

    def log_tail(self) -> str:
        return ""

    def stop(self) -> None:
        """It is not ours to stop."""

    def _client(self, timeout_s: float) -> ollama.Client:
        return ollama.Client(host=self._origin, timeout=timeout_s)

    def _find(self, client: ollama.Client) -> str | None:
        """The model's digest. Raises UserError when it is not there."""
        listed = {model.model: model.digest for model in client.list().models}
        if self._name not in listed:
            there = ", ".join(sorted(filter(None, listed))) or "none"
            raise UserError(
                f'Ollama at {self._origin} has no model "{self._name}": `ollama pull {self._name}`. '
                f"There are: {there}."
            )
        return listed[self._name]

    def _told_version(self) -> str | None:
        body = ask(f"{self._origin}/api/version").body
        return str(body["version"]) if isinstance(body, dict) and "version" in body else None


def ollama_origin(host: str) -> str:
    """OLLAMA_HOST in the forms that Ollama takes ("host", "host:port", a URL), as the start of a URL."""
    url = checked_url(host if "://" in host else f"http://{host}").removesuffix("/v1")
    scheme, _, place = url.partition("://")
    # A server told to listen everywhere is reached on loopback.
    place = re.sub(r"^0\.0\.0\.0", "127.0.0.1", place)
    return (
        url if "://" in host and ":" in place else f"{scheme}://{place}{'' if ':' in place else f':{PORT}'}"
    )
