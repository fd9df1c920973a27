"""Clicks on documents that the search did not show."""

from __future__ import annotations

from collector.checks.finding import Finding, tell
from collector.checks.snapshot import JoinSnapshot


def stray_clicks(snapshot: JoinSnapshot) -> Finding:
    """Count the clicks on documents outside the list they belong to."""
    clicks = [(event, event.about) for event in snapshot.events if event.type == "click" and event.about is not None]
    return tell(
        "clicks-not-shown",
        "Clicks on documents that their search did not show; they are not counted.",
        [event.id for event, about in clicks if event.document_id not in about.ranks],
        len(clicks),
        "Send the hit's id as document_id, and let each search's clicks carry its own query_id.",
    )
