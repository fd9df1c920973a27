"""Sends a trace of every request to an OpenTelemetry collector; the extra `otel`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import FastAPI

from foundation.errors import NotReady

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

_UNTRACED = "healthz,readyz,metrics"


def install_tracing(app: FastAPI, url: str, exporter: SpanExporter | None = None) -> Callable[[], None]:
    """Trace the requests of `app` and return what ends it, sending the last spans.

    Spans leave in batches, in the background; those that nobody takes are dropped.

    Args:
        url: OTLP endpoint over HTTP, such as "http://localhost:4318/v1/traces".
        exporter: Where spans go instead, as in tests.

    Raises:
        NotReady: OpenTelemetry is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  an extra
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor  # noqa: PLC0415  as above
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415  as above
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415  as above
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415  as above
    except ImportError as missing:
        raise NotReady(
            "CLICKLOOP_OTLP_URL is set and OpenTelemetry is missing: pip install 'clickloop[otel]'"
        ) from missing
    provider = TracerProvider(resource=Resource.create({"service.name": "clickloop"}))
    provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter(url)))
    FastAPIInstrumentor.instrument_app(app, tracer_provider=provider, excluded_urls=_UNTRACED)
    return provider.shutdown
