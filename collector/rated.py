"""What users did with lists that they also rated, read to calibrate what the others did."""

from __future__ import annotations

import sqlalchemy as sa

from collector.calibration import calibrate
from collector.fold import Outcome
from collector.labels import Signals
from foundation.tables import impressions

MOST_LISTS = 20_000
"""Rated lists that count, the latest ones."""


def read_signals(connection: sa.Connection, collection: str) -> Signals:
    """Return what satisfied and dissatisfied users tell of a document, by the rated lists of a collection.

    The usual signals without any; see `collector.calibration.calibrate`. Reads every list of the collection
    once, a second or so for a million.
    """
    rated = impressions.c.outcome["ratings"].as_string() != "{}"
    statement = (
        sa.select(impressions.c.outcome)
        .where(impressions.c.collection == collection, rated)
        .order_by(impressions.c.at.desc())
        .limit(MOST_LISTS)
    )
    return calibrate(Outcome.from_json(outcome) for outcome in connection.execute(statement).scalars())
