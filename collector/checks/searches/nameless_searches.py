"""Pages that do not say who searches."""

from __future__ import annotations

from collector.checks.finding import Finding
from collector.checks.snapshot import JoinSnapshot

ALARMING_SHARE = 0.5


def nameless_searches(snapshot: JoinSnapshot) -> Finding:
    """Count the searches that neither a user nor a session was sent with; agents need none."""
    people = [search for search in snapshot.searches.values() if search.surface != "agent"]
    nameless = [search.query_id for search in people if search.nameless]
    return Finding(
        name="searches-without-user",
        meaning="Searches with neither user nor session: each counts as somebody else's in an experiment, all together "
        "as one person's in reports, and what one visitor does cannot be capped.",
        count=len(nameless),
        of=len(people),
        example_id=nameless[0] if nameless else "",
        advice="Send `user`, or `session` for people without one, with every search."
        if len(nameless) > ALARMING_SHARE * len(people)
        else "",
    )
