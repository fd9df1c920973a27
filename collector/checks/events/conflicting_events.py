"""Different events under one id."""

from __future__ import annotations

from collector.checks.finding import Finding, tell
from collector.checks.snapshot import JoinSnapshot


def conflicting_events(snapshot: JoinSnapshot) -> Finding:
    """Count the events whose id came again with other content, of which only the first counts."""
    return tell(
        "ids-conflict",
        "Events whose id came again for something else: the first one counts, the others are not kept.",
        [event.id for event in snapshot.events if event.conflicts],
        len(snapshot.events),
        "Give each event an id of its own and send the same id only in retries; or leave it out.",
    )
