"""What is lost or counted twice of what was acknowledged."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from benchmarks.harness.visitors import Acknowledged
from clickloop.container import Container
from collector.join.evidence import evidence_digest
from collector.join.replay import replay
from collector.tables import events, evidence, impressions
from foundation.contracts import DEFAULT_COLLECTION
from foundation.database.engine import reading


@dataclass(frozen=True, slots=True)
class Damage:
    """What kills did; every number should be 0.

    Attributes:
        lost_events: Acknowledged events that are not stored.
        lost_searches: Answered searches whose impression is not stored.
        unknown_events: Stored events that nobody sent.
        miscounted: Difference between the lists and clicks in evidence and those acknowledged or stored.
        replay_differs: Whether a recount of everything stored gives other evidence.
        broken_answers: Answers after a restart that no whole version can have given.
    """

    lost_events: int
    lost_searches: int
    unknown_events: int
    miscounted: int
    replay_differs: int
    broken_answers: int


def assess(container: Container, memory: Acknowledged, broken: int) -> Damage:
    """Return what is missing or too much in the database, by what the clients remember; replays at the end."""
    heard, shown = _ids(container, events.c.id), _ids(container, impressions.c.query_id)
    before = evidence_digest(container.engine, DEFAULT_COLLECTION)
    miscounted = _miscounted(container, memory)
    replay(container.engine, DEFAULT_COLLECTION, container.settings)
    return Damage(
        lost_events=len(memory.events - heard),
        lost_searches=len(memory.searches.keys() - shown),
        unknown_events=len(heard - memory.sent),
        miscounted=miscounted,
        replay_differs=int(evidence_digest(container.engine, DEFAULT_COLLECTION) != before),
        broken_answers=broken,
    )


def _ids(container: Container, column: sa.Column[str]) -> set[str]:
    with reading(container.engine) as connection:
        return set(connection.execute(sa.select(column)).scalars())


def _miscounted(container: Container, memory: Acknowledged) -> int:
    """Return how far evidence is from one count per acknowledged click and per result of a list that was looked at.

    That is a list with a click, or one before it of the same person: searches are sent again while a server is down.
    """
    clicked_in = {query_id for query_id, _ in memory.clicks}
    with reading(container.engine) as connection:
        counted = connection.execute(sa.select(evidence.c.shown, evidence.c.clicked)).all()
        columns = (impressions.c[name] for name in ("query_id", "unit", "at", "results"))
        lists = connection.execute(sa.select(*columns).order_by(impressions.c.at)).all()
    last = {one.unit: one.at for one in lists if one.query_id in clicked_in}
    expected = sum(len(one.results) for one in lists if one.unit in last and one.at <= last[one.unit])
    shown = sum(int(sum(row.shown)) for row in counted)
    clicked = sum(int(sum(row.clicked)) for row in counted)
    return abs(clicked - len(memory.clicks)) + abs(shown - expected)
