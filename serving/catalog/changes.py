"""What has changed in the database, in one statement: a service with nothing to do asks nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ab_testing.api import running_experiments
from foundation.database.engine import reading
from foundation.database.tables import counters
from foundation.registry.tables import champion_moves

DOCUMENTS = "documents:"
EVIDENCE = "evidence:"
FIELDS = "fields:"
RELEVANCE = "relevance:"
"""How the names of counters begin that a collection's name ends; each counts changes of its kind."""

_COUNTED = (DOCUMENTS, EVIDENCE, FIELDS, RELEVANCE)
_CHAMPION, _RUNNING = "champion", "running"
_STARTED = running_experiments()
_NO_TIME = sa.cast(sa.null(), _STARTED.c.started_at.type)
_STATEMENT = sa.union_all(
    sa.select(
        sa.literal("").label("kind"), counters.c.name, counters.c.value.label("number"), _NO_TIME.label("at")
    ).where(sa.or_(*(counters.c.name.startswith(prefix, autoescape=True) for prefix in _COUNTED))),
    sa.select(
        sa.literal(_CHAMPION),
        champion_moves.c.collection,
        sa.cast(sa.func.max(champion_moves.c.sequence), sa.BigInteger),
        _NO_TIME,
    ).group_by(champion_moves.c.collection),
    sa.select(
        sa.literal(_RUNNING),
        _STARTED.c.collection + ":" + _STARTED.c.id + ":" + _STARTED.c.pinned,
        sa.cast(sa.literal(0), sa.BigInteger),
        _STARTED.c.started_at,
    ),
)


@dataclass(frozen=True, slots=True)
class ChangeCounts:
    """How far everything was at one moment; what is equal has not changed.

    Attributes:
        documents: Last change of each collection's documents.
        evidence: The same of its evidence.
        fields: The same of its declared fields.
        relevance: The same of its relevance settings.
        champions: Number of the last move of its champion pointer.
        running: The experiments that run, each with the evidence that it pinned, and their starts.
    """

    documents: Mapping[str, int] = field(default_factory=dict)
    evidence: Mapping[str, int] = field(default_factory=dict)
    fields: Mapping[str, int] = field(default_factory=dict)
    relevance: Mapping[str, int] = field(default_factory=dict)
    champions: Mapping[str, int] = field(default_factory=dict)
    running: frozenset[tuple[str, datetime]] = frozenset()


def read_changes(engine: sa.Engine) -> ChangeCounts:
    """Return how far everything is now."""
    with reading(engine, once=True) as connection:
        rows = connection.execute(_STATEMENT).all()
    return ChangeCounts(
        _counted(rows, DOCUMENTS),
        _counted(rows, EVIDENCE),
        _counted(rows, FIELDS),
        _counted(rows, RELEVANCE),
        champions={row.name: row.number for row in rows if row.kind == _CHAMPION},
        running=frozenset((row.name, row.at) for row in rows if row.kind == _RUNNING),
    )


def _counted(rows: Any, prefix: str) -> dict[str, int]:
    return {
        row.name.removeprefix(prefix): row.number
        for row in rows
        if not row.kind and row.name.startswith(prefix) and row.number
    }
