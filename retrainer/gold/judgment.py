"""Judgments by people: how well a document answers a query (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from foundation.contracts import query_key

MAX_GRADE = 10
"""The highest grade; 0 is a document that does not answer, and people usually give up to 3."""

Grades = dict[str, dict[str, int]]
"""Grades by query key and document id."""


@dataclass(frozen=True, slots=True)
class GoldJudgment:
    """How well a document answers a query, as a person sees it.

    Attributes:
        query: As people ask it.
        grade: 0 to `MAX_GRADE`.
    """

    query: str
    document_id: str
    grade: int


@dataclass(frozen=True, slots=True)
class StandingJudgment(GoldJudgment):
    """A judgment of the gold set, with who gave it and when."""

    judged_at: datetime
    actor: str


def grades_of(judgments: Iterable[GoldJudgment]) -> Grades:
    """Return grades by query key and document; of two for one pair the higher counts."""
    grades: Grades = {}
    for one in judgments:
        known = grades.setdefault(query_key(one.query), {})
        known[one.document_id] = max(one.grade, known.get(one.document_id, 0))
    return grades
