"""Impressions, events and counts as rows of the tables, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from collector.fold.counts import EvidenceCounts
from collector.fold.exposure import OutcomeKey, day_of
from collector.fold.lists import ShownList
from collector.fold.outcomes import NO_OUTCOME, Outcome
from collector.fold.votes import vote_of
from foundation.contracts import FeedbackEvent, Impression

CONFLICTS = "conflicts"
"""Where a stored event says how often its id came again with other content."""

ADDED_BY = "change"
"""Where a result of a further page says which change of the evidence brought it."""

PAGE = "page"
"""The surface of lists that people look at; agents are shown the others."""

_COUNTS = tuple(field.name for field in fields(EvidenceCounts))
_EVENT = ("collection", "id", "type", "query_id", "at", "received_at")
_IMPRESSION = (
    *("collection", "query_id", "query", "version", "experiment", "arm", "surface", "drawn_by", "at"),
    *("run", "plan_hash", "first_difference", "had_evidence", "known", "took_ms"),
)
_values_of_impression, _values_of_event, _counts_of = (attrgetter(*names) for names in (_IMPRESSION, _EVENT, _COUNTS))


def ranks_of(results: list[dict[str, Any]]) -> dict[str, int]:
    """Return the rank of each document of a stored list; the better one of a document shown twice."""
    return {result["id"]: result["rank"] for result in reversed(results)}


def list_of(impression: Impression) -> ShownList:
    """Return an impression as it is counted, before anything is known of its user."""
    ranks = {result.id: result.rank for result in reversed(impression.results)}
    exposure = exposure_of(impression, randomization_unit(impression)) if impression.experiment else None
    slots = [(one.rank, one.team, one.own_ranks) for one in impression.results] if exposure else []
    to_person = impression.surface == PAGE
    forced = frozenset(result.rank for result in impression.results if result.forced)
    shown = (impression.query_id, impression.at, ranks, NO_OUTCOME, to_person, exposure)
    return ShownList(*shown, *_draft_of(slots), forced)


def stored_list(row: sa.Row[Any], until: int | None = None) -> ShownList:
    """Return a stored impression as it is counted.

    Args:
        until: The last change whose further pages belong to it; None for all of them.
    """
    results = row.results if until is None else [one for one in row.results if one.get(ADDED_BY, 0) <= until]
    outcome, ranks = Outcome.from_json(row.outcome), ranks_of(results)
    exposure = exposure_of(row, row.drawn_by) if row.experiment else None
    slots = [(one["rank"], one["team"], one.get("own_ranks", ())) for one in results] if exposure else []
    shown = (row.query_id, row.at, ranks, outcome, row.surface == PAGE, exposure)
    return ShownList(*shown, *_draft_of(slots), frozenset(one["rank"] for one in results if one.get("forced")))


def exposure_of(shown: Any, unit: str) -> OutcomeKey:
    """Return where an impression of an experiment counts, or a stored one.

    Args:
        unit: The randomization unit.
    """
    strata = (shown.arm, shown.surface, shown.known, shown.had_evidence)
    return OutcomeKey(shown.experiment, shown.run, unit, day_of(shown.at), *strata)


def _draft_of(slots: Sequence[tuple[int, str, Sequence[int]]]) -> tuple[tuple[str, ...], int]:
    """Return the team of each slot and how many rankings were interleaved; none where a list is not interleaved.

    Args:
        slots: Rank, team, and the ranks in each ranking's own list.
    """
    if not any(team for _, team, _ in slots):
        return (), 0
    teams = {rank: team for rank, team, _ in slots}
    return tuple(teams.get(rank, "") for rank in range(1, max(teams) + 1)), len(slots[0][2])


def outcome_row(shown: ShownList) -> dict[str, Any]:
    """Return what is known of a list's user as it is stored."""
    outcome = shown.outcome
    clicks = {"clicks": len(outcome.clicked), "forced_clicks": shown.forced_clicks}
    return {"outcome": outcome.to_json(), **clicks}


def randomization_unit(impression: Impression) -> str:
    """Return whom an experiment counts a list for; "" where an older release wrote nobody down outside experiments."""
    return impression.drawn_by or (impression.unit if impression.experiment else "")


def impression_row(impression: Impression, outcome: Outcome, change: int) -> dict[str, Any]:
    """Return an impression as a change of the evidence stores it."""
    columns = dict(zip(_IMPRESSION, _values_of_impression(impression), strict=True))
    columns |= {"drawn_by": randomization_unit(impression), "change": change}
    shown = replace(list_of(impression), outcome=outcome)
    return columns | vote_of(impression)._asdict() | {"results": result_rows(impression)} | outcome_row(shown)


def result_rows(impression: Impression) -> list[dict[str, Any]]:
    """Return the results of an impression as they are stored."""
    results: list[
        dict[str, Any]
    ] = [  # written out: there are ten in a list, and this takes a third of the time of going by the fields
        {
            "id": result.id,
            "rank": result.rank,
            "score": result.score,
            "team": result.team,
            "propensity": result.propensity,
        }
        for result in impression.results
    ]
    for row, result in zip(results, impression.results, strict=True):
        if result.own_ranks and impression.experiment:
            row["own_ranks"] = result.own_ranks
        if result.forced:
            row["forced"] = True
    return results


def event_row(event: FeedbackEvent, change: int) -> dict[str, Any]:
    """Return an event as a change of the evidence stores it."""
    origin: dict[str, Any] = {"source": event.source, "position": event.position} if event.source else {}
    doubt = {"distrusted": event.distrusted} if event.distrusted else {}
    body = {"document_id": event.document_id, "user": event.user, "value": event.value}
    name = {"name": event.name} if event.name else {}
    columns = dict(zip(_EVENT, _values_of_event(event), strict=True))
    return columns | {"body": body | origin | doubt | name, "change": change}


def with_conflicts(body: dict[str, Any], count: int) -> dict[str, Any]:
    """Return the body of a stored event whose id came so many more times with other content."""
    return body | {CONFLICTS: body.get(CONFLICTS, 0) + count} if count else body


def event_of(row: sa.Row[Any]) -> FeedbackEvent:
    """Return a stored event."""
    return FeedbackEvent(**event_fields(row))


def event_fields(row: sa.Row[Any]) -> dict[str, Any]:
    """Return the fields of a stored event by name."""
    columns = dict(zip(_EVENT, _values_of_event(row), strict=True))
    return columns | {name: value for name, value in row.body.items() if name != CONFLICTS}


def counts_of(row: sa.Row[Any]) -> EvidenceCounts:
    """Return the counts of a stored row of evidence."""
    return EvidenceCounts(*_counts_of(row))


def counts_row(counts: EvidenceCounts) -> dict[str, Any]:
    """Return counts as they are stored."""
    return dict(zip(_COUNTS, _counts_of(counts), strict=True))
