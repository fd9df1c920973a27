"""Rebuilds outcomes and evidence from the stored events: when asked, and where the rules of counting are others.

A migration marks the collections that an earlier release counted by other rules; see
`collector.join.retention_watermark.must_recount`.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from collector.fold.votes import Vote
from collector.join.evidence import add_changes, clear_evidence, count_stored
from collector.join.lists import refresh_outcomes
from collector.join.outcomes import rebuild_outcomes
from collector.join.retention_watermark import marked_for_recount, must_recount, note_recounted
from collector.join.scope import Scope
from collector.tables import impressions
from foundation.clock import period_of
from foundation.database.engine import reading, transaction
from foundation.database.lookup import chunks
from foundation.errors import StoreAway
from foundation.settings import Settings
from foundation.telemetry.logs import get_log

_log = get_log("collector")


def replay(engine: sa.Engine, collection: str, settings: Settings, since: datetime | None = None) -> int:
    """Rebuild outcomes and evidence of a collection from its stored events.

    Who is in quarantine stays there: that table is no consequence of the events alone, for people release.

    One transaction: readers see the old evidence or the new, and batches wait until it ends.
    Evidence that is no longer founded becomes zero. Returns how many impressions were replayed.

    Args:
        since: Only of the week this moment lies in and of later ones; of all when None.
    """
    with transaction(engine) as connection:
        scope = Scope.lock(connection, collection, settings)
        return _rebuild(scope, None if since is None else period_of(since))


def lock_recounted(connection: sa.Connection, collection: str, settings: Settings) -> Scope:
    """Return the locked scope, after a recount where one is due: counts by other rules cannot be taken out again."""
    scope = Scope.lock(connection, collection, settings)
    if must_recount(connection, collection):
        _rebuild(scope, None)
    return scope


def recount_marked(engine: sa.Engine, settings: Settings) -> bool:
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


def _rebuild(scope: Scope, first_period: int | None) -> int:
    """Recount everything that is stored of the weeks from the first on, all of them when None."""
    stored = scope.since(impressions, first_period)
    query_ids = list(scope.connection.execute(sa.select(impressions.c.query_id).where(stored)).scalars())
    for some in chunks(query_ids):
        refresh_outcomes(scope, some)
    clicks = sa.func.json_array_length(impressions.c.outcome["clicked"])
    scope.connection.execute(sa.update(impressions).where(stored, impressions.c.clicks != clicks).values(clicks=clicks))
    clear_evidence(scope, first_period)
    votes = sa.select(*(impressions.c[name] for name in Vote._fields)).where(stored).distinct()
    for some_votes in chunks([Vote(*row) for row in scope.connection.execute(votes)]):
        add_changes(scope, {}, count_stored(scope, some_votes))
    rebuild_outcomes(scope)
    if first_period is None:
        note_recounted(scope.connection, scope.collection)
    return len(query_ids)
