"""Sends a trace of every request to an OpenTelemetry collector; needs the extra `otel`."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

_UNTRACED = "healthz,readyz,metrics,/v1/users/"
"""Probes, and the paths that name a person."""


def install_tracing(app: FastAPI, url: str, exporter: SpanExporter | None = None) -> Callable[[], None]:
    """Trace the requests of `app` and return what ends it, sending the last spans.

    Spans leave in batches, in the background; those that nobody takes are dropped.

    Args:
        url: OTLP endpoint over HTTP, such as "http://localhost:4318/v1/traces".
        exporter: Where spans go instead, as in tests.
    """
    provider = TracerProvider(resource=Resource.create({"service.name": "clickloop"}))
    provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter(url)))
    FastAPIInstrumentor.instrument_app(app, tracer_provider=provider, excluded_urls=_UNTRACED)
    return provider.shutdown
