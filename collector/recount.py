"""Counts evidence again that an earlier release counted by other rules; a migration marks whose it is."""

from __future__ import annotations

import sqlalchemy as sa

from collector.closed_weeks import RECOUNT
from collector.store import replay
from foundation.db import reading
from foundation.settings import Settings
from foundation.tables import counters
from foundation.telemetry import get_log

_log = get_log("collector")


def recount(engine: sa.Engine, settings: Settings) -> None:
    """Count the marked collections again, one transaction each: interrupted, the rest is still marked."""
    marked = sa.select(counters.c.name).where(counters.c.name.startswith(RECOUNT)).order_by(counters.c.name)
    with reading(engine) as connection:
        collections = [name.removeprefix(RECOUNT) for name in connection.execute(marked).scalars()]
    for collection in collections:
        _log.info("evidence is counted again by the rules of this release", collection=collection)
        replayed = replay(engine, collection, settings)
        _log.info("evidence was counted again", collection=collection, impressions=replayed)
