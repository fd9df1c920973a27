"""The types of fields that were declared, by collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import sqlalchemy as sa

from foundation.access.actions import record_action
from foundation.access.actors import LOCAL
from foundation.clock import Clock
from foundation.database.engine import reading, take_numbers, transaction, upsert
from foundation.errors import FieldFault, InvalidRequest
from serving.catalog.changes import FIELDS
from serving.index.fields.values import FieldType
from serving.tables import fields

MAX_DECLARED = 1000
_CHUNK = 500  # names in one statement; databases limit its parameters


class Declarations:
    """Declared fields in the database."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def of(self, collection: str) -> dict[str, FieldType]:
        """Return the declared type by field, sorted by name."""
        with reading(self._engine) as connection:
            return _read(connection, collection)

    def change(
        self, collection: str, changes: Mapping[str, FieldType | None], actor: str = LOCAL
    ) -> dict[str, FieldType]:
        """Declare fields, withdraw those whose type is None, and return all that are declared then.

        Raises:
            InvalidRequest: The collection would have more than 1,000; nothing was changed.
        """
        made = {"collection": collection, "declared_by": actor}
        rows = [{"name": name, "type": kind, **made} for name, kind in changes.items() if kind]
        withdrawn = [name for name, kind in changes.items() if kind is None]
        with transaction(self._engine) as connection:
            for start in range(0, len(withdrawn), _CHUNK):
                named = fields.c.name.in_(withdrawn[start : start + _CHUNK])
                connection.execute(sa.delete(fields).where(fields.c.collection == collection, named))
            upsert(connection, fields, rows)
            take_numbers(connection, FIELDS + collection, 1)
            declared = _read(connection, collection)
            record_action(
                connection,
                collection,
                action="fields declared",
                subject=", ".join(sorted(changes)),
                at=self._clock.now(),
                actor=actor,
                detail=changes,
            )
            if len(declared) > MAX_DECLARED:
                reason = f"would make {len(declared)} declared fields; a collection has at most {MAX_DECLARED}"
                raise InvalidRequest(f"the body {reason}", (FieldFault("body", reason),))
        return declared


def _read(connection: sa.Connection, collection: str) -> dict[str, FieldType]:
    statement = sa.select(fields.c.name, fields.c.type).where(fields.c.collection == collection)
    rows = sorted((row.name, row.type) for row in connection.execute(statement))
    return {name: cast("FieldType", kind) for name, kind in rows}
