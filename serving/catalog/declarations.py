"""The types of fields that were declared, by collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

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
MAX_SEARCHED = 20
"""Fields of a collection whose words are searched."""
_CHUNK = 500  # names in one statement; databases limit its parameters


@dataclass(frozen=True, slots=True)
class Declared:
    """What is declared of a field.

    Attributes:
        weight: What a word counts in it, beside a word of the text that counts as 1; 0 where it is not searched.
    """

    type: FieldType
    weight: float = 0.0


class Declarations:
    """Declared fields in the database."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def of(self, collection: str) -> dict[str, Declared]:
        """Return what is declared by field, sorted by name."""
        with reading(self._engine) as connection:
            return _read(connection, collection)

    def change(
        self, collection: str, changes: Mapping[str, Declared | FieldType | None], actor: str = LOCAL
    ) -> dict[str, Declared]:
        """Declare fields, withdraw those that are None, and return all that are declared then.

        Raises:
            InvalidRequest: The collection would have more than 1,000, or search more than 20; nothing was changed.
        """
        wanted = {name: Declared(one) if isinstance(one, str) else one for name, one in changes.items()}
        made = {"collection": collection, "declared_by": actor}
        rows = [{"name": name, **asdict(one), **made} for name, one in wanted.items() if one]
        withdrawn = [name for name, one in wanted.items() if one is None]
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
                detail={name: _told(one) for name, one in wanted.items()},
            )
            if len(declared) > MAX_DECLARED:
                reason = f"would make {len(declared)} declared fields; a collection has at most {MAX_DECLARED}"
                raise InvalidRequest(f"the body {reason}", (FieldFault("body", reason),))
            if (searched := sum(one.weight > 0 for one in declared.values())) > MAX_SEARCHED:
                reason = f"would make {searched} fields that are searched; a collection has at most {MAX_SEARCHED}"
                raise InvalidRequest(f"the body {reason}", (FieldFault("body", reason),))
        return declared


def _told(declared: Declared | None) -> Any:
    """Return a declaration as a history shows it."""
    if declared is None or not declared.weight:
        return declared and declared.type
    return asdict(declared)


def _read(connection: sa.Connection, collection: str) -> dict[str, Declared]:
    statement = sa.select(fields.c.name, fields.c.type, fields.c.weight).where(fields.c.collection == collection)
    rows = sorted((row.name, row.type, row.weight) for row in connection.execute(statement))
    return {name: Declared(cast("FieldType", kind), weight) for name, kind, weight in rows}
