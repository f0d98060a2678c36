"""A trace as a line of OTLP in JSON, which the OpenTelemetry collector's otlpjsonfile receiver reads.

Protobuf's own JSON, but for what OTLP asks otherwise: ids in hex, not in base64, and enums as numbers.
Source: opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan

IDS = ("traceId", "spanId", "parentSpanId")


def otlp_line(spans: Sequence[ReadableSpan]) -> str:
    """One ExportTraceServiceRequest, with its closing newline."""
    request = MessageToDict(encode_spans(spans), use_integers_for_enums=True)
    for holder in _id_holders(request):
        for name in IDS:
            if name in holder:
                holder[name] = base64.b64decode(holder[name]).hex()
    return json.dumps(request, ensure_ascii=False, separators=(",", ":")) + "\n"


def _id_holders(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Spans and their links."""
    for resource in request.get("resourceSpans", []):
        for scope in resource.get("scopeSpans", []):
            for span in scope.get("spans", []):
                yield span
                yield from span.get("links", [])
