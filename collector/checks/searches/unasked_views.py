"""Views of results whose query was never told."""

from __future__ import annotations

from collector.checks.finding import Finding, tell
from collector.checks.snapshot import JoinSnapshot


def unasked_views(snapshot: JoinSnapshot) -> Finding:
    """Count the hits that were seen in a list that is unknown."""
    views = [event for event in snapshot.events if event.type == "seen"]
    return tell(
        "views-without-query",
        "Hits that were seen in the answer to a query that was never logged: nothing says what else was shown.",
        [event.id for event in views if event.about is None],
        len(views),
        "An engine of your own must send its queries too, by /ubi_queries with query_response_hit_ids or as a "
        "Metarank ranking, under the same query_id.",
    )
