"""With a collector set, every request leaves a trace."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from foundation.telemetry.tracing import install_tracing


def test_requests_are_traced_and_probes_are_not() -> None:
    app, spans = FastAPI(), InMemorySpanExporter()
    app.get("/v1/things/{name}")(lambda name: {"name": name})
    app.get("/healthz")(lambda: "alive")
    end = install_tracing(app, "http://127.0.0.1:9/v1/traces", spans)
    client = TestClient(app)

    client.get("/v1/things/one")
    client.get("/healthz")
    end()

    found = [span for span in spans.get_finished_spans() if span.parent is None]
    assert [span.name for span in found] == ["GET /v1/things/{name}"]
    assert found[0].resource.attributes["service.name"] == "clickloop"
