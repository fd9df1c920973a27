"""The evidence of a collection, kept exact by differences: what votes said before a change, and what they say after.

It always equals what a recount of the stored impressions and events would give, which `evidence_digest` shows.
Weeks before the retention watermark stay as they are and take nothing in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Set

import sqlalchemy as sa

from collector.fold.counts import NO_COUNTS, EvidenceCounts
from collector.fold.votes import EvidenceKey, LastClicks, PersonWeek, Vote, VoteCounts, changes_of, count
from collector.join.examination import find_reconsidered, read_last_clicks
from collector.join.lists import read_first_lists
from collector.join.rows import counts_of, counts_row
from collector.join.scope import Scope, select_at
from collector.reads.people import is_held
from collector.tables import evidence, quarantine
from foundation.database.engine import reading, upsert
from foundation.ids import canonical_json


def without_held(scope: Scope, votes: Collection[Vote]) -> set[Vote]:
    """Return the votes but those of users who are in quarantine."""
    units = scope.keys(quarantine, ("unit",), {(vote.unit,) for vote in votes})
    held = set(scope.connection.execute(sa.select(units.c.unit).where(is_held(units))).scalars())
    return {vote for vote in votes if vote.unit not in held}


def last_clicks_of(scope: Scope, votes: Collection[Vote]) -> LastClicks:
    """Return the last clicks that are stored of the votes' people."""
    return read_last_clicks(scope.connection, scope.collection, {PersonWeek.of(vote) for vote in votes})


def count_stored(scope: Scope, votes: Collection[Vote], clicks: LastClicks | None = None) -> VoteCounts:
    """Return what each vote says of each document; users who are in quarantine say nothing.

    Args:
        clicks: The last clicks of the votes' people; as they are stored by default.
    """
    lists = read_first_lists(scope, without_held(scope, votes))
    return count(lists, scope.settings.lists_per_user, last_clicks_of(scope, lists) if clicks is None else clicks)


def add_changes(scope: Scope, before: VoteCounts, after: VoteCounts) -> Set[EvidenceKey]:
    """Add to the evidence what votes say now and did not say before; return which rows that changes.

    Rows are read and written back, which is safe while the scope keeps everybody else out.
    """
    changes = changes_of(before, after)
    found = select_at(scope.keys(evidence, EvidenceKey._fields, changes), evidence)
    stored = {
        EvidenceKey(*(getattr(row, name) for name in EvidenceKey._fields)): counts_of(row)
        for row in scope.connection.execute(found)
    }
    rows = [
        {
            "collection": scope.collection,
            **key._asdict(),
            **_row(scope, stored[key].plus(new) if key in stored else new),
        }
        for key, new in sorted(changes.items())
    ]
    upsert(scope.connection, evidence, rows)
    return changes.keys()


def reconsider(scope: Scope, before: LastClicks, after: LastClicks, done: Collection[Vote] = ()) -> set[EvidenceKey]:
    """Add what votes say since the last clicks of their people are others; those `done` say it already."""
    changed: set[EvidenceKey] = set()
    per_user = scope.settings.lists_per_user
    for votes in find_reconsidered(scope.connection, scope.collection, before, after):
        lists = read_first_lists(scope, without_held(scope, set(votes).difference(done)))
        changed |= add_changes(scope, count(lists, per_user, before), count(lists, per_user, after))
    return changed


def clear_evidence(scope: Scope, first_period: int | None) -> None:
    """Set the evidence of the weeks from the first on to zero, as far as these are open."""
    founded = scope.since(evidence, first_period) & _says_something()
    scope.connection.execute(sa.update(evidence).where(founded).values(_row(scope, NO_COUNTS)))


def drop_unfounded(connection: sa.Connection, collection: str, change: int) -> None:
    """Delete the evidence that says nothing any more, since a change or longer; in the caller's write transaction."""
    silent = (evidence.c.collection == collection) & (evidence.c.change <= change) & ~_says_something()
    connection.execute(sa.delete(evidence).where(silent))


def evidence_digest(engine: sa.Engine, collection: str) -> str:
    """Return the sha256 of a collection's evidence, whatever the order in which it came about.

    Rows that say nothing, and the numbers of changes, are left out.
    """
    columns = [column for column in evidence.c if column.name not in {"collection", "change"}]
    statement = sa.select(*columns).where(evidence.c.collection == collection)
    with reading(engine) as connection:
        lines = [
            canonical_json(dict(row._mapping)) for row in connection.execute(statement) if counts_of(row) != NO_COUNTS
        ]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _row(scope: Scope, counts: EvidenceCounts) -> dict[str, object]:
    return counts_row(counts) | {"change": scope.change}


def _says_something() -> sa.ColumnElement[bool]:
    said = (evidence.c[name] != 0 for name in ("satisfied", "dissatisfied", "ratings", "conversions"))
    return sa.or_(sa.cast(evidence.c.shown, sa.Text) != json.dumps(NO_COUNTS.shown), *said)
