"""The documents of every collection, and the feed of their changes that indexes follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from foundation.clock import Clock
from foundation.contracts import Document
from foundation.database.engine import reading, take_numbers, transaction, upsert
from foundation.database.tables import counters
from foundation.errors import FieldFault, NotFound
from foundation.ids import canonical_json
from serving.catalog.changes import DOCUMENTS
from serving.catalog.patches import OWN, lay_over
from serving.tables import documents

Status = Literal["created", "updated", "unchanged"]
Patched = Literal["updated", "unchanged", "absent"] | tuple[FieldFault, ...]
"""What became of a patch: also that there is no such document, or why it was refused."""

_CLEARED_AT_ONCE = 1000
_CHUNK = 500  # ids in one query; databases limit the parameters of a statement


class Catalog:
    """Documents in the database. Every write is one transaction and takes change numbers in order.

    A reader that has seen change n has seen every change below n: writers of one collection wait
    for each other.
    """

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._known: dict[str, int] = {}

    def upsert(self, collection: str, batch: Sequence[Document]) -> list[Status]:
        """Store `batch`, all or nothing, and return what became of each of its documents.

        A document equal to the stored one is "unchanged": it takes no change number. When an id
        comes more than once, its last document is stored, and each gets the verdict on that one.
        """
        latest = {document.id: document for document in batch}
        with self._changing(collection) as connection:
            before = _find(connection, collection, list(latest))
            verdicts = self._replace(connection, collection, before, latest)
        return [verdicts[document.id] for document in batch]

    def merge(self, collection: str, patches: Mapping[str, Mapping[str, Any]]) -> dict[str, Status]:
        """Lay properties over documents by id, all or nothing, and return what became of each.

        `title`, `text` and `url` are the document's own, the others its open fields; what a patch does
        not name stays. A patch for a document that is not there makes one if it has a title or text,
        else it is left out of the answer.
        """
        with self._changing(collection) as connection:
            before = _find(connection, collection, list(patches))
            after = {id_: _laid_over(before.get(id_), id_, patch) for id_, patch in patches.items()}
            whole = {id_: document for id_, document in after.items() if document.title or document.text}
            return self._replace(connection, collection, before, whole)

    def patch(self, collection: str, patches: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Patched]:
        """Lay changes over documents, all or nothing, and return what became of each.

        Each is checked as a whole document is. None takes a property away; what a patch does not name stays. Patches of
        one document act in their order.

        Args:
            patches: An id and properties by name: title, text, url, `fields` with open ones, and open ones.
        """
        with self._changing(collection) as connection:
            before = _find(connection, collection, list(dict.fromkeys(id_ for id_, _ in patches)))
            there = {id_: document for id_, document in before.items() if not document.deleted}
            results = [_patched(there, id_, patch) for id_, patch in patches]
            self._replace(connection, collection, before, there)
        return results

    def clear(self, collection: str) -> list[str]:
        """Delete every document, and return their ids."""
        gone: list[str] = []
        while page := self.list(collection, "", _CLEARED_AT_ONCE):
            ids = [document.id for document in page]
            self.delete(collection, ids)
            gone += ids
        return gone

    def _replace(
        self, connection: sa.Connection, collection: str, before: Mapping[str, Document], after: Mapping[str, Document]
    ) -> dict[str, Status]:
        verdicts = {id_: _compare(before.get(id_), document) for id_, document in after.items()}
        changed = [document for id_, document in after.items() if verdicts[id_] != "unchanged"]
        _write(connection, collection, changed, self._clock.now(), deleted=False)
        return verdicts

    def delete(self, collection: str, ids: Sequence[str]) -> list[bool]:
        """Delete documents and return for each id whether it was there.

        The id stays in the change feed, marked as deleted; title, text, url and fields are erased.
        """
        with self._changing(collection) as connection:
            present = _find(connection, collection, list(dict.fromkeys(ids)))
            gone = [Document(id_, "", "") for id_, document in present.items() if not document.deleted]
            _write(connection, collection, gone, self._clock.now(), deleted=True)
        deleted = {document.id for document in gone}
        return [id_ in deleted for id_ in ids]

    def get(self, collection: str, document_id: str) -> Document:
        """Return one document.

        Raises:
            NotFound: The collection has no such document, or it was deleted.
        """
        with reading(self._engine) as connection:
            document = _find(connection, collection, [document_id]).get(document_id)
        if document is None or document.deleted:
            raise NotFound(f"collection {collection!r} has no document {document_id!r}")
        return document

    def changes(self, collection: str, after: int, limit: int) -> list[Document]:
        """Return documents whose last change came after number `after`, deleted ones too, in that order."""
        newer = (documents.c.collection == collection) & (documents.c.change > after)
        return self._read(sa.select(documents).where(newer).order_by(documents.c.change).limit(limit))

    def latest_change(self, collection: str) -> int:
        """Return the number of the collection's last change, 0 when there was none."""
        with reading(self._engine) as connection:
            return self._know(collection, _latest_change(connection, collection))

    def known_change(self, collection: str) -> int:
        """Return the latest change that this object wrote or read. Asks no database, so never blocks."""
        return self._known.get(collection, 0)

    def known_collections(self) -> list[str]:
        """Return the collections of `known_change`, sorted."""
        return sorted(name for name, change in self._known.items() if change)

    def held(self, collection: str) -> list[tuple[str, int]]:
        """Return the id and the change number of every document that is there; see `snapshot.digest_content`."""
        statement = sa.select(documents.c.id, documents.c.change).where(_present(collection))
        with reading(self._engine) as connection:
            return [(row.id, row.change) for row in connection.execute(statement)]

    def collections(self) -> list[str]:
        """Return the names of the collections that have ever held a document, sorted."""
        statement = sa.select(counters).where(
            counters.c.name.startswith(DOCUMENTS, autoescape=True), counters.c.value > 0
        )
        with reading(self._engine) as connection:
            return self.learn({row.name.removeprefix(DOCUMENTS): row.value for row in connection.execute(statement)})

    def learn(self, latest: Mapping[str, int]) -> list[str]:
        """Take in the last change of every collection, as it was read, and return their names, sorted."""
        for name, change in latest.items():
            self._know(name, change)
        return sorted(latest)

    def count(self, collection: str) -> int:
        """Return how many documents the collection holds, without the deleted ones."""
        statement = sa.select(sa.func.count()).select_from(documents).where(_present(collection))
        with reading(self._engine) as connection:
            return int(connection.execute(statement).scalar_one())

    @contextmanager
    def _changing(self, collection: str) -> Iterator[sa.Connection]:
        """Open a collection's write transaction; what it changed is known here once it is committed."""
        with transaction(self._engine) as connection:
            take_numbers(connection, DOCUMENTS + collection, 0)  # makes the other writers of the collection wait
            yield connection
            change = _latest_change(connection, collection)
        self._know(collection, change)

    def _know(self, collection: str, change: int) -> int:
        self._known[collection] = max(change, self._known.get(collection, 0))
        return change

    def _read(self, statement: sa.Select[Any]) -> list[Document]:
        with reading(self._engine) as connection:
            return [_from_row(row) for row in connection.execute(statement)]

    def list(self, collection: str, after_id: str, limit: int) -> list[Document]:
        """Return documents by id, starting behind `after_id` ("" for the first)."""
        page = _present(collection) & (documents.c.id > after_id)
        return self._read(sa.select(documents).where(page).order_by(documents.c.id).limit(limit))


def _latest_change(connection: sa.Connection, collection: str) -> int:
    statement = sa.select(counters.c.value).where(counters.c.name == DOCUMENTS + collection)
    return int(connection.execute(statement).scalar() or 0)


def _find(connection: sa.Connection, collection: str, ids: list[str]) -> dict[str, Document]:
    found: dict[str, Document] = {}
    for start in range(0, len(ids), _CHUNK):
        where = (documents.c.collection == collection) & documents.c.id.in_(ids[start : start + _CHUNK])
        found |= {row.id: _from_row(row) for row in connection.execute(sa.select(documents).where(where))}
    return found


def _patched(there: dict[str, Document], id_: str, patch: Mapping[str, Any]) -> Patched:
    """Lay a patch over a document of `there`, which keeps it, and return what became of it."""
    before = there.get(id_)
    if before is None:
        return "absent"
    after = lay_over(before, patch)
    if isinstance(after, tuple):
        return after
    there[id_] = after
    return "unchanged" if _content(before) == _content(after) else "updated"


def _laid_over(before: Document | None, id_: str, patch: Mapping[str, Any]) -> Document:
    old = Document(id_, "", "") if before is None or before.deleted else before
    own = {name: patch.get(name, getattr(old, name)) for name in OWN}
    return Document(id_, **own, fields=old.fields | {name: patch[name] for name in patch if name not in own})


def _compare(before: Document | None, after: Document) -> Status:
    if before is None or before.deleted:
        return "created"
    return "unchanged" if _content(before) == _content(after) else "updated"


def _content(document: Document) -> tuple[str, str, str, str]:
    # As JSON, because 1, 1.0 and True are equal in Python and different in an answer.
    return document.title, document.text, document.url, canonical_json(document.fields)


def _write(connection: sa.Connection, collection: str, batch: list[Document], at: datetime, *, deleted: bool) -> None:
    if not batch:
        return
    first = take_numbers(connection, DOCUMENTS + collection, len(batch))
    rows = [
        {
            "collection": collection,
            "id": document.id,
            "title": document.title,
            "text": document.text,
            "url": document.url,
            "fields": document.fields,
            "change": first + index,
            "deleted": deleted,
            "updated_at": at,
        }
        for index, document in enumerate(batch)
    ]
    upsert(connection, documents, rows)


def _present(collection: str) -> sa.ColumnElement[bool]:
    return (documents.c.collection == collection) & ~documents.c.deleted


def _from_row(row: sa.Row[Any]) -> Document:
    return Document(
        id=row.id,
        title=row.title,
        text=row.text,
        url=row.url,
        fields=row.fields,
        change=row.change,
        deleted=row.deleted,
    )
