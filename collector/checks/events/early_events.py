"""Events that happened before their list was shown."""

from __future__ import annotations

from collector.checks.events.skewed_clocks import TOLERATED
from collector.checks.finding import Finding, tell
from collector.checks.snapshot import JoinSnapshot
from collector.fold.lists import EARLIEST


def early_events(snapshot: JoinSnapshot) -> Finding:
    """Count the events that lie before their own cause."""
    joined = [(event, event.about) for event in snapshot.events if event.about is not None]
    return tell(
        "events-before-list",
        f"Events dated more than {TOLERATED.total_seconds() / 60:.0f} minutes before their list was shown; those dated "
        f"more than {EARLIEST.total_seconds() / 3600:.0f} hours before it are kept, and counted for nothing.",
        [event.id for event, about in joined if about.at - event.at > TOLERATED],
        len(joined),
        "Leave out `at` where events are sent at once; else send the moment in its zone, such as 2026-01-05T10:00:00Z. "
        "A wrong zone is off by whole hours, a default value of a date by years.",
    )
