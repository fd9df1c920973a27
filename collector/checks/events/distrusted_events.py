"""Events that were let in with doubts."""

from __future__ import annotations

from collector.checks.finding import Finding, tell
from collector.checks.snapshot import JoinSnapshot


def distrusted_events(snapshot: JoinSnapshot) -> Finding:
    """Count the events that are kept and do not count, for nobody can know that they are true."""
    return tell(
        "events-distrusted",
        "Events about a query_id that was not issued here, or from a sender that calls itself a crawler: kept, and "
        "counted for nothing.",
        [event.id for event in snapshot.events if event.distrusted],
        len(snapshot.events),
        "Send the query_id of an answer as it came, signature and all; if the app makes its own, announce its lists "
        "first (UBI queries, Metarank rankings). Crawlers need nothing done.",
    )
