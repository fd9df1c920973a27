"""Events that came too long after their search."""

from __future__ import annotations

from collector.checks.finding import Finding, tell
from collector.checks.snapshot import JoinSnapshot
from collector.fold.lists import in_time


def late_events(snapshot: JoinSnapshot) -> Finding:
    """Count the events that are kept and not folded, for they happened too late."""
    joined = [(event, event.about) for event in snapshot.events if event.about is not None]
    return tell(
        "events-late",
        f"Events more than {snapshot.lateness_days:g} days after their list was shown: kept, and counted for nothing.",
        [event.id for event, about in joined if not in_time(event.at, about.at, snapshot.lateness_days)],
        len(joined),
        "If people come back to old lists, set CLICKLOOP_LATENESS_DAYS higher and run clickloop replay; else look "
        "for a client that keeps an old query_id.",
    )
