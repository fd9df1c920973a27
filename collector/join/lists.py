"""The stored lists of a collection, the votes they belong to, and the events about them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from collector.fold.lists import EventsByList, ShownList, by_list, recompute
from collector.fold.votes import Vote, VoteLists, VotesByList
from collector.join.rows import ADDED_BY, event_of, outcome_row, result_rows, stored_list
from collector.join.scope import Scope, select_at
from collector.tables import events, impressions
from foundation.contracts import Impression
from foundation.database.lookup import chunks

_DRAW = ("experiment", "run")
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
    rows = [outcome_row(one) | {"key": one.query_id} for one in lists]
    if rows:
        mine = scope.mine(impressions) & (impressions.c.query_id == sa.bindparam("key"))
        values: dict[str, Any] = {name: sa.bindparam(name) for name in rows[0] if name != "key"}
        scope.connection.execute(sa.update(impressions).where(mine).values(values), rows)


def gather_pages(shown: Iterable[Impression]) -> dict[str, Impression]:
    """Return the list of each query id, with what its further pages show; the first record says whose it is."""
    lists: dict[str, Impression] = {}
    for page in shown:
        first = lists.get(page.query_id)
        lists[page.query_id] = _joined(first, page) if first else page
    return lists


def add_pages(scope: Scope, pages: Mapping[str, Impression]) -> None:
    """Add what further pages show to stored lists; a document or a rank that a list has stays as it was."""
    columns = (impressions.c.query_id, impressions.c.results, *(impressions.c[name] for name in _DRAW))
    statement = sa.select(*columns).where(scope.mine(impressions))
    for some in chunks(sorted(pages)):
        for row in scope.connection.execute(statement.where(impressions.c.query_id.in_(some))).all():
            page = pages[row.query_id]
            new = _news(row.results, result_rows(page), same_draw=_draw_of(row) == _draw_of(page))
            if new:
                results = [*row.results, *(one | {ADDED_BY: scope.change} for one in new)]
                mine = scope.mine(impressions) & (impressions.c.query_id == row.query_id)
                scope.connection.execute(sa.update(impressions).where(mine).values(results=results))


def _joined(first: Impression, page: Impression) -> Impression:
    same_draw = _draw_of(first) == _draw_of(page)
    new = {one["id"] for one in _news(result_rows(first), result_rows(page), same_draw=same_draw)}
    more = [one if same_draw else replace(one, team="", own_ranks=()) for one in page.results if one.id in new]
    return replace(first, results=(*first.results, *more))


def _news(known: list[dict[str, Any]], page: list[dict[str, Any]], *, same_draw: bool) -> list[dict[str, Any]]:
    """Return the results of a page that a list lacks; those of another draw speak for no side."""
    names, ranks = {one["id"] for one in known}, {one["rank"] for one in known}
    new = [one for one in page if one["id"] not in names and one["rank"] not in ranks]
    return new if same_draw else [one | {"team": "", "own_ranks": ()} for one in new]


def _draw_of(shown: Any) -> tuple[Any, ...]:
    """Return the experiment and the run of an impression, or of a stored one."""
    return tuple(getattr(shown, name) for name in _DRAW)
