"""Checks what senders say of events, people and queries: ids that repeat, conflict or are missing."""

from __future__ import annotations

from collector.checks.finding import Finding, tell
from collector.checks.snapshot import JoinSnapshot
from collector.intake.event_ids import content_of, is_unset


def distrusted_events(snapshot: JoinSnapshot) -> Finding:
    """Count the events that are kept and do not count, for nobody can know that they are true."""
    return tell(
        "events-distrusted",
        "Events about a query_id that was not issued here, or from a sender that calls itself a crawler: kept, and "
        "counted for nothing.",
        [event.id for event in snapshot.events if event.distrusted],
        of=len(snapshot.events),
        advice="Send the query_id of an answer as it came, signature and all; if the app makes its own, announce its "
        "lists first (UBI queries, Metarank rankings). Crawlers need nothing done.",
    )


def repeated_events(snapshot: JoinSnapshot) -> Finding:
    """Count the events that equal an earlier one in everything but the id."""
    known: set[tuple[object, ...]] = set()
    repeated = []
    for event in reversed(snapshot.events):
        content = (*content_of(event), event.at)
        if content in known:
            repeated.append(event.id)
        known.add(content)
    return tell(
        "events-repeated",
        "Events that say what another one said, time included, under another id: probably one event sent twice. Clicks "
        "of one list count once all the same; conversions do not.",
        repeated,
        of=len(snapshot.events),
        advice="Let the app give each event an id and send the same id in every retry; check that no two trackers "
        "report the same page.",
    )


def conflicting_events(snapshot: JoinSnapshot) -> Finding:
    """Count the events whose id came again with other content, of which only the first counts."""
    return tell(
        "ids-conflict",
        "Events whose id came again for something else: the first one counts, the others are not kept.",
        [event.id for event in snapshot.events if event.conflicts],
        of=len(snapshot.events),
        advice="Give each event an id of its own and send the same id only in retries; or leave it out.",
    )


def unset_ids(snapshot: JoinSnapshot) -> Finding:
    """Count the events about a query id such as `undefined`: those refused lately, and those kept before."""
    kept = [event.id for event in snapshot.events if is_unset(event.query_id)]
    count = len(kept) + snapshot.refused_unset
    return Finding(
        name="query-ids-unset",
        meaning="Events whose query_id is `undefined`, `null` or `[object Object]`: the page sent a variable that it "
        "never set. They are refused; those refused since this process began to serve are counted.",
        count=count,
        of=len(snapshot.events) + snapshot.refused_unset,
        example_id=kept[0] if kept else "",
        advice="Send the query_id of the search's answer; look for code that reports before it has one."
        if count
        else "",
    )


def nameless_searches(snapshot: JoinSnapshot) -> Finding:
    """Count the searches that neither a user nor a session was sent with; agents need none."""
    people = [search for search in snapshot.searches.values() if search.surface != "agent"]
    return tell(
        "searches-without-user",
        "Searches with neither user nor session: each counts as somebody else's in an experiment, all together "
        "as one person's in reports, and what one visitor does cannot be capped.",
        [search.query_id for search in people if search.nameless],
        of=len(people),
        advice="Send `user`, or `session` for people without one, with every search.",
        usual_share=0.5,
    )
