"""`ollama:NAME`: a model of an Ollama that runs already, with a context window that is really the plan's."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import ollama

from cluster.servers.interface import ServerIdentity, ServerOptions, TokenCounters
from cluster.servers.probe import PROBE_TIMEOUT_S, answers, ask, checked_url, require_success
from shared.errors import ServerUnavailable, UserError

PORT = 11434
"""Ollama's usual port."""
CREATE_TIMEOUT_S = 60.0
DERIVED = "levelfield-"
"""How the names of the models that we create begin."""


class OllamaServer:
    """Ollama's OpenAI endpoint takes no context length, and its default cuts long prompts without a word.

    So start() creates a model that is NAME with num_ctx set. It shares NAME's weights, takes no room, and
    stays under its own name, to be used again.
    """

    ours = False

    def __init__(self, name: str, options: ServerOptions) -> None:
        self._name = name
        self._tagged = name if ":" in name.rpartition("/")[2] else f"{name}:latest"
        self._options = options
        self._origin = ollama_origin(options.base_url or os.environ.get("OLLAMA_HOST") or "127.0.0.1")
        self._digest: str | None = None
        self._version: str | None = None
        self._context_length: int | None = None

    @property
    def base_url(self) -> str:
        return f"{self._origin}/v1"

    @property
    def served_model(self) -> str:
        plain = re.sub(r"[^a-z0-9.]+", "-", self._tagged.lower())
        return f"{DERIVED}{plain}:ctx{self._options.context_length}"

    @property
    def api_key(self) -> str | None:
        return self._options.api_key

    def start(self) -> None:
        with self._explained():
            self._digest = self._find(self._client(PROBE_TIMEOUT_S))
            self._client(CREATE_TIMEOUT_S).create(
                model=self.served_model,
                from_=self._tagged,
                parameters={"num_ctx": self._options.context_length},
            )
        self._context_length = self._real_context_length()
        self._version = self._told_version()

    def identity(self) -> ServerIdentity:
        return ServerIdentity(
            setting=f"ollama:{self._name}",
            served_model=self.served_model,
            digest=self._digest,
            server="ollama",
            version=self._version,
            context_length=self._context_length,
            flags={"num_ctx": self._options.context_length},
        )

    def healthy(self) -> bool:
        return answers(f"{self._origin}/api/version", self.api_key)

    def counters(self) -> TokenCounters | None:
        """None: Ollama tells tokens per answer only, so its `usage` is all the count there is."""
        return None

    def pids(self) -> list[int]:
        return []

    def log_tail(self) -> str:
        return ""

    def stop(self) -> None:
        """It is not ours to stop."""

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """The client's errors as ours."""
        try:
            yield
        except ollama.ResponseError as error:
            raise ServerUnavailable(
                f"{self._origin} answered {error.status_code}: {' '.join(str(error.error).split())[:300]}. "
                "See Ollama's log; if another program listens there, set OLLAMA_HOST to where Ollama is."
            ) from None
        except (ConnectionError, httpx.HTTPError) as error:
            raise ServerUnavailable(
                f"Ollama at {self._origin} does not answer ({type(error).__name__}). "
                "Start it with `ollama serve`, or set OLLAMA_HOST to where it is."
            ) from None
        except (
            ValueError,
            TypeError,
            AttributeError,
        ):
            # what the client makes of another program's answer
            raise ServerUnavailable(
                f"What answers at {self._origin} is no Ollama: set OLLAMA_HOST to where it is."
            ) from None

    def _client(self, timeout_s: float) -> ollama.Client:
        headers = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else None
        # No redirects and no proxy: what is asked here is what the gateway will use.
        return ollama.Client(
            host=self._origin, timeout=timeout_s, headers=headers, follow_redirects=False, trust_env=False
        )

    def _find(self, client: ollama.Client) -> str | None:
        """The model's digest. Raises UserError when it is not there."""
        listed = {model.model: model.digest for model in client.list().models}
        if self._tagged not in listed:
            names = sorted(name for name in listed if name and not name.startswith(DERIVED))
            raise UserError(
                f'Ollama at {self._origin} has no model "{self._name}": `ollama pull {self._name}`. '
                f"There are: {', '.join(names) or 'none'}."
            )
        return listed[self._tagged]

    def _real_context_length(self) -> int:
        """As Ollama will have it: num_ctx, but never more than the model was trained with.

        Raises:
            ServerUnavailable: The derived model did not keep num_ctx.
        """
        url = f"{self._origin}/api/show"
        answer = ask(url, api_key=self.api_key, body={"model": self.served_model})
        require_success(answer, url)
        shown = answer.body if isinstance(answer.body, dict) else {}
        wanted = self._options.context_length
        if not re.search(rf"^num_ctx\s+{wanted}\s*$", str(shown.get("parameters")), re.MULTILINE):
            raise ServerUnavailable(
                f"Ollama at {self._origin} did not keep the context length of {wanted} tokens for "
                f"{self.served_model}: update Ollama, then try again."
            )
        details = shown.get("model_info") or {}
        trained = [
            n for name, n in details.items() if name.endswith(".context_length") and isinstance(n, int)
        ]
        return min([wanted, *trained])

    def _told_version(self) -> str | None:
        body = ask(f"{self._origin}/api/version", api_key=self.api_key).body
        return str(body["version"]) if isinstance(body, dict) and "version" in body else None


def ollama_origin(host: str) -> str:
    """OLLAMA_HOST in the forms that Ollama takes, as the start of a URL.

    As in Ollama, "host" and "host:port" are http on 11434, and a URL without a port is on its scheme's own.
    """
    host = host.strip("\"' ")
    if host.startswith(":"):
        host = f"127.0.0.1{host}"
    url = checked_url(host if "://" in host else f"http://{host}").removesuffix("/v1")
    parts = urlsplit(url)
    # A server told to listen everywhere is reached on loopback.
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(str(parts.hostname), str(parts.hostname))  # noqa: S104 - a name to look up, nothing listens
    port = parts.port or (None if "://" in host else PORT)
    place = f"[{name}]" if ":" in name else name
    return f"{parts.scheme}://{place}{f':{port}' if port else ''}{parts.path}"
