"""The tastes of those who search: read from the store when they are first asked for, and kept for seconds.

A store that does not answer at once holds up nobody: the search goes on without.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from collector.api import read_choices
from foundation.clock import Clock
from foundation.contracts import PRIOR_CURVE, ChosenList, ClickCurve
from foundation.database.engine import reading
from foundation.errors import ClickloopError
from serving.index.corpus import Corpus
from serving.personal.taste import Taste, read_taste
from serving.rules.personal_term import PersonalTerm

KEPT = timedelta(seconds=5)
"""How long what was read of a person is used, after an erasure too."""

_HISTORY = timedelta(days=365)
_MAX_LISTS = 50
_LIMIT_S = 0.05
_AT_ONCE = 8
_MAX_PEOPLE = 5000


@dataclass(slots=True)
class _Person:
    """What was read of somebody at a moment, and what was made of it."""

    at: datetime
    lists: Future[Sequence[ChosenList]] = field(default_factory=Future)
    tastes: WeakKeyDictionary[Corpus, dict[tuple[PersonalTerm, str], Taste]] = field(default_factory=WeakKeyDictionary)


class Tastes:
    """The tastes of people, as far as a store of choices tells them. Safe to use from many threads.

    Args:
        read: Returns the latest lists that a person of a collection chose from at a moment.
        limit_s: How long an answer is waited for.
    """

    def __init__(
        self,
        read: Callable[[str, str, datetime], Sequence[ChosenList]],
        clock: Clock,
        limit_s: float = _LIMIT_S,
    ) -> None:
        self._read = read
        self._clock = clock
        self._limit_s = limit_s
        self._people: dict[tuple[str, str], _Person] = {}
        self._under_way = 0
        self._lock = threading.Lock()

    def of(
        self,
        collection: str,
        person: str,
        corpus: Corpus,
        term: PersonalTerm,
        *,
        curve: ClickCurve = PRIOR_CURVE,
        query_id: str = "",
    ) -> Taste | None:
        """Return what a person prefers; None where the store does not tell it in time.

        Args:
            person: The pseudonym of a user.
            query_id: Of the search at hand: what is chosen on its pages moves none of its further pages.
        """
        known = self._ask(collection, person)
        if known is None:
            return None
        try:
            lists = known.lists.result(self._limit_s)
        except (ClickloopError, TimeoutError):
            return None
        others = [one for one in lists if one.query_id != query_id]
        made = known.tastes.setdefault(corpus, {})
        key = (term, query_id if len(others) < len(lists) else "")
        if key not in made:
            made[key] = read_taste(others, corpus, term, self._clock.now(), curve)
        return made[key]

    def _ask(self, collection: str, person: str) -> _Person | None:
        """Return what is known of somebody, or is being read; None while too many reads hang."""
        now, key = self._clock.now(), (collection, person)
        with self._lock:
            known = self._people.get(key)
            if known is not None and now - known.at < KEPT and not _failed(known):
                return known
            if self._under_way >= _AT_ONCE:
                return None
            self._forget_old(now)
            self._under_way += 1
            asked = self._people[key] = _Person(now)
        threading.Thread(target=self._fill, args=(asked, *key), name="taste", daemon=True).start()
        return asked

    def _fill(self, asked: _Person, collection: str, person: str) -> None:
        try:
            asked.lists.set_result(self._read(collection, person, asked.at))
        except BaseException as problem:  # noqa: BLE001  any failure is handed to whoever waits
            asked.lists.set_exception(problem)
        finally:
            with self._lock:
                self._under_way -= 1

    def _forget_old(self, now: datetime) -> None:
        """Drop what may not be used any more; of more people than are kept, all. The lock is held."""
        if len(self._people) >= _MAX_PEOPLE:
            self._people = {key: one for key, one in self._people.items() if now - one.at < KEPT}
        if len(self._people) >= _MAX_PEOPLE:
            self._people.clear()


def _failed(known: _Person) -> bool:
    return known.lists.done() and known.lists.exception() is not None


def read_lists(engine: sa.Engine, collection: str, person: str, now: datetime) -> list[ChosenList]:
    """Return the latest lists that a person chose from, of one year; raises what reading the database does."""
    with reading(engine, once=True) as connection:
        return read_choices(connection, collection, person, now - _HISTORY, _MAX_LISTS)
