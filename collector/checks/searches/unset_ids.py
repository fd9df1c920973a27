"""Query ids that are no ids but the text of a variable that was never set."""

from __future__ import annotations

from collector.checks.finding import Finding
from collector.checks.snapshot import JoinSnapshot
from collector.intake.unset_ids import is_unset


def unset_ids(snapshot: JoinSnapshot) -> Finding:
    """Count the events about a query id such as `undefined`: those refused lately, and those kept before."""
    kept = [event.id for event in snapshot.events if is_unset(event.query_id)]
    count = len(kept) + snapshot.refused_unset
    return Finding(
        name="query-ids-unset",
        meaning="Events whose query_id is `undefined`, `null` or `[object Object]`: the page sent a variable that it "
        "never set. They are refused; those refused since this process began to serve are counted.",
        count=count,
        of=len(snapshot.events) + snapshot.refused_unset,
        example_id=kept[0] if kept else "",
        advice="Send the query_id of the search's answer; look for code that reports before it has one."
        if count
        else "",
    )
