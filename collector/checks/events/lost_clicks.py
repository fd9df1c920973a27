"""Clicks whose search was never logged."""

from __future__ import annotations

from collector.checks.finding import Finding, tell
from collector.checks.snapshot import JoinSnapshot


def lost_clicks(snapshot: JoinSnapshot) -> Finding:
    """Count the clicks that wait for an impression."""
    clicks = [event for event in snapshot.events if event.type == "click"]
    return tell(
        "clicks-without-impression",
        "Clicks whose query_id belongs to no logged search: they teach nothing until it arrives.",
        [event.id for event in clicks if event.about is None],
        len(clicks),
        "Send the query_id of the search's answer unchanged, to the same collection.",
    )
