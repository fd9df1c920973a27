"""Events that were sent twice under different ids."""

from __future__ import annotations

from collector.checks.finding import Finding, tell
from collector.checks.snapshot import JoinedEvent, JoinSnapshot


def repeated_events(snapshot: JoinSnapshot) -> Finding:
    """Count the events that equal an earlier one in everything but the id."""
    known: set[tuple[object, ...]] = set()
    repeated = []
    for event in reversed(snapshot.events):
        said = _said(event)
        if said in known:
            repeated.append(event.id)
        known.add(said)
    return tell(
        "events-repeated",
        "Events that say what another one said, time included, under another id: probably one event sent twice. Clicks "
        "of one list count once all the same; conversions do not.",
        repeated,
        len(snapshot.events),
        "Let the app give each event an id and send the same id in every retry; check that no two trackers report the "
        "same page.",
    )


def _said(event: JoinedEvent) -> tuple[object, ...]:
    return (event.type, event.query_id, event.document_id, event.user, event.value, event.at)
