"""Metrics that apps define: made, changed and removed; a plan freezes them as they stand when it is made."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from ab_testing.design.metric import Metric, MetricDefinition
from ab_testing.metrics.metrics import METRICS
from ab_testing.own_metrics import store
from ab_testing.own_metrics.definitions import check_definitions
from foundation.access.actors import LOCAL
from foundation.clock import Clock
from foundation.database.engine import reading, transaction
from foundation.errors import NotFound


class OwnMetrics:
    """The metrics of a collection's own. Every method is one short transaction; experiments that were made stay."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def define(self, collection: str, name: str, definition: MetricDefinition, actor: str = LOCAL) -> Metric:
        """Make a metric, or change it for plans to come. The same definition again changes nothing.

        Raises:
            InvalidRequest: The definition is wrong, or one too many.
        """
        with transaction(self._engine) as connection:
            known = store.read(connection, collection)
            check_definitions({name: definition})  # first, for what is wrong with this one alone
            check_definitions(known | {name: definition})
            if known.get(name) != definition:
                store.append(connection, collection, name, definition, at=self._clock.now(), actor=actor)
        return definition.to_metric(name)

    def remove(self, collection: str, name: str, actor: str = LOCAL) -> None:
        """Remove a metric; its custom events are taken as long as an experiment that counts them runs.

        Raises:
            NotFound: The collection has no such metric of its own.
        """
        with transaction(self._engine) as connection:
            if name not in store.read(connection, collection):
                raise NotFound(f"collection {collection!r} has defined no metric {name!r:.100}")
            store.append(connection, collection, name, None, at=self._clock.now(), actor=actor)

    def all(self, collection: str) -> Mapping[str, Metric]:
        """Return the metrics that a plan may name: the delivered ones, then the collection's own."""
        with reading(self._engine) as connection:
            own = store.read(connection, collection)
        return METRICS | {name: definition.to_metric(name) for name, definition in own.items()}
