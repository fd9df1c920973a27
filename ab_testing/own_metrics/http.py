"""The HTTP of metrics: list them, and define one of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Body, Path, Request
from pydantic import BaseModel, Field

from ab_testing.design.metric import Metric, MetricDefinition
from ab_testing.own_metrics.own_metrics import OwnMetrics
from foundation.errors import NotFound
from foundation.web.problems import problem_responses
from foundation.web.requests import Collection, actor_of

MetricName = Annotated[str, Path(description="Name of the metric.", min_length=1, max_length=48)]
Definition = Annotated[MetricDefinition, Body(description="What it measures.")]


class MetricList(BaseModel):
    """The metrics that a plan may name."""

    metrics: list[Metric] = Field(description="Each with what it measures and which direction is better.")


def make_router(own_metrics: OwnMetrics, changed: Callable[[], object] = lambda: None) -> APIRouter:
    """Return the routes under /v1/metrics.

    Args:
        changed: Called after a change, so that this process takes the events of a new metric at once.
    """
    router = APIRouter(prefix="/v1/metrics", tags=["experiments"])

    @router.get("", responses=problem_responses(422))
    def list_metrics(collection: Collection) -> MetricList:
        """List the metrics that a plan may name as success or guardrail: the delivered ones, then your own."""
        return MetricList(metrics=list(own_metrics.all(collection).values()))

    @router.get("/{name}", responses=problem_responses(404, 422))
    def read_metric(collection: Collection, name: MetricName) -> Metric:
        """Read one metric."""
        metrics = own_metrics.all(collection)
        if name not in metrics:
            raise NotFound(f"collection {collection!r} has no metric {name!r}")
        return metrics[name]

    @router.put("/{name}", responses=problem_responses(400, 422))
    def define_metric(collection: Collection, name: MetricName, definition: Definition, request: Request) -> Metric:
        """Define a metric of your own, over base signals or custom events that you send, or change its definition.

        Plans that were made keep the definition that they have; the change is for plans to come.
        """
        metric = own_metrics.define(collection, name, definition, actor_of(request))
        changed()
        return metric

    @router.delete("/{name}", status_code=204, responses=problem_responses(404, 422))
    def remove_metric(collection: Collection, name: MetricName, request: Request) -> None:
        """Remove a metric of your own. Experiments that were made with it go on measuring it."""
        own_metrics.remove(collection, name, actor_of(request))
        changed()

    return router
