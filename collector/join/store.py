"""The collector's SQL: takes batches of records in and keeps evidence exact by differences.

Evidence always equals what a recount of the stored impressions and events would give. `replay` is
that recount, `evidence_digest` compares. Closed weeks (see `collector.join.retention_watermark`) stay as they are
and take nothing in. The settings that decide what counts must stay the same
between two replays; after changing them, replay.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa

from collector.fold.lists import NO_COUNTS, NO_OUTCOME, EvidenceCounts, ShownList, period_of
from collector.fold.outcomes import Told, adds_up, apply, by_list, recompute
from collector.fold.votes import (
    EvidenceKey,
    LastClicks,
    PersonWeek,
    Places,
    Said,
    Vote,
    VoteLists,
    changes_of,
    count,
    is_nameless,
    renew,
    renew_clicks,
    vote_of,
)
from collector.intake.event_ids import count_conflicts
from collector.join.erased import without_erased
from collector.join.examination import find_reconsidered, read_last_clicks
from collector.join.retention_watermark import first_open_week, lock_evidence, must_recount, note_recounted
from collector.join.rows import (
    add_counts,
    counts_of,
    counts_row,
    event_of,
    event_row,
    impression_row,
    list_of,
    outcome_row,
    stored_list,
    with_conflicts,
)
from collector.tables import events, evidence, impressions, quarantine
from foundation.contracts import FeedbackEvent, Impression
from foundation.database.engine import insert_missing, reading, transaction, upsert
from foundation.database.lookup import keys_as_rows
from foundation.ids import canonical_json
from foundation.settings import Settings

HELD = "held"
RELEASED = "released"
"""States of a user in the table `quarantine`."""

_CHUNK = 500
_LIST = tuple(impressions.c[name] for name in ("query_id", "at", "results", "outcome", "surface", *Vote._fields))

Item = TypeVar("Item")


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


def fold_batch(connection: sa.Connection, records: Iterable[Impression | FeedbackEvent], settings: Settings) -> int:
    """Store impressions and events, join them, and bring evidence up to date.

    Returns how many were dropped, for they are of people erased since.

    Runs inside the caller's write transaction. Records that are stored already, or that come twice,
    change nothing. Batches of one collection wait for each other, so several consumers may run.
    """
    by_collection: dict[str, list[Impression | FeedbackEvent]] = {}
    for record in records:
        by_collection.setdefault(record.collection, []).append(record)
    return sum(
        _Fold(connection, collection, settings).take(by_collection[collection])
        for collection in sorted(by_collection)  # the same order everywhere, so that no two consumers deadlock
    )


def forget(connection: sa.Connection, collection: str, traces: Traces, settings: Settings) -> Forgotten:
    """Delete what people left, with all events about their searches, and take it out of the evidence.

    Runs inside the caller's write transaction.
    """
    return _recounted(connection, collection, settings).forget(traces)


def replay(engine: sa.Engine, collection: str, settings: Settings, since: datetime | None = None) -> int:
    """Rebuild outcomes and evidence of a collection from its stored events.

    Who is in quarantine stays there: that table is no consequence of the events alone, for people release.

    One transaction: readers see the old evidence or the new, and batches wait until it ends.
    Evidence that is no longer founded becomes zero. Returns how many impressions were replayed.

    Args:
        since: Only of the week this moment lies in and of later ones; of all when None.
    """
    with transaction(engine) as connection:
        return _Fold(connection, collection, settings).replay(None if since is None else period_of(since))


def drop_unfounded(connection: sa.Connection, collection: str, change: int) -> None:
    """Delete the evidence that says nothing any more, since a change or longer; in the caller's write transaction."""
    silent = (evidence.c.collection == collection) & (evidence.c.change <= change) & ~_says_something()
    connection.execute(sa.delete(evidence).where(silent))


def hold(connection: sa.Connection, collection: str, rows: Sequence[Mapping[str, Any]], settings: Settings) -> None:
    """Hold users in quarantine: the votes they have no longer count, and new ones will not.

    Runs inside the caller's write transaction; batches of the collection wait until it ends.

    Args:
        rows: What the table `quarantine` is to hold of users who are not held now, but for the collection.
    """
    fold = _recounted(connection, collection, settings)
    for votes in _chunks(fold.votes_of([row["unit"] for row in rows])):
        fold.leave_out(votes)
    upsert(connection, quarantine, [{"collection": collection, **row, "state": HELD} for row in rows])


def release(connection: sa.Connection, collection: str, unit: str, told: Mapping[str, Any], settings: Settings) -> bool:
    """Let the votes of a user who is held count again; False when the user is not held.

    Args:
        told: Columns of the table `quarantine` that tell of the release.
    """
    fold = _recounted(connection, collection, settings)  # first, so that two releases wait for each other
    mine = (quarantine.c.collection == collection) & (quarantine.c.unit == unit) & (quarantine.c.state == HELD)
    if connection.execute(sa.update(quarantine).where(mine).values(**told, state=RELEASED)).rowcount == 0:
        return False
    for votes in _chunks(fold.votes_of([unit])):
        fold.let_in(votes)
    return True


def evidence_digest(engine: sa.Engine, collection: str) -> str:
    """Return the sha256 of a collection's evidence, whatever the order in which it came about.

    Rows that say nothing, and the numbers of changes, are left out.
    """
    statement = sa.select(evidence).where(evidence.c.collection == collection)
    with reading(engine) as connection:
        lines = [
            canonical_json(
                {name: value for name, value in row._mapping.items() if name not in {"collection", "change"}}
            )
            for row in connection.execute(statement)
            if counts_of(row) != NO_COUNTS
        ]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


class _Fold:
    """The statements of one collection in one transaction, which holds the collection's counter."""

    def __init__(self, connection: sa.Connection, collection: str, settings: Settings) -> None:
        self._connection = connection
        self._collection = collection
        self._settings = settings
        self._change = lock_evidence(connection, collection)
        self._first_open = first_open_week(connection, collection)

    def take(self, given: Sequence[Impression | FeedbackEvent]) -> int:
        """Store records and add what they change: the votes they touch, counted before and after.

        Returns how many were dropped; whom they are of cannot be erased meanwhile, for that waits for the counter.
        """
        records = without_erased(self._connection, self._collection, given)
        news = self._keep_new([record for record in records if isinstance(record, FeedbackEvent)])
        shown = {one.query_id: one for one in reversed(records) if isinstance(one, Impression)}
        stored = self._votes_by_list(shown.keys() | news.keys())
        fresh = {key: vote_of(one) for key, one in shown.items() if key not in stored}
        touched = {key: stored[key] for key in news if key in stored}
        self._recompute(shown, self._open(fresh), self._open(touched), news)
        return len(given) - len(records)

    def _keep_new(self, joined: Sequence[FeedbackEvent]) -> Told:
        """Store events and return those that were not stored yet, each once."""
        wanted = self._keys(events, ("id",), {(event.id,) for event in joined})
        stored = {row.id: row for row in self._connection.execute(self._at(wanted, events))}
        news = {event.id: event for event in reversed(joined) if event.id not in stored}
        conflicts = count_conflicts(joined, news | {id_: event_of(row) for id_, row in stored.items()})
        rows = [event_row(event) for event in news.values()]
        for row in rows:
            row["body"] = with_conflicts(row["body"], conflicts[row["id"]])
        insert_missing(self._connection, events, rows)
        for id_ in sorted(conflicts.keys() & stored.keys()):
            body = with_conflicts(stored[id_].body, conflicts[id_])
            self._connection.execute(sa.update(events).where(self._mine(events), events.c.id == id_).values(body=body))
        return by_list(news.values())

    def _recompute(self, shown: Mapping[str, Impression], fresh: Places, touched: Places, news: Told) -> None:
        """Add lists that are new and what is known of those that events were about, and what both change."""
        days = self._settings.lateness_days
        lists = self._first_lists({*fresh.values(), *touched.values()})
        known = {one.query_id: one for some in lists.values() for one in some}
        known |= self._stored_lists(touched.keys() - known.keys())  # of busy users, behind the lists that count
        unclear = {key for key in touched if not adds_up(known[key].outcome, news[key])}
        told = self._events_of(fresh.keys() | unclear)
        added = {key: recompute(list_of(shown[key]), told.get(key, ()), days) for key in fresh}
        joined = {
            key: recompute(known[key], told[key], days) if key in unclear else apply(known[key], news[key], days)
            for key in touched
        }
        changed = {key: one for key, one in joined.items() if one != known[key]}
        clicks = self._last_clicks([*_by_vote(fresh, added), *_by_vote(touched, changed)])
        renewed = renew_clicks(clicks, [*_by_vote(fresh, added), *_by_vote(touched, changed)])
        insert_missing(self._connection, impressions, [impression_row(shown[key], added[key].outcome) for key in fresh])
        self._write_outcomes(changed.values())
        free = self._free({*fresh.values(), *touched.values()})
        before = {vote: some for vote, some in lists.items() if vote in free}
        after = renew(before, [(vote, added[key]) for key, vote in fresh.items() if vote in free], changed)
        self._add(changes_of(self._count(before, clicks), self._count(after, renewed)))
        self._look_back(clicks, renewed, before.keys() | after.keys())

    def _look_back(self, clicks: LastClicks, renewed: LastClicks, done: Collection[Vote] = ()) -> set[EvidenceKey]:
        """Add what votes say since the last clicks of their people are others; those `done` say it already."""
        changed: set[EvidenceKey] = set()
        for votes in find_reconsidered(self._connection, self._collection, clicks, renewed):
            lists = self._first_lists(self._free(set(votes).difference(done)))
            changed |= self._add(changes_of(self._count(lists, clicks), self._count(lists, renewed)))
        return changed

    def forget(self, traces: Traces) -> Forgotten:
        """Delete what is stored of people, and add what that changes: some votes at a time, then by clicks that went.

        Until then the people's last clicks count as they stood.
        """
        own, touched = set(traces.searches), set(traces.events.values()) - set(traces.searches)
        joined = self._delete(events.c.id, traces.events) + self._delete(events.c.query_id, own)
        votes = _lists_by_vote(self._open(self._votes_by_list(own | touched)))
        clicks = self._clicks_of(votes)
        shown, changed = 0, set[EvidenceKey]()
        for some in _chunks(sorted(votes)):
            lists = {query_id for vote in some for query_id in votes[vote]}
            before = self._contribution(some, clicks)
            shown += self._delete(impressions.c.query_id, lists & own)
            self._refresh_outcomes(lists & touched)
            changed |= self._add(changes_of(before, self._contribution(some, clicks)))
        shown += self._delete(impressions.c.query_id, own)  # of closed weeks, whose evidence stays
        changed |= self._look_back(clicks, self._clicks_of(votes))
        return Forgotten(shown, joined, len(changed), self._change)

    def replay(self, first_period: int | None) -> int:
        """Recount everything that is stored of the weeks from the first on, all of them when None."""
        statement = sa.select(impressions.c.query_id).where(self._since(impressions, first_period))
        query_ids = list(self._connection.execute(statement).scalars())
        for some in _chunks(query_ids):
            self._refresh_outcomes(some)
        self._recount_clicks(first_period)
        self._clear_evidence(first_period)
        for votes in _chunks(self._all_votes(first_period)):
            self._add(changes_of({}, self._contribution(votes)))
        if first_period is None:
            note_recounted(self._connection, self._collection)
        return len(query_ids)

    def _delete(self, column: sa.Column[str], values: Collection[str]) -> int:
        statement = sa.delete(column.table).where(self._mine(column.table))
        return sum(
            self._connection.execute(statement.where(column.in_(some))).rowcount for some in _chunks(sorted(values))
        )

    def votes_of(self, units: Collection[str]) -> list[Vote]:
        """Return every vote of some users in open weeks; what closed ones say stays."""
        statement = _select_votes().where(self._since(impressions)).distinct()
        return [
            Vote(*row)
            for some in _chunks(sorted(units))
            for row in self._connection.execute(statement.where(impressions.c.unit.in_(some)))
        ]

    def leave_out(self, votes: Collection[Vote]) -> None:
        """Take what the votes say out of the evidence."""
        self._add(changes_of(self._contribution(votes), {}))

    def let_in(self, votes: Collection[Vote]) -> None:
        """Add what the votes say to the evidence."""
        self._add(changes_of({}, self._contribution(votes)))

    def _votes_by_list(self, query_ids: Collection[str]) -> Places:
        statement = _select_votes(impressions.c.query_id).where(self._mine(impressions))
        return {
            query_id: Vote(*vote)
            for some in _chunks(sorted(query_ids))
            for query_id, *vote in self._connection.execute(statement.where(impressions.c.query_id.in_(some)))
        }

    def _all_votes(self, first_period: int | None) -> list[Vote]:
        statement = _select_votes().where(self._since(impressions, first_period)).distinct()
        return [Vote(*row) for row in self._connection.execute(statement)]

    def _contribution(self, votes: Collection[Vote], clicks: LastClicks | None = None) -> Said:
        """Return what each vote says of each document; users who are in quarantine say nothing.

        Args:
            clicks: The last clicks of the votes' people; as they are stored by default.
        """
        lists = self._first_lists(self._free(votes))
        return self._count(lists, self._clicks_of(lists) if clicks is None else clicks)

    def _clicks_of(self, votes: Collection[Vote]) -> LastClicks:
        return read_last_clicks(self._connection, self._collection, {PersonWeek.of(vote) for vote in votes})

    def _last_clicks(self, lists: Iterable[tuple[Vote, ShownList]]) -> LastClicks:
        """Return the last clicks of the people whose lists these are; nobody knows who left nameless ones."""
        weeks = {PersonWeek.of(vote) for vote, one in lists if not is_nameless(vote, [one])}
        return read_last_clicks(self._connection, self._collection, weeks)

    def _free(self, votes: Collection[Vote]) -> set[Vote]:
        """Return the votes but those of users who are in quarantine."""
        wanted = self._keys(quarantine, ("unit",), {(vote.unit,) for vote in votes})
        found = self._at(wanted, quarantine).where(quarantine.c.state == HELD)
        held = {row.unit for row in self._connection.execute(found)}
        return {vote for vote in votes if vote.unit not in held}

    def _count(self, lists: VoteLists, last_clicks: LastClicks) -> Said:
        return count(lists, self._settings.lists_per_user, last_clicks)

    def _first_lists(self, votes: Collection[Vote]) -> VoteLists:
        """Return the lists that count; of a vote with thousands, only those are fetched."""
        wanted = self._keys(impressions, Vote._fields, votes)
        place = sa.func.row_number().over(
            partition_by=list(wanted.c), order_by=[impressions.c.at, impressions.c.query_id]
        )
        lists = self._at(wanted, impressions, *_LIST).add_columns(place.label("place")).subquery()
        found: VoteLists = {}
        for row in self._connection.execute(sa.select(lists).where(lists.c.place <= self._settings.lists_per_user)):
            vote = Vote(row.query_key, row.unit, row.period)
            found.setdefault(vote, []).append(stored_list(row))
        return found

    def _events_of(self, query_ids: Collection[str]) -> Told:
        statement = sa.select(events).where(self._mine(events))
        return by_list(
            event_of(row)
            for some in _chunks(sorted(query_ids))
            for row in self._connection.execute(statement.where(events.c.query_id.in_(some)))
        )

    def _refresh_outcomes(self, query_ids: Collection[str]) -> None:
        """Recompute what is known of these impressions' users."""
        known, told = self._stored_lists(query_ids), self._events_of(query_ids)
        joined = {key: recompute(one, told.get(key, ()), self._settings.lateness_days) for key, one in known.items()}
        self._write_outcomes([one for key, one in joined.items() if one != known[key]])

    def _write_outcomes(self, lists: Iterable[ShownList]) -> None:
        rows = [outcome_row(one.outcome) | {"key": one.query_id} for one in lists]
        if rows:
            mine = self._mine(impressions) & (impressions.c.query_id == sa.bindparam("key"))
            values: dict[str, Any] = {name: sa.bindparam(name) for name in outcome_row(NO_OUTCOME)}
            self._connection.execute(sa.update(impressions).where(mine).values(values), rows)

    def _recount_clicks(self, first_period: int | None) -> None:
        clicks = sa.func.json_array_length(impressions.c.outcome["clicked"])
        wrong = self._since(impressions, first_period) & (impressions.c.clicks != clicks)
        self._connection.execute(sa.update(impressions).where(wrong).values(clicks=clicks))

    def _stored_lists(self, query_ids: Collection[str]) -> dict[str, ShownList]:
        """Return lists of open weeks by query id."""
        statement = sa.select(*_LIST).where(self._since(impressions))
        return {
            row.query_id: stored_list(row)
            for some in _chunks(sorted(query_ids))
            for row in self._connection.execute(statement.where(impressions.c.query_id.in_(some)))
        }

    def _add(self, changes: dict[EvidenceKey, EvidenceCounts]) -> Set[EvidenceKey]:
        """Add `changes` to the evidence, and return where. Safe to read and write back: the counter's row is locked."""
        stored = {
            EvidenceKey(*(getattr(row, name) for name in EvidenceKey._fields)): counts_of(row)
            for row in self._connection.execute(self._at(self._keys(evidence, EvidenceKey._fields, changes), evidence))
        }
        rows = [self._evidence_row(key, add_counts(stored.get(key), change)) for key, change in sorted(changes.items())]
        upsert(self._connection, evidence, rows)
        return changes.keys()

    def _clear_evidence(self, first_period: int | None) -> None:
        nothing = counts_row(NO_COUNTS) | {"change": self._change}
        founded = self._since(evidence, first_period) & _says_something()
        self._connection.execute(sa.update(evidence).where(founded).values(nothing))

    def _evidence_row(self, key: EvidenceKey, counts: EvidenceCounts) -> dict[str, Any]:
        return {"collection": self._collection} | key._asdict() | counts_row(counts) | {"change": self._change}

    def _keys(self, table: sa.Table, names: Sequence[str], keys: Collection[tuple[Any, ...]]) -> sa.CTE:
        with_collection = [(self._collection, *key) for key in sorted(keys)]
        return keys_as_rows(self._connection, [table.c[name] for name in ("collection", *names)], with_collection)

    def _at(self, wanted: sa.CTE, table: sa.Table, *columns: sa.Column[Any]) -> sa.Select[Any]:
        return sa.select(*(columns or (table,))).join_from(
            wanted, table, sa.and_(*(table.c[key.name] == key for key in wanted.c))
        )

    def _mine(self, table: sa.Table) -> sa.ColumnElement[bool]:
        return table.c.collection == self._collection

    def _since(self, table: sa.Table, first_period: int | None = None) -> sa.ColumnElement[bool]:
        """Choose the rows of a week and of later ones, as far as these are open."""
        bounds = [bound for bound in (first_period, self._first_open) if bound is not None]
        return self._mine(table) & (table.c.period >= max(bounds)) if bounds else self._mine(table)

    def _open(self, places: Places) -> Places:
        """Return the lists of weeks that take feedback in."""
        first = self._first_open
        return {key: vote for key, vote in places.items() if first is None or vote.period >= first}


def _recounted(connection: sa.Connection, collection: str, settings: Settings) -> _Fold:
    """Return the statements, after a recount where one is due: counts by other rules cannot be taken out again."""
    fold = _Fold(connection, collection, settings)
    if must_recount(connection, collection):
        fold.replay(None)
    return fold


def _says_something() -> sa.ColumnElement[bool]:
    told = (evidence.c[name] != 0 for name in ("satisfied", "dissatisfied", "ratings", "conversions"))
    return sa.or_(sa.cast(evidence.c.shown, sa.Text) != json.dumps(NO_COUNTS.shown), *told)


def _by_vote(places: Places, lists: Mapping[str, ShownList]) -> list[tuple[Vote, ShownList]]:
    return [(places[key], one) for key, one in lists.items()]


def _lists_by_vote(places: Places) -> dict[Vote, list[str]]:
    lists: dict[Vote, list[str]] = {}
    for query_id, vote in places.items():
        lists.setdefault(vote, []).append(query_id)
    return lists


def _chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Cut into parts that fit the databases' limit of bound values."""
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))


def _select_votes(*others: sa.Column[Any]) -> sa.Select[Any]:
    return sa.select(*others, *(impressions.c[name] for name in Vote._fields))
