"""Takes people out of evidence and outcomes and lets them in again: erasures, and users in quarantine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from collector.fold.signals import OutcomeSums
from collector.fold.votes import EvidenceKey, Vote
from collector.join.evidence import add_changes, count_stored, last_clicks_of, reconsider
from collector.join.lists import read_votes_by_list, read_votes_of, refresh_outcomes
from collector.join.outcomes import add_outcomes, fold_units, refolding
from collector.join.replay import lock_recounted
from collector.join.scope import Scope
from collector.tables import HELD, RELEASED, events, impressions, quarantine, quarantine_moves
from foundation.database.engine import upsert
from foundation.database.lookup import chunks
from foundation.settings import Settings


class Traces(NamedTuple):
    """What people left: the query ids of their searches, and the query id of each of their events by its id."""

    searches: Collection[str]
    events: Mapping[str, str]


class Forgotten(NamedTuple):
    """What was deleted of people: impressions, events, and rows of evidence that changed as number `change`."""

    impressions: int
    events: int
    evidence: int
    change: int


def forget(connection: sa.Connection, collection: str, traces: Traces, settings: Settings) -> Forgotten:
    """Delete what people left, with all events about their searches, and take it out of the evidence.

    Runs inside the caller's write transaction. Votes are counted again some at a time, with the people's last
    clicks as they stood; then by the clicks that are gone.
    """
    scope = lock_recounted(connection, collection, settings)
    own = set(traces.searches)
    touched = set(traces.events.values()) - own
    joined = scope.delete(events.c.id, traces.events) + scope.delete(events.c.query_id, own)
    lists_of: defaultdict[Vote, list[str]] = defaultdict(list)
    for query_id, vote in scope.only_open(read_votes_by_list(scope, own | touched)).items():
        lists_of[vote].append(query_id)
    clicks = last_clicks_of(scope, lists_of)
    shown, changed = 0, set[EvidenceKey]()
    for votes in chunks(sorted(lists_of)):
        lists = {query_id for vote in votes for query_id in lists_of[vote]}
        before = count_stored(scope, votes, clicks)
        with refolding(scope, sorted(lists)):
            shown += scope.delete(impressions.c.query_id, lists & own)
            refresh_outcomes(scope, lists & touched)
        changed |= add_changes(scope, before, count_stored(scope, votes, clicks))
    for some in chunks(sorted(own)):  # from before the retention watermark, whose evidence stays
        with refolding(scope, some):
            shown += scope.delete(impressions.c.query_id, some)
    changed |= reconsider(scope, clicks, last_clicks_of(scope, lists_of))
    return Forgotten(shown, joined, len(changed), scope.change)


def hold(connection: sa.Connection, collection: str, rows: Sequence[Mapping[str, Any]], settings: Settings) -> None:
    """Hold users in quarantine: the votes they have no longer count, and new ones will not.

    Runs inside the caller's write transaction; batches of the collection wait until it ends.

    Args:
        rows: What the table `quarantine` is to hold of users who are not held now, but for the collection.
    """
    scope = lock_recounted(connection, collection, settings)
    for votes in chunks(read_votes_of(scope, [row["unit"] for row in rows])):
        add_changes(scope, count_stored(scope, votes), {})
    gone = OutcomeSums()
    gone.subtract(fold_units(scope, [row["unit"] for row in rows]))
    add_outcomes(scope, gone)
    upsert(connection, quarantine, [{"collection": collection, **row, "state": HELD} for row in rows])
    _note_moves(scope, [row["unit"] for row in rows], HELD)


def release(
    connection: sa.Connection, collection: str, unit: str, by_whom: Mapping[str, Any], settings: Settings
) -> bool:
    """Let the votes of a user who is held count again; False when the user is not held.

    Args:
        by_whom: The columns of the table `quarantine` that say who released the user, and when.
    """
    scope = lock_recounted(connection, collection, settings)  # first, so that two releases wait for each other
    held = scope.mine(quarantine) & (quarantine.c.unit == unit) & (quarantine.c.state == HELD)
    if connection.execute(sa.update(quarantine).where(held).values(**by_whom, state=RELEASED)).rowcount == 0:
        return False
    for votes in chunks(read_votes_of(scope, [unit])):
        add_changes(scope, {}, count_stored(scope, votes))
    add_outcomes(scope, fold_units(scope, [unit]))
    _note_moves(scope, [unit], RELEASED)
    return True


def _note_moves(scope: Scope, units: Sequence[str], state: str) -> None:
    """Keep at which change of the evidence users were held or released."""
    change = {"collection": scope.collection, "change": scope.change, "state": state}
    upsert(scope.connection, quarantine_moves, [change | {"unit": unit} for unit in units])
