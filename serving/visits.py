"""Remembers by which id a visitor was drawn into an arm, so that logging in moves nobody to another one."""

from __future__ import annotations

import threading
from collections import OrderedDict

_MOST = 50_000


class Visits:
    """The latest sessions that searched without a user, and the users they became. Safe for many threads.

    Each process remembers its own. What is counted stays the user's; only the arm is the session's. A session is
    one person's: the first user who logs in under it takes its arm, anybody after that has an arm of their own.
    """

    def __init__(self) -> None:
        self._users: OrderedDict[tuple[str, str], str] = OrderedDict()  # by session, "" while nobody logged in
        self._drawn_as: OrderedDict[tuple[str, str], str] = OrderedDict()  # the session, by user
        self._lock = threading.Lock()

    def drawn_as(self, collection: str, user: str, session: str) -> str:
        """Return the id that decides the arm of a search, "" for nobody's.

        Args:
            user: The user's pseudonym, "" without one.
            session: The session's pseudonym, "" without one.
        """
        with self._lock:
            if not user:
                if session:
                    _keep(self._users, (collection, session), self._users.get((collection, session), ""))
                return session
            if self._users.get((collection, session)) == "":
                self._users[collection, session] = user
                _keep(self._drawn_as, (collection, user), session)
            return self._drawn_as.get((collection, user), user)


def _keep(known: OrderedDict[tuple[str, str], str], key: tuple[str, str], value: str) -> None:
    known[key] = value
    known.move_to_end(key)
    if len(known) > _MOST:
        known.popitem(last=False)
