"""The outcomes of experiments, kept exact by differences, in the transaction that changes what they are folded from.

They always equal what `rebuild_outcomes` makes of the stored lists. A list says something by its own outcome and by
what its randomization unit asks next, so a new list changes what the one before it says. Lists of users who are in
quarantine say nothing, yet they stand between others.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from collector.fold.exposure import OutcomeKey
from collector.fold.lists import ShownList
from collector.fold.signals import (
    REFORMULATED_WITHIN,
    Asked,
    Ending,
    OutcomeSums,
    ending_of,
    own_signals,
    sequel_signals,
)
from collector.join.rows import exposure_of, randomization_unit, stored_list
from collector.join.scope import Scope
from collector.reads.people import is_held
from collector.tables import custom_outcomes, impressions, outcome_latencies, outcomes
from foundation.contracts import Impression, query_key
from foundation.database.engine import increment
from foundation.database.lookup import chunks, keys_as_json, rows_of_keys

_Chain = tuple[str, int, str]
"""Experiment, run and randomization unit; the searches of one are in the order of `Asked`."""

_CHAIN = ("experiment", "run", "drawn_by")
_NONE: sa.ColumnElement[str] = sa.literal_column("''")  # not bound, for the partial index says it so
_COLLECTION = sa.bindparam("collection", type_=sa.String)
_EXPOSED = (impressions.c.collection == _COLLECTION) & (impressions.c.experiment != _NONE)
_IS_WANTED = impressions.c.query_id.in_(sa.bindparam("wanted", expanding=True))
_later = impressions.alias("following")
_STEP = (
    *(impressions.c[name] for name in (*_CHAIN, "at", "query_id", "query_key", "arm", "surface", "known")),
    *(impressions.c[name] for name in ("had_evidence", "clicks")),
    *(_later.c[name].label(f"following_{name}") for name in Asked._fields),
)
_RESOLVED = impressions.c.outcome["resolved"].as_boolean()
_ENDING = (_RESOLVED.label("resolved"), is_held().label("held"))
_WHOLE = tuple(impressions.c[name] for name in ("results", "outcome", "took_ms"))


class _Step(NamedTuple):
    """A stored list as far as its neighbours matter: what it asks, how it ended, and what its unit asks next."""

    key: OutcomeKey
    asked: Asked
    ending: Ending
    following: Asked | None
    held: bool


def read_changes(
    scope: Scope,
    new: Iterable[tuple[Impression, ShownList]],
    changed: Mapping[str, tuple[ShownList, ShownList]],
    silent: Collection[str],
) -> OutcomeSums:
    """Return what new and changed lists add to the outcomes; to be asked before they are stored.

    Args:
        changed: Stored lists as they were and as they will be, by query id.
        silent: Query ids of lists whose users are in quarantine.
    """
    sums = OutcomeSums()
    fresh = [(*_place_of(one), one, shown) for one, shown in new if shown.exposure]
    moved = {query_id: both for query_id, both in changed.items() if both[0].exposure}
    chains: dict[_Chain, list[Asked]] = {}
    for chain, asked, *_ in fresh:
        insort(chains.setdefault(chain, []), asked)
    steps, following = _read_neighbours(scope, [(chain, asked) for chain, asked, *_ in fresh])
    turned = [query_id for query_id, (was, will) in moved.items() if ending_of(was.outcome) != ending_of(will.outcome)]
    steps |= {row.query_id: _step(row) for row in _execute(scope, _steps(), turned)}
    for query_id, step in steps.items():
        if not step.held:
            ending = ending_of(moved[query_id][1].outcome) if query_id in moved else step.ending
            after = _first_of(step.following, step.asked, chains.get(_chain_of(step.key), ()))
            before = sequel_signals(step.ending, step.asked, step.following)
            sums.add(step.key, sequel_signals(ending, step.asked, after).minus(before))
    for query_id, (was, will) in moved.items():
        if was.exposure and query_id not in silent:
            sums.add(was.exposure, own_signals(will).minus(own_signals(was)))
            sums.add_custom(was.exposure, will.outcome)
            sums.add_custom(was.exposure, was.outcome, sign=-1)
    for chain, asked, impression, shown in fresh:
        if shown.exposure and asked.query_id not in silent:
            after = _first_of(following.get(asked.query_id), asked, chains[chain])
            sums.add_search(shown.exposure, shown, asked, after, impression.took_ms)
    return sums


def add_outcomes(scope: Scope, sums: OutcomeSums) -> None:
    """Add to the stored outcomes; rows that become zero are deleted."""
    mine = (scope.collection,)
    signals = {key: said for key, said in sums.signals.items() if any(said)}
    custom = {key: said for key, said in sums.custom.items() if any(said)}
    latencies = {key: count for key, count in sums.latencies.items() if count}
    increment(scope.connection, outcomes, [mine + key + said for key, said in sorted(signals.items())])
    increment(
        scope.connection, custom_outcomes, [(*mine, *key, name, *said) for (key, name), said in sorted(custom.items())]
    )
    increment(scope.connection, outcome_latencies, [(*mine, *key, count) for key, count in sorted(latencies.items())])
    _delete_zeros(scope, outcomes.c.searches, {_chain_of(key) for key, said in signals.items() if said.searches < 0})
    gone = {_chain_of(key) for (key, _), said in custom.items() if said.searches < 0}
    _delete_zeros(scope, custom_outcomes.c.searches, gone)
    _delete_zeros(scope, outcome_latencies.c.count, {key[:3] for key, count in latencies.items() if count < 0})


@contextmanager
def refolding(scope: Scope, query_ids: Sequence[str]) -> Iterator[None]:
    """Let the outcomes follow what the block changes of some stored lists, or that it deletes them."""
    earlier = _execute(scope, sa.select(_beside(impressions, later=False)).where(_EXPOSED, _IS_WANTED), query_ids)
    affected = {*query_ids, *filter(None, (row[0] for row in earlier))}
    before = fold_stored(scope, affected)
    yield
    after = fold_stored(scope, affected)
    after.subtract(before)
    add_outcomes(scope, after)


def fold_stored(scope: Scope, query_ids: Collection[str]) -> OutcomeSums:
    """Return what some stored lists add up to; users who are in quarantine say nothing."""
    sums = OutcomeSums()
    for row in _execute(scope, _lists(), query_ids):
        key = exposure_of(row, row.drawn_by)
        sums.add_search(key, stored_list(row), _asked_by(row), _followed_by(row), row.took_ms)
    return sums


def fold_units(scope: Scope, units: Collection[str]) -> OutcomeSums:
    """Return what the stored lists of some users add up to."""
    lists = sa.select(impressions.c.query_id).where(
        _EXPOSED, impressions.c.unit.in_(sa.bindparam("wanted", expanding=True))
    )
    return fold_stored(scope, [row.query_id for row in _execute(scope, lists, units)])


def rebuild_outcomes(scope: Scope) -> None:
    """Fold all stored lists again."""
    for table in (outcomes, custom_outcomes, outcome_latencies):
        scope.connection.execute(sa.delete(table).where(scope.mine(table)))
    lists = sa.select(impressions.c.query_id).where(_EXPOSED)
    query_ids = scope.connection.execute(lists, {"collection": scope.collection}).scalars()
    for some in chunks(sorted(query_ids)):
        add_outcomes(scope, fold_stored(scope, some))


def _first_of(stored: Asked | None, asked: Asked, new: Sequence[Asked]) -> Asked | None:
    """Return what follows a search: the stored one that does, or a new one that stands before it."""
    place = bisect_right(new, asked)
    if place == len(new):
        return stored
    return new[place] if stored is None else min(stored, new[place])


def _read_neighbours(
    scope: Scope, places: Collection[tuple[_Chain, Asked]]
) -> tuple[dict[str, _Step], dict[str, Asked]]:
    """Return the stored lists before places of new ones, and what is stored after each of these by its query id.

    Most have a list before them that says the same whatever follows it: it has a click, or is long past. Those are left
    out.
    """
    steps: dict[str, _Step] = {}
    following: dict[str, Asked] = {}
    if not places:
        return steps, following
    keys = [(*chain, asked.at, asked.query_id, asked.at - REFORMULATED_WITHIN) for chain, asked in places]
    dialect = scope.connection.dialect.name
    values = {"collection": scope.collection, "keys": keys_as_json(dialect, keys)}
    for row in scope.connection.execute(_neighbours(dialect), values):
        if row.query_id is not None:
            steps[row.query_id] = _step(row)
        if (after := _followed_by(row)) is not None:
            following[row.new] = after
    return steps, following


def _execute(scope: Scope, statement: sa.Select[Any], wanted: Collection[str]) -> Iterator[sa.Row[Any]]:
    """Yield the rows of a statement for the bound values `wanted`, some at a time."""
    for some in chunks(sorted(wanted)):
        yield from scope.connection.execute(statement, {"collection": scope.collection, "wanted": some})


@cache  # to make a statement takes longer than to run it
def _steps() -> sa.Select[Any]:
    """Select stored lists with what follows them."""
    return _with_following(*_STEP, *_ENDING).where(_IS_WANTED)


@cache
def _lists() -> sa.Select[Any]:
    """Select all that stored lists say, but those of users who are in quarantine."""
    return _with_following(*_STEP, *_WHOLE).where(_IS_WANTED, ~is_held())


@cache
def _neighbours(dialect: str) -> sa.Select[Any]:
    """Select the stored lists before and after places where new ones will stand."""
    columns = [*(impressions.c[name] for name in (*_CHAIN, "at", "query_id")), impressions.c.at.label("recent")]
    wanted = rows_of_keys(dialect, columns, sa.bindparam("keys", type_=sa.Text))
    open_ended = ((impressions.c.clicks == 0) & (impressions.c.at >= wanted.c.recent)) | _RESOLVED
    earlier = (impressions.c.collection == _COLLECTION) & (impressions.c.query_id == _beside(wanted, later=False))
    later = (_later.c.collection == _COLLECTION) & (_later.c.query_id == _beside(wanted, later=True))
    sides = wanted.outerjoin(impressions, earlier & open_ended).outerjoin(_later, later)
    found = impressions.c.query_id.is_not(None) | _later.c.query_id.is_not(None)
    selected: tuple[sa.ColumnElement[Any], ...] = (*_STEP, *_ENDING, wanted.c.query_id.label("new"))
    return sa.select(*selected).select_from(sides).where(found)


def _with_following(*columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    later = (_later.c.collection == _COLLECTION) & (_later.c.query_id == _beside(impressions, later=True))
    return sa.select(*columns).select_from(impressions.outerjoin(_later, later)).where(_EXPOSED)


def _beside(rows: sa.FromClause, *, later: bool) -> sa.ScalarSelect[str]:
    """Return the query id of the stored list right after a row's place in its chain, or right before it."""
    other = impressions.alias("other")
    place, here = (sa.tuple_(table.c.at, table.c.query_id) for table in (other, rows))
    order = (other.c.at, other.c.query_id) if later else (other.c.at.desc(), other.c.query_id.desc())
    same = (other.c[name] == rows.c[name] for name in _CHAIN)
    return (
        sa.select(other.c.query_id)
        .where(other.c.collection == _COLLECTION, *same, other.c.experiment != _NONE)
        .where(place > here if later else place < here)
        .order_by(*order)
        .limit(1)
        .correlate(rows)
        .scalar_subquery()
    )


def _delete_zeros(scope: Scope, count: sa.Column[Any], chains: Collection[_Chain]) -> None:
    table = count.table
    same = (table.c[name] == sa.bindparam(f"of_{name}") for name in ("experiment", "run", "unit"))
    if chains:
        rows = [dict(zip(("of_experiment", "of_run", "of_unit"), chain, strict=True)) for chain in sorted(chains)]
        scope.connection.execute(sa.delete(table).where(scope.mine(table), count == 0, *same), rows)


def _place_of(impression: Impression) -> tuple[_Chain, Asked]:
    chain = (impression.experiment, impression.run, randomization_unit(impression))
    return chain, Asked(impression.at, impression.query_id, query_key(impression.query))


def _chain_of(key: OutcomeKey) -> _Chain:
    return key.experiment, key.run, key.unit


def _step(row: sa.Row[Any]) -> _Step:
    return _Step(
        exposure_of(row, row.drawn_by),
        _asked_by(row),
        Ending(row.clicks > 0, row.resolved),
        _followed_by(row),
        row.held,
    )


def _asked_by(row: sa.Row[Any]) -> Asked:
    return Asked(row.at, row.query_id, row.query_key)


def _followed_by(row: sa.Row[Any]) -> Asked | None:
    if row.following_query_id is None:
        return None
    return Asked(row.following_at, row.following_query_id, row.following_query_key)
