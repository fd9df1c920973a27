"""Lists that chance has interleaved, with what was clicked of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from collector.reads.people import is_of_people
from collector.tables import impressions

MAX_INTERLEAVED = 50_000
"""Most lists that are read, the latest ones."""

_AT_ONCE = 1000
_INTERLEAVED = "interleaved"


@dataclass(frozen=True, slots=True)
class InterleavedSearch:
    """One interleaved list that a person saw.

    Attributes:
        unit: Who saw it, its query id where nobody knows.
        documents: Ids by rank.
        propensities: Probability that each of them stood at its rank.
        clicked: Ranks that were clicked, from 1.
    """

    query_key: str
    unit: str
    documents: tuple[str, ...]
    propensities: tuple[float, ...]
    clicked: tuple[int, ...]


def read_interleaved(
    connection: sa.Connection, collection: str, since: datetime, limit: int = MAX_INTERLEAVED
) -> Iterator[InterleavedSearch]:
    """Yield the latest interleaved lists that people saw since a moment; neither agents nor held users count.

    Lists into which a rule put something are left out: chance has not drawn them.
    """
    columns = (impressions.c[name] for name in ("query_key", "unit", "results", "outcome"))
    latest = (
        sa.select(*columns)
        .where(is_of_people(collection, since), impressions.c.arm == _INTERLEAVED)
        .order_by(impressions.c.at.desc())
        .limit(limit)
    )
    for row in connection.execute(latest, execution_options={"yield_per": _AT_ONCE}):
        if any(result.get("forced") for result in row.results):
            continue
        shown = sorted(row.results, key=lambda result: int(result["rank"]))
        yield InterleavedSearch(
            row.query_key,
            row.unit,
            tuple(result["id"] for result in shown),
            tuple(float(result["propensity"]) for result in shown),
            tuple(row.outcome["clicked"]),
        )
