"""Holds back the feedback of users who behave like machines, until somebody releases them.

What a held user did stays stored and does not count: evidence is what it would be without them, to the
last digit, and after a release what it would be had they never been held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from collector.intake.bots import Activity, Reason, judge, score
from collector.join.people import hold, release
from collector.join.retention_watermark import collections_with_evidence
from collector.tables import HELD, RELEASED, impressions, quarantine
from foundation.access.actions import record_action
from foundation.access.actors import LOCAL, QUARANTINE
from foundation.clock import Clock
from foundation.database.engine import reading, transaction
from foundation.errors import Conflict, NotFound
from foundation.settings import Settings
from foundation.telemetry.logs import get_log
from foundation.telemetry.metrics import HELD as HELD_USERS

WINDOW = timedelta(days=1)
MAX_LISTS = 20_000
"""Lists of the window that are reviewed, the latest ones: a review takes two seconds of a processor at most."""

_SIGNS = ("dwell", "ratings", "conversions")
_BY_HAND = Reason("by hand", 0.0, "held by hand")

_log = get_log("collector")


@dataclass(frozen=True, slots=True)
class Suspect:
    """One user who is or was held.

    Attributes:
        state: "held" or "released".
        reasons: Why, as `Reason` in JSON values.
        since: When the user was held last.
        released_by: Who released, "" before.
        held_by: Who held last, the reviews of behaviour or a person; see `foundation.access.actors`.
        lists: Lists of the user that are stored; they do not count while the user is held.
    """

    unit: str
    state: str
    reasons: list[dict[str, Any]]
    score: float
    since: datetime
    released_by: str
    released_at: datetime | None
    held_by: str
    lists: int


class Quarantine:
    """The quarantine of every collection."""

    def __init__(self, engine: sa.Engine, settings: Settings, clock: Clock) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock

    def review_all(self) -> None:
        """Review every collection that has feedback."""
        with reading(self._engine) as connection:
            collections = collections_with_evidence(connection)
        for collection in collections:
            self.review(collection)

    def review(self, collection: str) -> list[str]:
        """Hold the users of the last day who behave like machines; return their names.

        A user who was released is held again only for a mark that was not known at the release.
        """
        now = self._clock.now()
        with reading(self._engine) as connection:
            found = judge(read_activities(connection, collection, now - WINDOW))
        if not found:
            return []
        with transaction(self._engine) as connection:
            known = _known(connection, collection, found)
            fresh = {unit: reasons for unit, reasons in found.items() if _is_news(known.get(unit), reasons)}
            rows = [_row(unit, why, now, QUARANTINE) for unit, why in fresh.items()]
            hold(connection, collection, rows, self._settings)
            for unit in fresh:
                self._record(connection, collection, "user held", unit, QUARANTINE)
        HELD_USERS.labels(collection).inc(len(fresh))
        for reasons in fresh.values():
            _log.warning("user held in quarantine", collection=collection, reasons=[one.words for one in reasons])
        return sorted(fresh)

    def hold(self, collection: str, unit: str, by: str = LOCAL) -> Suspect:
        """Hold a user by hand, who need not have searched yet; Conflict when the user is held already."""
        with transaction(self._engine) as connection:
            known = _known(connection, collection, [unit]).get(unit)
            if known is not None and known.state == HELD:
                raise Conflict(f"{unit!r} is held already, since {known.since.isoformat()}")
            hold(connection, collection, [_row(unit, (_BY_HAND,), self._clock.now(), by)], self._settings)
            self._record(connection, collection, "user held", unit, by)
            return _known(connection, collection, [unit])[unit]

    def release(self, collection: str, unit: str, by: str) -> Suspect:
        """Let a held user's feedback count again.

        Raises:
            NotFound: The user was never held.
            Conflict: The user is released already.
        """
        with transaction(self._engine) as connection:
            by_whom = {"released_by": by, "released_at": self._clock.now()}
            released = release(connection, collection, unit, by_whom, self._settings)
            known = _known(connection, collection, [unit]).get(unit)
            if known is None:
                raise NotFound(f"collection {collection!r} never held a user {unit!r}")
            if not released:
                raise Conflict(f"{unit!r} is released already; released_by says {known.released_by!r}")
            self._record(connection, collection, "user released", unit, by)
            return known

    def find_unit(self, collection: str, query_id: str) -> str | None:
        """Return the unit of a list that nobody was named for: its own query id. None for other lists, and none."""
        nameless = (impressions.c.query_id == query_id) & (impressions.c.unit == query_id)
        shown = sa.select(impressions.c.unit).where(impressions.c.collection == collection, nameless)
        known = sa.select(quarantine.c.unit).where(quarantine.c.collection == collection, quarantine.c.unit == query_id)
        with reading(self._engine) as connection:
            return connection.execute(shown.union(known)).scalar_one_or_none()

    def _record(self, connection: sa.Connection, collection: str, action: str, unit: str, actor: str) -> None:
        record_action(connection, collection, action=action, subject=unit, at=self._clock.now(), actor=actor)

    def list(self, collection: str, limit: int) -> Sequence[Suspect]:
        """Return who is or was held, those held first, the latest on top."""
        statement = (
            _select_suspects(collection)
            .order_by(quarantine.c.state, quarantine.c.since.desc(), quarantine.c.unit)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [_suspect(row) for row in connection.execute(statement)]


def read_activities(connection: sa.Connection, collection: str, since: datetime) -> dict[str, Activity]:
    """Return what every user did in a collection's latest lists, at most 20,000, since a moment."""
    columns = (impressions.c[name] for name in ("unit", "query_key", "at", "results", "outcome", "clicks"))
    statement = (
        sa.select(*columns)
        .where(impressions.c.collection == collection, impressions.c.at >= since)
        .order_by(impressions.c.at.desc())
        .limit(MAX_LISTS)
    )
    lists: defaultdict[str, list[sa.Row[Any]]] = defaultdict(list)
    for row in connection.execute(statement):
        lists[row.unit].append(row)
    return {unit: _activity(rows) for unit, rows in lists.items()}


def _activity(rows: Sequence[sa.Row[Any]]) -> Activity:
    """Return what lists, the latest first, say of their user."""
    clicked = [row for row in rows if row.clicks]
    moments = [row.at.timestamp() for row in reversed(clicked)]
    opened = [result["id"] for row in clicked for result in row.results if result["rank"] in row.outcome["clicked"]]
    return Activity(
        lists=len(rows),
        clicked=len(clicked),
        clicks=len(opened),
        queries=len({row.query_key for row in clicked}),
        documents=len(set(opened)),
        read=sum(_was_read(row.outcome) for row in clicked),
        gaps_s=tuple(later - sooner for sooner, later in pairwise(moments)),
    )


def _was_read(outcome: Mapping[str, Any]) -> bool:
    """Return whether an outcome, as it is stored, holds a sign of reading."""
    return outcome["resolved"] is not None or any(outcome[name] for name in _SIGNS)


def _select_suspects(collection: str) -> sa.Select[Any]:
    mine = (impressions.c.collection == quarantine.c.collection) & (impressions.c.unit == quarantine.c.unit)
    lists = sa.select(sa.func.count()).select_from(impressions).where(mine).scalar_subquery()
    return sa.select(quarantine, lists.label("lists")).where(quarantine.c.collection == collection)


def _known(connection: sa.Connection, collection: str, units: Iterable[str]) -> dict[str, Suspect]:
    wanted = quarantine.c.unit.in_(list(units))
    rows = connection.execute(_select_suspects(collection).where(wanted))
    return {row.unit: _suspect(row) for row in rows}


def _is_news(known: Suspect | None, reasons: Sequence[Reason]) -> bool:
    if known is None:
        return True
    before = {reason["mark"] for reason in known.reasons}
    return known.state == RELEASED and not {reason.mark for reason in reasons} <= before


def _row(unit: str, reasons: Sequence[Reason], now: datetime, by: str) -> dict[str, Any]:
    return {
        "unit": unit,
        "reasons": [asdict(reason) for reason in reasons],
        "score": score(reasons),
        "since": now,
        "released_by": "",
        "released_at": None,
        "held_by": by,
    }


def _suspect(row: sa.Row[Any]) -> Suspect:
    return Suspect(**{name: getattr(row, name) for name in Suspect.__slots__})
