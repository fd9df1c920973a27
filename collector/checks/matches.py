"""Checks whether events find the lists they are about, and lists their events."""

from __future__ import annotations

from collector.checks.finding import Finding, tell
from collector.checks.snapshot import JoinSnapshot

USUALLY_SILENT = 0.98
"""The share of searches without feedback up to which nothing is wrong."""


def lost_clicks(snapshot: JoinSnapshot) -> Finding:
    """Count the clicks that wait for an impression."""
    clicks = [event for event in snapshot.events if event.type == "click"]
    return tell(
        "clicks-without-impression",
        "Clicks whose query_id belongs to no logged search: they teach nothing until it arrives.",
        [event.id for event in clicks if event.about is None],
        of=len(clicks),
        advice="Send the query_id of the search's answer unchanged, to the same collection.",
    )


def unasked_views(snapshot: JoinSnapshot) -> Finding:
    """Count the hits that were seen in a list that is unknown."""
    views = [event for event in snapshot.events if event.type == "seen"]
    return tell(
        "views-without-query",
        "Hits that were seen in the answer to a query that was never logged: nothing says what else was shown.",
        [event.id for event in views if event.about is None],
        of=len(views),
        advice="An engine of your own must send its queries too, by /ubi_queries with query_response_hit_ids or as a "
        "Metarank ranking, under the same query_id.",
    )


def stray_clicks(snapshot: JoinSnapshot) -> Finding:
    """Count the clicks on documents outside the list they belong to."""
    clicks = [(event, event.about) for event in snapshot.events if event.type == "click" and event.about is not None]
    return tell(
        "clicks-not-shown",
        "Clicks on documents that their search did not show; they are not counted.",
        [event.id for event, about in clicks if event.document_id not in about.ranks],
        of=len(clicks),
        advice="Send the hit's id as document_id, and let each search's clicks carry its own query_id.",
    )


def silent_impressions(snapshot: JoinSnapshot) -> Finding:
    """Count the searches without any feedback."""
    silent = [search.query_id for search in snapshot.searches.values() if not search.joined]
    share = len(silent) / len(snapshot.searches) if snapshot.searches else 0.0
    return tell(
        "impressions-without-feedback",
        f"Searches without any event, {share:.0%} of all: some are normal, nearly all are not.",
        silent,
        of=len(snapshot.searches),
        advice="Check that the app reports clicks, from every page that searches.",
        usual_share=USUALLY_SILENT,
    )
