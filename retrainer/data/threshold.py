"""How many clicked queries learning needs, stated once for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from collector.api import count_clicked_queries
from foundation.clock import period_of
from foundation.contracts import Evidence

FOLDS = 6
"""Query clusters fall into so many folds; a version is judged by folds that it has not learned from."""
JUDGED_WEEKS = 4
"""Candidates are judged by evidence of the present week and of four before it, learned from all."""
MIN_JUDGED = 20
"""Queries that the gate needs to judge by."""
MIN_CLICKED = 40
"""Clicked queries that learning needs: each judges once, by a version that has not learned from it."""
MIN_KEPT_ASIDE = 30
"""With so many clicked queries in the first fold it judges alone, and nothing is trained for each of the others."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """How near a collection is to what learning needs.

    Attributes:
        clicked: Queries with clicks in the present week and the four before it, or resolved without one.
    """

    clicked: int

    @property
    def reached(self) -> bool:
        """Whether a candidate can be judged."""
        return self.clicked >= MIN_CLICKED

    def tell(self) -> str:
        """Return what there is and what is needed, in a sentence."""
        have = "query has" if self.clicked == 1 else "queries have"
        return f"{self.clicked} {have} clicks lately; learning needs {MIN_CLICKED}, each of which judges once"


def is_clicked(row: Evidence) -> bool:
    """Return whether somebody speaks for a document, by a click or as satisfied without one."""
    return row.users > 0


def read_threshold(engine: sa.Engine, collection: str, now: datetime) -> Threshold:
    """Return how near a collection is to what learning needs; one query."""
    first_week = period_of(now) - JUDGED_WEEKS
    return Threshold(count_clicked_queries(engine, collection, first_week))
