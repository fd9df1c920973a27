"""The HTTP of an experiment's report: JSON, a page, or its sums as Parquet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Header, Query, Response

from ab_testing.api import ExperimentReport, Experiments
from ab_testing.http import ExperimentId
from foundation.web.problems import problem_responses
from foundation.web.requests import Collection

Format = Literal["json", "html", "parquet"]

PARQUET = "application/vnd.apache.parquet"
_TYPES: dict[str, Format] = {"application/json": "json", "text/html": "html", PARQUET: "parquet"}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {name: {} for name, form in _TYPES.items() if form != "json"}}
}


def make_router(experiments: Experiments, show: Callable[[ExperimentReport], Response]) -> APIRouter:
    """Return the route of reports.

    Args:
        show: Makes the page.
    """
    router = APIRouter(prefix="/v1/experiments", tags=["experiments"])

    @router.get(
        "/{experiment_id}/report",
        response_model=ExperimentReport,
        responses=_ANSWERS | problem_responses(404, 422),
    )
    def report_experiment(
        collection: Collection,
        experiment_id: ExperimentId,
        form: Annotated[
            Format | None, Query(alias="format", description="json, html or parquet; as Accept says without it.")
        ] = None,
        accept: Annotated[str, Header(description="Types wanted, for requests without `format`.")] = "",
    ) -> Any:
        """Report an experiment: how it stands, its effect over the searches, and its decisions.

        HTML is one page that loads nothing and runs nothing. Parquet holds the sums of every look and decision.
        """
        chosen = form or choose(accept)
        if chosen == "parquet":
            name = f'attachment; filename="{experiment_id}.parquet"'
            table = experiments.sums(collection, experiment_id)
            return Response(table, media_type=PARQUET, headers={"Content-Disposition": name, "Vary": "Accept"})
        report = experiments.whole_report(collection, experiment_id)
        return show(report) if chosen == "html" else report

    return router


def choose(accept: str) -> Format:
    """Return the form that an `Accept` header wants most (RFC 9110 section 12.5.1), JSON where it wants none."""
    wanted: list[tuple[float, Format]] = []
    for one in accept.split(","):
        kind, _, rest = one.partition(";")
        if form := _TYPES.get(kind.strip().lower()):
            wanted.append((_quality(rest), form))
    best = max((quality for quality, _ in wanted), default=0.0)
    return next((form for quality, form in wanted if quality == best > 0), get_args(Format)[0])


def _quality(parameters: str) -> float:
    for one in parameters.split(";"):
        name, _, value = one.partition("=")
        if name.strip().lower() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
