"""Where traces are sent: OTLP over HTTP, as protobuf, set up by OpenTelemetry's standard variables."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

TRACES_PATH = "/v1/traces"


def traces_url(base_url: str) -> str:
    """Of an OTLP endpoint, given as OTEL_EXPORTER_OTLP_ENDPOINT is."""
    base_url = base_url.rstrip("/")
    return base_url if base_url.endswith(TRACES_PATH) else base_url + TRACES_PATH


def url_from(variables: Mapping[str, str]) -> str | None:
    """Where the environment says that traces go; None where it says nothing, or that they go nowhere."""
    off = variables.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if off or variables.get("OTEL_TRACES_EXPORTER", "").strip() == "none":
        return None
    base_url = variables.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    return variables.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or (traces_url(base_url) if base_url else None)


class Endpoint:
    """One that takes spans, or says why not. Headers, time-out and compression: OTEL_EXPORTER_OTLP_*."""

    def __init__(self, url: str) -> None:
        # Its own complaints go to whoever set up logging, not to the terminal: they may quote the headers.
        logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
        session = requests.Session()
        session.hooks["response"].append(self._note)
        self.shown = _without_secrets(url)
        self._status: int | None = None
        self._exporter = OTLPSpanExporter(url, session=session)

    def send(self, spans: Sequence[ReadableSpan]) -> str | None:
        """Why they were not taken, after the exporter's own attempts; None when they were."""
        self._status = None
        if self._exporter.export(spans) is SpanExportResult.SUCCESS:
            return None
        return f"HTTP {self._status}" if self._status else "no answer"

    def close(self) -> None:
        """Also ends the waiting of a `send` in another thread for its next attempt."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _note(self, response: requests.Response, *_: Any, **__: Any) -> None:
        self._status = response.status_code


def _without_secrets(url: str) -> str:
    """No user, password or query."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
