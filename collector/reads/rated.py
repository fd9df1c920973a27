"""What users did with lists that they also rated, read to calibrate what the others did."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

import sqlalchemy as sa

from collector.click_models.calibration import calibrate
from collector.click_models.labels import Signals
from collector.fold.outcomes import Outcome
from collector.fold.votes import Vote
from collector.reads.people import first_of_each, is_held, person, within_cap
from collector.tables import impressions

MAX_LISTS = 20_000
"""Rated lists that count, the latest ones."""

MAX_LISTS_PER_PERSON = 5
"""Rated lists of one person that count, the latest ones, so that nobody's taste speaks for all."""

_STREAM_ROWS = 1000


def read_signals(connection: sa.Connection, collection: str, lists_per_user: int) -> Signals:
    """Return what satisfied and dissatisfied users say of a document, by the rated lists of a collection.

    The usual signals without any; see `collector.click_models.calibration.calibrate`. Users in quarantine do not
    count. Reads every list of the collection once, a second or so for a million.

    Args:
        lists_per_user: Lists of one person for one query and week that count.
    """
    with connection.execute(_latest(collection), execution_options={"yield_per": _STREAM_ROWS}) as lists:
        capped = within_cap(lists, lists_per_user)
        counted = islice(first_of_each(MAX_LISTS_PER_PERSON, capped, lambda row: row.person), MAX_LISTS)
        return calibrate(Outcome.from_json(json.loads(row.written)) for row in counted)


def _latest(collection: str) -> sa.Select[Any]:
    """Choose the rated lists of a collection but those of users in quarantine, the latest first."""
    columns = (impressions.c[name] for name in Vote._fields)
    written = sa.cast(impressions.c.outcome, sa.Text).label("written")  # read only where it counts
    rated = impressions.c.outcome["ratings"].as_string() != "{}"
    return (
        sa.select(*columns, person().label("person"), written)
        .where(impressions.c.collection == collection, rated, ~is_held())
        .order_by(impressions.c.at.desc(), impressions.c.query_id.desc())
    )
