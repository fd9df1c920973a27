"""Takes a batch of records in: stores what is new, joins it, and brings the evidence up to date."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import sqlalchemy as sa

from collector.fold.lists import EventsByList, ShownList, adds_up, apply, by_list, recompute
from collector.fold.votes import (
    LastClicks,
    PersonWeek,
    Vote,
    VotesByList,
    count,
    is_nameless,
    renew,
    renew_clicks,
    vote_of,
)
from collector.intake.erased import without_erased
from collector.intake.event_ids import count_conflicts
from collector.join.evidence import add_changes, reconsider, without_held
from collector.join.examination import read_last_clicks
from collector.join.lists import (
    add_pages,
    gather_pages,
    read_events_about,
    read_first_lists,
    read_lists,
    read_votes_by_list,
    write_outcomes,
)
from collector.join.outcomes import add_outcomes, read_changes
from collector.join.rows import event_of, event_row, impression_row, list_of, with_conflicts
from collector.join.scope import Scope, select_at
from collector.tables import events, impressions
from foundation.contracts import FeedbackEvent, Impression
from foundation.database.engine import insert_missing
from foundation.settings import Settings


def fold_batch(connection: sa.Connection, records: Iterable[Impression | FeedbackEvent], settings: Settings) -> int:
    """Store impressions and events, join them, and bring evidence up to date.

    Runs inside the caller's write transaction. Records that are stored already, or that come twice,
    change nothing. Batches of one collection wait for each other, so several consumers may run.
    The settings that decide what counts must stay as they are; after changing them, replay.

    Returns:
        How many records were dropped because they are of people erased since.
    """
    by_collection: dict[str, list[Impression | FeedbackEvent]] = {}
    for record in records:
        by_collection.setdefault(record.collection, []).append(record)
    return sum(
        _fold(Scope.lock(connection, collection, settings), by_collection[collection])
        for collection in sorted(by_collection)  # the same order everywhere, so that no two consumers deadlock
    )


def _fold(scope: Scope, given: Sequence[Impression | FeedbackEvent]) -> int:
    """Fold the records of one collection; nobody can be erased meanwhile, for an erasure waits for the scope."""
    records = without_erased(scope.connection, scope.collection, given)
    news = _store_new_events(scope, [record for record in records if isinstance(record, FeedbackEvent)])
    shown = gather_pages(one for one in records if isinstance(one, Impression))
    stored = read_votes_by_list(scope, shown.keys() | news.keys())
    fresh = scope.only_open({key: vote_of(one) for key, one in shown.items() if key not in stored})
    touched = scope.only_open({key: stored[key] for key in (*news, *shown) if key in stored})
    _join(scope, shown, fresh=fresh, touched=touched, news=news)
    return len(given) - len(records)


def _store_new_events(scope: Scope, given: Sequence[FeedbackEvent]) -> EventsByList:
    """Store events and return those that were not stored yet, each once."""
    wanted = scope.keys(events, ("id",), {(event.id,) for event in given})
    stored = {row.id: row for row in scope.connection.execute(select_at(wanted, events))}
    news = {event.id: event for event in reversed(given) if event.id not in stored}
    conflicts = count_conflicts(given, news | {id_: event_of(row) for id_, row in stored.items()})
    rows = [event_row(event, scope.change) for event in news.values()]
    for row in rows:
        row["body"] = with_conflicts(row["body"], conflicts[row["id"]])
    insert_missing(scope.connection, events, rows)
    for id_ in sorted(conflicts.keys() & stored.keys()):
        body = with_conflicts(stored[id_].body, conflicts[id_])
        scope.connection.execute(sa.update(events).where(scope.mine(events), events.c.id == id_).values(body=body))
    return by_list(news.values())


def _join(
    scope: Scope, shown: Mapping[str, Impression], *, fresh: VotesByList, touched: VotesByList, news: EventsByList
) -> None:
    """Add the lists that are new and the events about them and about stored ones; count what both change."""
    votes = {*fresh.values(), *touched.values()}
    lists = read_first_lists(scope, votes)
    known = {one.query_id: one for some in lists.values() for one in some}
    known |= read_lists(scope, touched.keys() - known.keys())  # of busy users, behind the lists that count
    new = {key: list_of(shown[key]) for key in fresh}
    grown = _add_pages(scope, {key: shown[key] for key in touched if key in shown}, known)
    added, joined = _join_events(scope, new, {key: grown.get(key, known[key]) for key in touched}, news, grown.keys())
    changed = {key: one for key, one in joined.items() if one != known[key]}
    moved = [*_by_vote(fresh, added), *_by_vote(touched, changed)]
    clicks = _read_last_clicks(scope, moved)
    renewed = renew_clicks(clicks, moved)
    free = without_held(scope, votes)
    outcomes = read_changes(
        scope,
        new=[(shown[key], one) for key, one in added.items()],
        changed={key: (known[key], one) for key, one in changed.items()},
        silent={key for key, vote in (*fresh.items(), *touched.items()) if vote not in free},
    )
    rows = [impression_row(shown[key], added[key].outcome, scope.change) for key in fresh]
    insert_missing(scope.connection, impressions, rows)
    write_outcomes(scope, changed.values())
    add_outcomes(scope, outcomes)
    before = {vote: some for vote, some in lists.items() if vote in free}
    after = renew(before, [(vote, added[key]) for key, vote in fresh.items() if vote in free], changed)
    per_user = scope.settings.lists_per_user
    add_changes(scope, count(before, per_user, clicks), count(after, per_user, renewed))
    reconsider(scope, clicks, renewed, before.keys() | after.keys())


def _add_pages(scope: Scope, pages: Mapping[str, Impression], known: Mapping[str, ShownList]) -> dict[str, ShownList]:
    """Store further pages of stored lists, and return the lists that grew."""
    add_pages(scope, pages)
    return {key: one for key, one in read_lists(scope, pages.keys()).items() if one != known[key]}


def _join_events(
    scope: Scope,
    fresh: Mapping[str, ShownList],
    known: Mapping[str, ShownList],
    news: EventsByList,
    grown: Collection[str],
) -> tuple[dict[str, ShownList], dict[str, ShownList]]:
    """Return the new lists and the known ones with their outcomes.

    Args:
        grown: Those of the known lists that show more than they did.
    """
    days = scope.settings.lateness_days
    unclear = {key for key, one in known.items() if key in grown or not adds_up(one.outcome, news.get(key, ()))}
    about = read_events_about(scope, fresh.keys() | unclear)
    added = {key: recompute(one, about.get(key, ()), days) for key, one in fresh.items()}
    joined = {
        key: recompute(one, about.get(key, ()), days) if key in unclear else apply(one, news.get(key, ()), days)
        for key, one in known.items()
    }
    return added, joined


def _read_last_clicks(scope: Scope, lists: Iterable[tuple[Vote, ShownList]]) -> LastClicks:
    """Return the last clicks of the people whose lists these are; nobody knows who left nameless ones."""
    weeks = {PersonWeek.of(vote) for vote, one in lists if not is_nameless(vote, [one])}
    return read_last_clicks(scope.connection, scope.collection, weeks)


def _by_vote(votes: VotesByList, lists: Mapping[str, ShownList]) -> list[tuple[Vote, ShownList]]:
    return [(votes[key], one) for key, one in lists.items()]
