"""Erases a person, and proves it: a signed receipt that holds no more of the person than a pseudonym."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from collector.join.evidence import drop_unfounded
from collector.join.people import Traces, forget
from collector.join.retention_watermark import lock_evidence
from collector.tables import dead_letters, erasures, events, impressions, quarantine, quarantine_moves
from foundation.access.actions import forget_subjects
from foundation.access.actors import LOCAL
from foundation.clock import Clock
from foundation.database.engine import reading, transaction, upsert
from foundation.errors import NotFound
from foundation.eventlog.protocol import EventLog
from foundation.ids import canonical_json, new_id
from foundation.privacy.pseudonyms import Pseudonyms
from foundation.registry.tables import versions
from foundation.settings import Settings

SWEPT_AFTER = timedelta(hours=1)
"""Evidence that became zero stays so long, for every replica to read it, before its rows go too."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an erasure did.

    Attributes:
        person: The erased person's pseudonym.
        counts: Deleted impressions, events, dead letters and log records; changed rows of evidence.
        versions: Those trained after the person first searched: they may have learned from it.
        change: Number of the change of the evidence.
        signature: Made with the installation's key over everything else.
        actor: Who asked for it, "" before that was recorded; see `foundation.access.actors`.
    """

    collection: str
    id: str
    person: str
    counts: dict[str, int]
    versions: list[str]
    change: int
    at: datetime
    signature: str = ""
    actor: str = ""

    def content(self) -> str:
        """Return what is signed."""
        signed = {name: value for name, value in asdict(self).items() if name != "actor" or value}
        return canonical_json(signed | {"at": self.at.isoformat(), "signature": ""})


@dataclass(frozen=True, slots=True)
class Audit:
    """Whether an earlier receipt is as it was signed, and what is stored of its person from before it, by table."""

    receipt: Receipt
    genuine: bool
    remaining: dict[str, int]


class Eraser:
    """Erases people of a collection, and checks receipts.

    Args:
        log: What waits in it is deleted where the log can do that; what cannot be is dropped when it is read.
    """

    def __init__(
        self, engine: sa.Engine, log: EventLog, pseudonyms: Pseudonyms, settings: Settings, clock: Clock
    ) -> None:
        self._engine = engine
        self._log = log
        self._pseudonyms = pseudonyms
        self._settings = settings
        self._clock = clock

    def erase(self, collection: str, name: str, actor: str = LOCAL) -> Receipt:
        """Delete everything that is stored of a person; blocks, and holds up others only while it deletes.

        Nobody need be there: a person of whom nothing is stored gets a receipt too, and what still waits
        of it in the log is dropped. After a crash in between, ask again.

        Args:
            name: The id as the app gives it, or its pseudonym.
        """
        person = self._pseudonyms.of(name)
        waiting = self._log.forget(collection, person)
        announced = self._announce(collection, person, actor)  # from here on nothing older is stored any more
        with reading(self._engine) as connection:
            traces, first = _find(connection, collection, {person, name})
            learned = _learned_since(connection, collection, first) if first else []
        with transaction(self._engine) as connection:
            gone = forget(connection, collection, traces, self._settings)
            for table in (quarantine, quarantine_moves):
                held = (table.c.collection == collection) & table.c.unit.in_({person, name})
                connection.execute(sa.delete(table).where(held))
            forget_subjects(connection, collection, {person, name})
            letters = connection.execute(sa.delete(dead_letters).where(_about(collection, person))).rowcount
            counts = {"impressions": gone.impressions, "events": gone.events, "evidence": gone.evidence}
            counts |= {"dead_letters": letters, "log_records": waiting}
            receipt = replace(announced, counts=counts, versions=learned, change=gone.change)
            receipt = replace(receipt, signature=self._pseudonyms.sign(receipt.content()))
            upsert(connection, erasures, [asdict(receipt) | {"swept": False}])
        return receipt

    def _announce(self, collection: str, person: str, actor: str) -> Receipt:
        """Store a receipt that says nothing yet. Batches under way are waited for; later ones know of it."""
        with transaction(self._engine) as connection:
            lock_evidence(connection, collection)
            at = self._clock.now()
            receipt = Receipt(collection, new_id(at), person, {}, [], 0, at, actor=actor)
            connection.execute(sa.insert(erasures).values(**asdict(receipt), swept=True))
        return receipt

    def audit(self, collection: str, receipt_id: str) -> Audit:
        """Return whether a receipt is genuine, and count again what is stored of its person; NotFound without one."""
        where = (erasures.c.collection == collection) & (erasures.c.id == receipt_id)
        with reading(self._engine) as connection:
            row = connection.execute(sa.select(erasures).where(where)).one_or_none()
            if row is None:
                raise NotFound(f"collection {collection!r} has no receipt {receipt_id!r} of an erasure")
            receipt = Receipt(**{field.name: getattr(row, field.name) for field in fields(Receipt)})
            remaining = _count_remaining(connection, receipt)
        genuine = hmac.compare_digest(receipt.signature, self._pseudonyms.sign(receipt.content()))
        return Audit(receipt, genuine, remaining)


def sweep(engine: sa.Engine, now: datetime) -> None:
    """Delete the evidence that was zero at erasures an hour old: its query may have been the person's alone.

    It may have become so before: a hold takes out what a person weighed.
    """
    due = sa.not_(erasures.c.swept) & (erasures.c.at < now - SWEPT_AFTER)
    last = sa.select(erasures.c.collection, sa.func.max(erasures.c.change).label("change")).where(due)
    with reading(engine) as connection:
        rows = connection.execute(last.group_by(erasures.c.collection)).all()
    for row in rows:
        with transaction(engine) as connection:
            drop_unfounded(connection, row.collection, row.change)
            these = due & (erasures.c.collection == row.collection) & (erasures.c.change <= row.change)
            connection.execute(sa.update(erasures).where(these).values(swept=True))


def _find(connection: sa.Connection, collection: str, names: Collection[str]) -> tuple[Traces, datetime | None]:
    """Return what is stored of people, and when they first searched or did something; reads everything once."""
    shown = sa.select(impressions.c.query_id, impressions.c.at).where(
        impressions.c.collection == collection, impressions.c.unit.in_(names) | impressions.c.drawn_by.in_(names)
    )
    done = sa.select(events.c.id, events.c.query_id, events.c.at).where(
        events.c.collection == collection, _done_by(names)
    )
    searches, acts = connection.execute(shown).all(), connection.execute(done).all()
    traces = Traces([row.query_id for row in searches], {row.id: row.query_id for row in acts})
    return traces, min((row.at for row in (*searches, *acts)), default=None)


def _done_by(people: Collection[str]) -> sa.ColumnElement[bool]:
    condition: sa.ColumnElement[bool] = events.c.body["user"].as_string().in_(people)
    return condition


def _learned_since(connection: sa.Connection, collection: str, first: datetime) -> list[str]:
    """Return the versions whose evidence was read at `first` or later, the oldest first."""
    statement = (
        sa.select(versions.c.id, versions.c.lineage)
        .where(versions.c.collection == collection)
        .order_by(versions.c.created_at, versions.c.id)
    )
    as_of = {row.id: row.lineage.get("data_as_of") for row in connection.execute(statement)}
    return [version for version, read_at in as_of.items() if read_at and datetime.fromisoformat(read_at) >= first]


def _count_remaining(connection: sa.Connection, receipt: Receipt) -> dict[str, int]:
    mine, person, at = receipt.collection, receipt.person, receipt.at
    left = {
        impressions: (impressions.c.collection == mine)
        & ((impressions.c.unit == person) | (impressions.c.drawn_by == person))
        & (impressions.c.at <= at),
        events: (events.c.collection == mine)
        & _done_by([person])
        & ((events.c.at <= at) | (events.c.received_at <= at)),
        dead_letters: _about(mine, person) & (dead_letters.c.at <= at),
    }
    return {
        table.name: int(connection.execute(sa.select(sa.func.count()).select_from(table).where(which)).scalar_one())
        for table, which in left.items()
    }


def _about(collection: str, person: str) -> sa.ColumnElement[bool]:
    return (dead_letters.c.collection == collection) & dead_letters.c.body.contains(person, autoescape=True)
