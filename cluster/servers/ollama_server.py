"""`ollama:NAME`: a model of an Ollama, attached to or started, whose context window is really the plan's."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import ollama

from cluster.servers.interface import ServerIdentity, ServerOptions, TokenCounters
from cluster.servers.own_program import OwnProgram, free_port
from cluster.servers.probe import PROBE_TIMEOUT_S, answers, ask, checked_url, require_success
from shared.errors import ServerUnavailable, UserError

PORT = 11434
"""Ollama's usual port."""
CREATE_TIMEOUT_S = 60.0
SERVE_TIMEOUT_S = 60.0
"""For `ollama serve`, which looks for GPUs before it answers."""
PULL_SILENCE_S = 120.0
"""Without a word of a pull that is under way."""
LOAD_TIMEOUT_S = 600.0
"""For tens of gigabytes from a slow disk."""
KEEP_ALIVE = -1
"""Loaded until we say otherwise: by default a model goes after five minutes, and the next run would wait."""
DERIVED = "levelfield-"
"""How the names of the models that we create begin."""


class OllamaServer:
    """Ollama's OpenAI endpoint takes no context length, and its default cuts long prompts without a word.

    So start() creates a model that is NAME with num_ctx set. It shares NAME's weights, takes no room, and
    stays under its own name, to be used again. The endpoint takes no keep_alive either, and leaves alone what
    the request that loaded the model said.

    One that answers where it is stated to be, or at the usual place, is attached to. Where no place is stated
    and nothing answers, `ollama serve` is started on a port of its own and stopped at the end.
    """

    def __init__(self, name: str, options: ServerOptions) -> None:
        self._name = name
        self._tagged = name if ":" in name.rpartition("/")[2] else f"{name}:latest"
        self._options = options
        self._stated = options.base_url or os.environ.get("OLLAMA_HOST")
        self._origin = ollama_origin(self._stated or "127.0.0.1")
        self._program: OwnProgram | None = None
        self.ours = False
        self._digest: str | None = None
        self._version: str | None = None
        self._context_length: int | None = None
        self._caveat: str | None = None
        self._loaded = False

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
        self.stop()
        self._origin = ollama_origin(self._stated or "127.0.0.1")
        try:
            if not self._stated and not answers(f"{self._origin}/api/version"):
                self._serve()
            self._derive()
            self._context_length = self._real_context_length()
            self._version = self._told_version()
            with self._explained():
                self._load()
        except BaseException:
            self.stop()
            raise

    def identity(self) -> ServerIdentity:
        return ServerIdentity(
            setting=f"ollama:{self._name}",
            served_model=self.served_model,
            digest=self._digest,
            server="ollama",
            version=self._version,
            context_length=self._context_length,
            flags={"num_ctx": self._options.context_length, "keep_alive": KEEP_ALIVE},
            caveat=self._caveat,
        )

    def healthy(self) -> bool:
        runs = self._program is None or self._program.alive
        return runs and answers(f"{self._origin}/api/version", self.api_key)

    def counters(self) -> TokenCounters | None:
        """None: Ollama tells tokens per answer only, so its `usage` is all the count there is."""
        return None

    def pids(self) -> list[int]:
        return self._program.pids() if self._program else []

    def log_tail(self) -> str:
        return self._program.log_tail() if self._program else ""

    def stop(self) -> None:
        """End one of ours; of another's, give the memory back that our model takes."""
        program, self._program = self._program, None
        loaded, self._loaded, self.ours = self._loaded, False, False
        if program:
            program.stop()
        elif loaded:
            with contextlib.suppress(ollama.ResponseError, ConnectionError, httpx.HTTPError, ValueError):
                self._client(PROBE_TIMEOUT_S).generate(model=self.served_model, keep_alive=0)

    def _serve(self) -> None:
        """Raises ServerUnavailable when there is no Ollama on this machine."""
        executable = shutil.which("ollama")
        if executable is None:
            raise ServerUnavailable(
                f"No Ollama answers at {self._origin}, and there is no `ollama` here to start. "
                "Install it (https://ollama.com/download), or set OLLAMA_HOST to where one runs."
            )
        place = f"127.0.0.1:{free_port()}"
        self._origin = f"http://{place}"
        environment = {
            "OLLAMA_HOST": place,
            "OLLAMA_CONTEXT_LENGTH": str(self._options.context_length),
            "OLLAMA_KEEP_ALIVE": str(KEEP_ALIVE),
            # Requests that share the model change each other's times, and the texts.
            "OLLAMA_NUM_PARALLEL": "1",
        }
        program = OwnProgram("Ollama", self._options.log_dir / "ollama.log", environment)
        self._program, self.ours = program, True
        self._options.on_progress("starting Ollama")
        program.start(
            [executable, "serve"],
            lambda: answers(f"{self._origin}/api/version"),
            SERVE_TIMEOUT_S,
            self._options.on_progress,
        )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """The client's errors as ours."""
        try:
            yield
        except ollama.ResponseError as error:
            raise ServerUnavailable(
                f"{self._origin} answered {error.status_code}: {_one_line(error)}. "
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

    def _derive(self) -> None:
        with self._explained():
            self._digest = self._found_or_pulled()
            self._client(CREATE_TIMEOUT_S).create(
                model=self.served_model,
                from_=self._tagged,
                parameters={"num_ctx": self._options.context_length},
            )

    def _found_or_pulled(self) -> str | None:
        """The model's digest. Raises UserError when it is not there and cannot be fetched."""
        client = self._client(PROBE_TIMEOUT_S)
        listed = _listed(client)
        if self._tagged not in listed:
            self._pull([name for name in listed if not name.startswith(DERIVED)])
            listed = _listed(client)
        return listed.get(self._tagged)

    def _pull(self, there: list[str]) -> None:
        try:
            for said in self._client(PULL_SILENCE_S).pull(self._tagged, stream=True):
                done = f": {said.completed / said.total:.0%}" if said.completed and said.total else ""
                self._options.on_progress(f"{said.status}{done}")
        except ollama.ResponseError as error:
            raise UserError(
                f'Ollama at {self._origin} has no model "{self._name}" and cannot fetch it '
                f"({_one_line(error)}). Check the name, or `ollama pull {self._name}` where Ollama runs. "
                f"There are: {', '.join(sorted(there)) or 'none'}."
            ) from None

    def _load(self) -> None:
        """Have the model in memory for good, and see where it is."""
        self._options.on_progress("loading the model")
        self._client(LOAD_TIMEOUT_S).generate(model=self.served_model, keep_alive=KEEP_ALIVE)
        self._loaded = True
        running = {str(model.model): model for model in self._client(PROBE_TIMEOUT_S).ps().models}
        found = running.get(self.served_model)
        if found is None:
            raise ServerUnavailable(
                f"Ollama at {self._origin} was asked to load {self.served_model} and does not run it "
                f"(it runs: {', '.join(sorted(running)) or 'nothing'}). See its log."
            )
        self._context_length = found.context_length or self._context_length
        self._caveat = memory_caveat(found.size, found.size_vram)

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


def memory_caveat(size: int | None, size_vram: int | None) -> str | None:
    """Unless all of a running model is on the GPU, by the bytes that `ollama ps` gives."""
    if not size or size_vram is None:
        return "Ollama does not say whether the model is on a GPU: its times may be a processor's."
    if size_vram >= size:
        return None
    if not size_vram:
        return "Ollama had no part of the model on a GPU: times are the processor's."
    return (
        f"Ollama had only {size_vram / size:.0%} of the model on the GPU and the rest on the processor: "
        "times are not a GPU's. A shorter context or a smaller model may fit."
    )


def _one_line(error: ollama.ResponseError) -> str:
    return " ".join(str(error.error).split())[:300]


def _listed(client: ollama.Client) -> dict[str, str | None]:
    """Name -> digest."""
    return {model.model: model.digest for model in client.list().models if model.model}


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
