"""Searches nobody said anything about."""

from __future__ import annotations

from collector.checks.finding import Finding
from collector.checks.snapshot import Look

ALARMING_SHARE = 0.98


def unheard_impressions(look: Look) -> Finding:
    """Count the searches without any feedback."""
    silent = [search.query_id for search in look.searches.values() if not search.heard]
    share = len(silent) / len(look.searches) if look.searches else 0.0
    return Finding(
        name="impressions-without-feedback",
        meaning=f"Searches without any event, {share:.0%} of all: some are normal, nearly all are not.",
        count=len(silent),
        of=len(look.searches),
        example_id=silent[0] if silent else "",
        advice="Check that the app reports clicks, from every page that searches." if share > ALARMING_SHARE else "",
    )
