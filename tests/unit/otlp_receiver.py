"""A receiver of traces on loopback: OTLP over HTTP as protobuf, read with OpenTelemetry's own classes."""

from __future__ import annotations

from email.message import Message
from http.server import BaseHTTPRequestHandler

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.unit.loopback_server import LoopbackServer


class OtlpReceiver(LoopbackServer):
    """Answers every POST with `status`; `hangs` keeps it from answering."""

    def __init__(self, status: int = 200, *, hangs: bool = False) -> None:
        super().__init__()
        self.status = status
        self.requests: list[ExportTraceServiceRequest] = []
        self.headers: list[Message] = []
        self.paths: list[str] = []
        self._hangs = hangs

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        if self._hangs:
            self.hang()
            return
        self.paths.append(request.path)
        self.headers.append(request.headers)
        self.requests.append(ExportTraceServiceRequest.FromString(body))
        request.send_response(self.status)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def span_names(self) -> list[str]:
        return [
            span.name
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
