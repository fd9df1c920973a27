"""How many clicked queries learning needs, stated once for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from collector.api import count_clicked_queries
from foundation.clock import period_of
from foundation.contracts import Evidence

GATE_SHARE = 6
"""One query cluster in six is never learned from, only judged by."""
JUDGED_WEEKS = 4
"""Candidates are judged by evidence of the present week and of four before it, learned from all."""
MIN_JUDGED = 20
"""Queries kept aside that the gate needs to judge by."""
USUAL_QUERIES = 130
"""With so many clicked queries, one in six comes to at least 20 in seven of ten collections."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """How near a collection is to what learning needs.

    Attributes:
        clicked: Queries with clicks in the present week and the four before it, or resolved without one.
        judged: How many of them are kept aside to judge by; None where nobody looked.
    """

    clicked: int
    judged: int | None = None

    @property
    def reached(self) -> bool:
        """Whether a candidate can be judged; by what is usual where nobody looked at those kept aside."""
        return self.clicked >= USUAL_QUERIES if self.judged is None else self.judged >= MIN_JUDGED

    def tell(self) -> str:
        """Return what there is and what is needed, in a sentence."""
        aside = "" if self.judged is None else f", {self.judged} of them among those kept aside"
        have = "query has" if self.clicked == 1 else "queries have"
        return (
            f"{self.clicked} {have} clicks lately{aside}; learning needs about {USUAL_QUERIES}, for one in "
            f"{GATE_SHARE} is kept aside to judge by, and {MIN_JUDGED} of these are needed"
        )


def is_clicked(row: Evidence) -> bool:
    """Return whether somebody speaks for a document, by a click or as satisfied without one."""
    return row.users > 0


def read_threshold(engine: sa.Engine, collection: str, now: datetime) -> Threshold:
    """Return how near a collection is to what learning needs; one query."""
    first_week = period_of(now) - JUDGED_WEEKS
    return Threshold(count_clicked_queries(engine, collection, first_week))
