"""The stored lists of a collection, the votes they belong to, and the events about them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import sqlalchemy as sa

from collector.fold.lists import EventsByList, ShownList, by_list, recompute
from collector.fold.outcomes import NO_OUTCOME
from collector.fold.votes import Vote, VoteLists, VotesByList
from collector.join.rows import event_of, outcome_row, stored_list
from collector.join.scope import Scope, select_at
from collector.tables import events, impressions
from foundation.database.lookup import chunks

_VOTE = tuple(impressions.c[name] for name in Vote._fields)
_LIST = (
    *(impressions.c[name] for name in ("query_id", "at", "results", "outcome", "surface")),
    *(impressions.c[name] for name in ("experiment", "run", "drawn_by", "arm", "known", "had_evidence")),
    *_VOTE,
)


def read_votes_by_list(scope: Scope, query_ids: Collection[str]) -> VotesByList:
    """Return the vote of each stored list."""
    statement = sa.select(impressions.c.query_id, *_VOTE).where(scope.mine(impressions))
    return {
        query_id: Vote(*vote)
        for some in chunks(sorted(query_ids))
        for query_id, *vote in scope.connection.execute(statement.where(impressions.c.query_id.in_(some)))
    }


def read_votes_of(scope: Scope, units: Collection[str]) -> list[Vote]:
    """Return every vote of some users in open weeks; what older ones say stays."""
    statement = sa.select(*_VOTE).where(scope.since(impressions)).distinct()
    return [
        Vote(*row)
        for some in chunks(sorted(units))
        for row in scope.connection.execute(statement.where(impressions.c.unit.in_(some)))
    ]


def read_first_lists(scope: Scope, votes: Collection[Vote]) -> VoteLists:
    """Return the lists that count; of a vote with thousands, only those are fetched."""
    wanted = scope.keys(impressions, Vote._fields, votes)
    place = sa.func.row_number().over(partition_by=list(wanted.c), order_by=[impressions.c.at, impressions.c.query_id])
    lists = select_at(wanted, impressions, *_LIST).add_columns(place.label("place")).subquery()
    found: VoteLists = {}
    for row in scope.connection.execute(sa.select(lists).where(lists.c.place <= scope.settings.lists_per_user)):
        found.setdefault(Vote(row.query_key, row.unit, row.period), []).append(stored_list(row))
    return found


def read_lists(scope: Scope, query_ids: Collection[str]) -> dict[str, ShownList]:
    """Return lists of open weeks by query id."""
    statement = sa.select(*_LIST).where(scope.since(impressions))
    return {
        row.query_id: stored_list(row)
        for some in chunks(sorted(query_ids))
        for row in scope.connection.execute(statement.where(impressions.c.query_id.in_(some)))
    }


def read_events_about(scope: Scope, query_ids: Collection[str]) -> EventsByList:
    """Return all stored events about some lists."""
    statement = sa.select(events).where(scope.mine(events))
    return by_list(
        event_of(row)
        for some in chunks(sorted(query_ids))
        for row in scope.connection.execute(statement.where(events.c.query_id.in_(some)))
    )


def refresh_outcomes(scope: Scope, query_ids: Collection[str]) -> None:
    """Recompute the outcomes of stored lists from all events about them."""
    known, about = read_lists(scope, query_ids), read_events_about(scope, query_ids)
    renewed = [recompute(one, about.get(key, ()), scope.settings.lateness_days) for key, one in known.items()]
    write_outcomes(scope, [one for one in renewed if one != known[one.query_id]])


def write_outcomes(scope: Scope, lists: Iterable[ShownList]) -> None:
    """Store the outcomes of lists that are stored already."""
    rows = [outcome_row(one.outcome) | {"key": one.query_id} for one in lists]
    if rows:
        mine = scope.mine(impressions) & (impressions.c.query_id == sa.bindparam("key"))
        values: dict[str, Any] = {name: sa.bindparam(name) for name in outcome_row(NO_OUTCOME)}
        scope.connection.execute(sa.update(impressions).where(mine).values(values), rows)
