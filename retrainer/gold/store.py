"""The gold set of each collection: sole writer of gold_judgments, whose rows are never changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from foundation.clock import Clock
from foundation.contracts import query_key
from foundation.database.engine import reading, take_numbers, transaction
from foundation.ids import digest_bytes
from retrainer.gold.judgment import GoldJudgment, StandingJudgment
from retrainer.tables import gold_judgments


class GoldSet:
    """Judgments by people, by collection. Safe to use from many threads."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def add(self, collection: str, judgments: Sequence[GoldJudgment], actor: str) -> None:
        """Add judgments in one transaction; a later one of the same query and document takes the place of a former."""
        self._append(collection, [(one.query, one.document_id, one.grade) for one in judgments], actor)

    def remove(self, collection: str, queries: Collection[str], actor: str) -> int:
        """Take queries out of the set, in one transaction, and return how many judgments that were.

        Their rows stay, followed by one without a grade.
        """
        keys = {query_key(query) for query in queries}
        gone = [one for one in self.read(collection) if query_key(one.query) in keys]
        self._append(collection, [(one.query, one.document_id, None) for one in gone], actor)
        return len(gone)

    def read(self, collection: str) -> list[StandingJudgment]:
        """Return the judgments that stand, by query and document."""
        table, later = gold_judgments, gold_judgments.alias("later")
        same = (later.c[name] == table.c[name] for name in ("collection", "query", "document_id"))
        standing = (
            sa.select(table)
            .where(
                table.c.collection == collection,
                table.c.grade.is_not(None),
                ~sa.exists().where(*same, later.c.number > table.c.number),
            )
            .order_by(table.c.text, table.c.document_id)
        )
        with reading(self._engine) as connection:
            return [
                StandingJudgment(row.text, row.document_id, row.grade, row.judged_at, row.actor)
                for row in connection.execute(standing)
            ]

    def _append(self, collection: str, changes: Sequence[tuple[str, str, int | None]], actor: str) -> None:
        if not changes:
            return
        at = self._clock.now()
        with transaction(self._engine) as connection:
            first = take_numbers(connection, f"gold:{collection}", len(changes))
            rows: list[dict[str, Any]] = [
                {
                    "collection": collection,
                    "number": number,
                    "query": digest_bytes(query_key(text).encode()),
                    "text": text,
                    "document_id": document_id,
                    "grade": grade,
                    "judged_at": at,
                    "actor": actor,
                }
                for number, (text, document_id, grade) in enumerate(changes, start=first)
            ]
            connection.execute(sa.insert(gold_judgments), rows)
