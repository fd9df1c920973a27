"""What a simulated user reports of one answered search (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from foundation.ids import digest_json
from simulator.traffic import Visit
from simulator.users import User, gain


@dataclass(frozen=True, slots=True)
class Habits:
    """What users tell beside their clicks.

    Attributes:
        dwell_share: Share of clicks whose reading time is reported.
        rating_share: Share of clicks that are rated.
        verdict_share: Share of visits whose user says at the end whether the question was resolved.
        read_s: Median reading time of a document that answers, in seconds.
        glance_s: Median reading time of one that does not; the two overlap, as they do in life.
    """

    dwell_share: float = 0.3
    rating_share: float = 0.03
    verdict_share: float = 0.0
    read_s: float = 45.0
    glance_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Reader:
    """One person in front of result lists: a click model and habits, and the best grade of the collection."""

    user: User
    habits: Habits
    max_grade: int = 1

    def events(
        self, visit: Visit, query_id: str, shown: Sequence[str], grades: Sequence[int], rng: np.random.Generator
    ) -> list[dict[str, Any]]:
        """Return the events of one visit in the form of `POST /v1/events`; they name nobody who did not sign in.

        The same visit, answer and source of chance give the same events and ids. Grades are those of the shown
        documents, rank 1 first.
        """
        who = {"user": visit.user} if visit.user else {}
        events: list[dict[str, Any]] = []
        resolved = False
        for rank in self.user.clicks(grades, rng):
            satisfied = rng.random() < gain(grades[rank - 1], self.max_grade)
            resolved |= satisfied
            events += [{"document_id": shown[rank - 1], **event} for event in self._after_click(satisfied, rng)]
        if self.habits.verdict_share and rng.random() < self.habits.verdict_share:
            events.append({"type": "resolved" if resolved else "unresolved"})
        names = (digest_json([visit.number, visit.session, query_id, place])[:32] for place in range(len(events)))
        return [{"id": name, "query_id": query_id, **event, **who} for name, event in zip(names, events, strict=True)]

    def _after_click(self, satisfied: bool, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
        yield {"type": "click"}
        if rng.random() < self.habits.dwell_share:
            median_s = self.habits.read_s if satisfied else self.habits.glance_s
            yield {"type": "dwell", "value": round(median_s * float(rng.lognormal(0, 0.8)), 1)}
        if rng.random() < self.habits.rating_share:
            yield {"type": "rating", "value": int(rng.integers(4, 6) if satisfied else rng.integers(1, 3))}
