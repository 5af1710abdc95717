"""A collector on the loopback interface: takes OTLP over HTTP, decoded by OpenTelemetry's own classes."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.serving import serving

SERVICE = "service.name"


@dataclass(frozen=True)
class SpanSeen:
    """Ids in hex; `parent` is empty for the first of a trace."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, str | int]
    failed: str


class Collector(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.spans: list[SpanSeen] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def named(self, name: str) -> SpanSeen:
        """Return the only span of a name."""
        [found] = [span for span in self.spans if span.name == name]
        return found


class Handler(BaseHTTPRequestHandler):
    server: Collector
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        assert self.path == "/v1/traces"
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.spans += read_spans(body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def read_spans(body: bytes) -> list[SpanSeen]:
    request = ExportTraceServiceRequest.FromString(body)
    return [
        SpanSeen(
            service=next(pair.value.string_value for pair in resource.resource.attributes if pair.key == SERVICE),
            name=span.name,
            trace=span.trace_id.hex(),
            id=span.span_id.hex(),
            parent=span.parent_span_id.hex(),
            attributes={pair.key: pair.value.string_value or pair.value.int_value for pair in span.attributes},
            failed=span.status.message if span.status.code == 2 else "",
        )
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def running_collector() -> AbstractContextManager[Collector]:
    return serving(Collector())
