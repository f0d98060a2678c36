"""Servers that somebody else runs: a vLLM, any OpenAI-compatible service as `openai:NAME`, Anthropic's."""

from __future__ import annotations

from typing import Any

from cluster.servers.interface import ServerIdentity, ServerOptions, TokenCounters
from cluster.servers.metrics import vllm_counters
from cluster.servers.probe import answers, ask, checked_url, require_success
from shared.errors import ServerUnavailable, SettingsError
from shared.suggest import unknown_name

ANTHROPIC_BASE_URL = "https://api.anthropic.com/v1"
"""Anthropic's layer that speaks OpenAI's chat API: https://docs.claude.com/en/api/openai-sdk."""
CAVEATS = {
    "anthropic": (
        "Anthropic's OpenAI-compatible layer answered: it ignores seeds and the schema of a JSON answer, and "
        "moves system messages to the beginning of a conversation."
    )
}
"""What a reader must know of a kind of service."""
COMPLETION_TIMEOUT_S = 30.0
"""For one token: a service may have to wake the model up first."""


class AttachedServer:
    """Seen to be there by start(), left alone by stop()."""

    ours = False

    def __init__(self, kind: str, name: str, base_url: str, options: ServerOptions) -> None:
        self._kind = kind
        self._name = name
        self._base_url = base_url
        self._options = options
        self._card: dict[str, Any] = {}
        self._version: str | None = None

    @property
    def base_url(self) -> str:
        return self._base_url

    @property
    def served_model(self) -> str:
        return self._name

    @property
    def api_key(self) -> str | None:
        return self._options.api_key

    def start(self) -> None:
        if self._kind == "anthropic":
            self.warm_up()  # its list of models wants the key in another header
            return
        cards = self._listed_models()
        if self._name in cards:
            self._card = cards[self._name]
        elif self._kind == "vllm":
            raise SettingsError(
                f"{unknown_name('model at ' + self._base_url, self._name, cards)} vLLM serves what it was "
                f"started with: `vllm serve {self._name}`."
            )
        else:
            self.warm_up()  # services list late, in part, or not at all
        self._version = self._told_version() if self._kind == "vllm" else None

    def identity(self) -> ServerIdentity:
        length = self._card.get("max_model_len")  # vLLM's own addition to the model list
        return ServerIdentity(
            setting=f"{self._kind}:{self._name}",
            served_model=self._name,
            digest=None,
            server=self._kind,
            version=self._version,
            context_length=length if isinstance(length, int) else None,
            flags={},
            caveat=CAVEATS.get(self._kind),
        )

    def warm_up(self) -> None:
        """Have it answer with one token, which also shows that it serves the model. Raises like `start`."""
        url = f"{self._base_url}/chat/completions"
        body = {
            "model": self._name,
            "messages": [{"role": "user", "content": "Hi"}],
            "max_tokens": 1,
        }
        answer = ask(url, api_key=self.api_key, body=body, timeout_s=COMPLETION_TIMEOUT_S)
        if answer.status in (400, 404, 422):
            raise SettingsError(
                f'The service at {self._base_url} does not serve "{self._name}" ({answer.status}). '
                "Check the model's name and the base URL."
            )
        require_success(answer, url)
        if not isinstance(answer.body, dict) or "choices" not in answer.body:
            raise ServerUnavailable(f"{url} does not answer as OpenAI's API does. Check the base URL.")

    def healthy(self) -> bool:
        return answers(f"{self._base_url}/models", self.api_key)

    def counters(self) -> TokenCounters | None:
        """Of a vLLM its own; of another service no more is known than its API."""
        return vllm_counters(self._origin, self.api_key) if self._kind == "vllm" else None

    def pids(self) -> list[int]:
        return []

    def log_tail(self) -> str:
        return ""

    def stop(self) -> None:
        """It is not ours to stop."""

    @property
    def _origin(self) -> str:
        return self._base_url.removesuffix("/v1")

    def _listed_models(self) -> dict[str, dict[str, Any]]:
        url = f"{self._base_url}/models"
        try:
            answer = ask(url, api_key=self.api_key)
        except ServerUnavailable as error:
            if self._kind == "vllm":
                raise ServerUnavailable(
                    f"{error} Start it with `vllm serve {self._name}`, or set LEVELFIELD_VLLM_PYTHON to the "
                    "interpreter of an environment with vLLM, and Levelfield starts it."
                ) from None
            raise
        if answer.status == 404 and self._kind == "openai":
            return {}
        require_success(answer, url)
        listed = answer.body.get("data") if isinstance(answer.body, dict) else None
        if not isinstance(listed, list):
            raise ServerUnavailable(f"{url} does not list models as OpenAI's API does. Check the base URL.")
        return {str(card["id"]): card for card in listed if isinstance(card, dict) and "id" in card}

    def _told_version(self) -> str | None:
        try:
            answer = ask(f"{self._origin}/version")
        except ServerUnavailable:
            return None
        return (
            str(answer.body["version"])
            if isinstance(answer.body, dict) and "version" in answer.body
            else None
        )


def openai_server(name: str, options: ServerOptions) -> AttachedServer:
    if not options.base_url:
        raise SettingsError(
            f'"openai:{name}" needs the address of the service: set LEVELFIELD_LLM_BASE_URL '
            "(for the judge LEVELFIELD_JUDGE_BASE_URL), e.g. http://127.0.0.1:8080/v1."
        )
    return AttachedServer("openai", name, checked_url(options.base_url), options)


def anthropic_server(name: str, options: ServerOptions) -> AttachedServer:
    if not options.api_key:
        raise SettingsError(
            f'"anthropic:{name}" needs a key: set LEVELFIELD_LLM_API_KEY (for the judge '
            "LEVELFIELD_JUDGE_API_KEY), or the same with _FILE to the file that holds it."
        )
    url = checked_url(options.base_url or ANTHROPIC_BASE_URL)
    return AttachedServer("anthropic", name, url, options)
