"""Plans experiments on the traffic of a collection."""

from __future__ import annotations

import sqlalchemy as sa

from ab_testing.own_metrics.own_metrics import OwnMetrics
from ab_testing.planning.forecast import ExperimentForecast, PlanningRequest, forecast
from ab_testing.planning.history import Baselines, assume, baselines_of
from collector.api import read_recent
from foundation.clock import Clock
from foundation.database.engine import reading
from foundation.errors import FieldFault, InvalidRequest


class Planner:
    """Says how many searches and days find which effect. Changes nothing."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._own_metrics = OwnMetrics(engine, clock)

    def forecast(self, collection: str, request: PlanningRequest) -> ExperimentForecast:
        """Return what experiments can find; reads up to 50,000 searches of the last four weeks, a few seconds.

        Raises:
            InvalidRequest: Nobody searched lately and the request brings no baseline.
        """
        if request.baseline is not None:
            return forecast(request, assume(request.baseline))
        known = self.read(collection, by_query=request.unit == "query")
        if not known.metrics:
            reason = (
                f"collection {collection!r} has too few searches by known users in the last four weeks to plan from: "
                "give searches_a_day and present values, such as a click_rate"
            )
            raise InvalidRequest(f"baseline: {reason}", (FieldFault("baseline", reason),))
        return forecast(request, known)

    def read(self, collection: str, *, by_query: bool = False) -> Baselines:
        """Return what the searches of the last four weeks say; without a metric where they are too few.

        Sessions and conversations are counted as the users who have them, which makes experiments rather too long.
        """
        with reading(self._engine) as connection:
            windows = read_recent(connection, collection, self._clock.now(), "query" if by_query else "user")
        return baselines_of(windows, self._own_metrics.all(collection))
