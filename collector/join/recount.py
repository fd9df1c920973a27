"""Counts evidence again that an earlier release counted by other rules; a migration marks whose it is."""

from __future__ import annotations

import sqlalchemy as sa

from collector.join.retention_watermark import marked_for_recount
from collector.join.store import replay
from foundation.database.engine import reading
from foundation.errors import StoreAway
from foundation.settings import Settings
from foundation.telemetry.logs import get_log

_log = get_log("collector")


def recount(engine: sa.Engine, settings: Settings) -> bool:
    """Count the marked collections again, one transaction each; return whether none is marked any more.

    One that cannot be counted is logged and stays marked; the others are counted all the same.

    Raises:
        StoreAway: The database is away.
    """
    with reading(engine) as connection:
        collections = marked_for_recount(connection)
    failed = [one for one in collections if not _recount(engine, one, settings)]
    return not failed


def _recount(engine: sa.Engine, collection: str, settings: Settings) -> bool:
    _log.info("evidence is counted again by the rules of this release", collection=collection)
    try:
        replayed = replay(engine, collection, settings)
    except StoreAway:
        raise
    except Exception as problem:  # noqa: BLE001  whatever one stored row raises, other collections and new feedback go on
        _log.error("evidence cannot be counted again, will be tried later", collection=collection, problem=str(problem))
        return False
    _log.info("evidence was counted again", collection=collection, impressions=replayed)
    return True
