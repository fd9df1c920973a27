"""Searches nobody said anything about."""

from __future__ import annotations

from collector.checks.finding import Finding
from collector.checks.snapshot import JoinSnapshot

ALARMING_SHARE = 0.98


def unheard_impressions(snapshot: JoinSnapshot) -> Finding:
    """Count the searches without any feedback."""
    silent = [search.query_id for search in snapshot.searches.values() if not search.joined]
    share = len(silent) / len(snapshot.searches) if snapshot.searches else 0.0
    return Finding(
        name="impressions-without-feedback",
        meaning=f"Searches without any event, {share:.0%} of all: some are normal, nearly all are not.",
        count=len(silent),
        of=len(snapshot.searches),
        example_id=silent[0] if silent else "",
        advice="Check that the app reports clicks, from every page that searches." if share > ALARMING_SHARE else "",
    )
