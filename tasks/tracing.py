"""Traces (OpenTelemetry): spans from the request through the queue into handler and model call.

Off, which it is without `OTEL_EXPORTER_OTLP_ENDPOINT`, each call costs a look at a variable, and the package need not
be there. What is passed on, stored with a task and sent to servers is a `traceparent` (W3C Trace Context, level 1).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from tasks import log_fields

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

Kind = Literal["internal", "server", "client", "producer", "consumer"]

# A node that stops, and a collector that is away: this long for each batch that is left.
EXPORT_SECONDS = 2.0
SAMPLED = 0x01

_service: str | None = None
_tracer: Tracer | None = None
# Sends what this process still has, once.
_end: Finalize | None = None


def start(endpoint: str, service: str, *, load: bool) -> None:
    """Switch tracing on for this process and those that it forks, or off where `endpoint` is empty.

    Args:
        endpoint: the base URL of a collector that takes OTLP over HTTP, as OpenTelemetry's packages read it themselves.
        load: import the packages now, which takes a third of a second, and not with the first span.

    Raises:
        ImproperlyConfigured: it is no URL, or the packages are not installed.
    """
    global _service
    stop()
    if not endpoint:
        return
    if urlsplit(endpoint).scheme not in {"http", "https"}:
        raise ImproperlyConfigured(f"OTEL_EXPORTER_OTLP_ENDPOINT must be as http://127.0.0.1:4318, not {endpoint!r}.")
    try:
        import opentelemetry

        if load:
            import opentelemetry.exporter.otlp.proto.http.trace_exporter
            import opentelemetry.sdk.trace.export  # noqa: F401
    except ImportError as error:
        raise ImproperlyConfigured(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed: "
            "pip install --require-hashes -r requirements/telemetry.txt, or build the image with EXTRAS=telemetry."
        ) from error
    _service = service


def stop() -> None:
    """Send what there is, and switch tracing off. For processes that end in other ways than Python's own."""
    global _service, _tracer
    if _end is not None:
        _end()
    _service, _tracer = None, None


def span(
    name: str, *, kind: Kind = "internal", parent: str | None = None, **attributes: str | int
) -> AbstractContextManager[None]:
    """Return a context manager: what is done within is a span of this name, and log lines have its `trace_id`.

    Args:
        parent: a `traceparent`; None is the span around this one, or nothing.
        attributes: with `_` where their names have a dot, and `__` for a `_`.
    """
    return nullcontext() if _service is None else _span(name, kind, parent, attributes)


def traceparent() -> str | None:
    """Return the current span for whoever goes on with it; None where there is none."""
    return None if _service is None else headers().get("traceparent")


def headers() -> Mapping[str, str]:
    """Return the headers that tell a server which span calls it."""
    if _service is None:
        return {}
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return {"traceparent": carrier["traceparent"]} if carrier else {}


def origin(name: str) -> str | None:
    """Return what a task's attempts go on with: the current span, or a new one of this name for where there is none."""
    if _service is None:
        return None
    if current := traceparent():
        return current
    with span(name, kind="producer"):
        return traceparent()


def trace_id_of(parent: str | None) -> str | None:
    """Return the id of a `traceparent`'s trace, if that was recorded; None for anything else."""
    if not parent:
        return None
    _version, trace_id, _span_id, flags = parent.split("-")
    return trace_id if int(flags, 16) & SAMPLED else None


def name(name: str, **attributes: str | int) -> None:
    """Rename the current span, and say more of it: as for `span`."""
    if _service is not None:
        from opentelemetry.trace import get_current_span

        get_current_span().update_name(name)
        get_current_span().set_attributes(_dotted(attributes))


def fail(error: str) -> None:
    """Mark the current span as failed, with a word for why: never what was given to a task."""
    if _service is not None:
        from opentelemetry.trace import Status, StatusCode, get_current_span

        get_current_span().set_status(Status(StatusCode.ERROR, error))


def _dotted(attributes: Mapping[str, str | int]) -> dict[str, str | int]:
    return {key.replace("__", "\0").replace("_", ".").replace("\0", "_"): value for key, value in attributes.items()}


@contextmanager
def _span(name: str, kind: Kind, parent: str | None, attributes: Mapping[str, str | int]) -> Iterator[None]:
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    around = TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent else None
    with (
        # Errors are marked by `fail`: their texts may hold what was given to tasks.
        _of_process().start_as_current_span(
            name,
            around,
            SpanKind[kind.upper()],
            _dotted(attributes),
            record_exception=False,
            set_status_on_exception=False,
        ) as span,
        log_fields.bound(trace_id=f"{span.get_span_context().trace_id:032x}"),
    ):
        yield


def _of_process() -> Tracer:
    """Return the tracer of this process, which has a connection and a thread of its own."""
    global _tracer, _end
    if _tracer is None:
        provider = _new_provider()
        # Also at the end of workers, which `atexit` does not see.
        _end = Finalize(None, provider.shutdown, exitpriority=10)
        _tracer = provider.get_tracer("portal")
    return _tracer


def _new_provider() -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    assert _service is not None
    provider = TracerProvider(resource=Resource.create({"service.name": _service}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=EXPORT_SECONDS)))
    return provider


def _forget() -> None:
    """What the parent of a fork has not sent yet, the parent sends."""
    global _tracer, _end
    _tracer, _end = None, None


os.register_at_fork(after_in_child=_forget)
