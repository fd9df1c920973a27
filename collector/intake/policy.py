"""What every intake asks before it takes events: are they too many, do they belong to an answer, who sends them.

An event that is let in with doubts says so in `distrusted`: it is kept, and does not count.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from fastapi import Request

from collector.intake.bots import is_crawler
from collector.intake.event_ids import is_unset
from collector.intake.schemas.parsed import Content
from foundation.access.rate_limits import Buckets
from foundation.contracts import FeedbackEvent, Impression
from foundation.errors import FieldFault, RateLimited
from foundation.privacy.signing import QueryIds
from foundation.settings import Settings
from foundation.web.requests import key_of

Offer = Content | list[FieldFault]
"""What one entry of a request amounts to, or what is wrong with it."""

_MINUTE_S = 60
_UNSET = "which is a variable that was never set, and no query id; send the query_id of a search's answer"
_FOREIGN = "was not issued by this service for this collection; send the query_id of a search's answer"
_UNCOUNTED = "is counted by no metric of this collection; define one with PUT /v1/metrics/NAME first"
_FOREIGN_LIST = "names a list that this service did not serve; with signed ids only a key of the role admin brings such"


@dataclass(frozen=True, slots=True)
class TooSoon(FieldFault):
    """The fault of an entry that may be taken just as it is after `retry_after_s` whole seconds."""

    retry_after_s: int


class IntakePolicy:
    """Checks events before they are published. Limits hold per process.

    Args:
        query_ids: They tell which answers were served.
        counted: Returns the names of custom events that count in a collection, None while nobody knows them. Never
            blocks.
    """

    def __init__(
        self,
        query_ids: QueryIds,
        settings: Settings,
        counted: Callable[[str], Collection[str] | None] = lambda _collection: None,
    ) -> None:
        self._query_ids = query_ids
        self._counted = counted
        self._ids_are = settings.sign_queries
        self._per_minute = settings.events_per_minute_user
        self._unset: Counter[str] = Counter()
        self._by_key = Buckets(settings.events_per_second_key, settings.events_per_second_key)
        self._by_user = Buckets(self._per_minute / _MINUTE_S, self._per_minute)

    def examine(
        self, request: Request, collection: str, offers: Sequence[Offer], *, brings_lists: bool = False
    ) -> list[Offer]:
        """Return the offers as they may be published, with faults in place of what must not be.

        Args:
            brings_lists: Whether this intake takes lists of other engines, whose ids were issued elsewhere. While
                ids are signed, only a key of the role admin brings lists; events on them may come from everywhere.

        Raises:
            RateLimited: The key sends too much, or all that is good is from users who do; nothing was taken.
        """
        self._limit_key(request, sum(len(one) for one in offers if isinstance(one, tuple)))
        doubt = "crawler" if is_crawler(request.headers.get("user-agent", "")) else ""
        takes_lists = self._ids_are == "off" or _is_back_end(request)
        examined: list[Offer] = []
        waits_s: list[int] = []
        ahead: Counter[str] = Counter()
        for offer in offers:
            wait_s = self._wait_s(collection, offer, ahead) if isinstance(offer, tuple) else 0
            if wait_s:
                waits_s.append(wait_s)
                limit = f"sends more than {self._per_minute:g} events a minute; again in {wait_s} s"
                examined.append([TooSoon("user", limit, wait_s)])
            else:
                trusts_ids = takes_lists or brings_lists
                examined.append(self._check(collection, offer, doubt, takes_lists=takes_lists, trusts_ids=trusts_ids))
        if waits_s and not any(isinstance(one, tuple) for one in examined):
            raise RateLimited(
                "no event is good but those of users who send too many; nothing was taken", retry_after_s=min(waits_s)
            )
        return examined

    def refused_unset(self, collection: str) -> int:
        """Return how many entries of a collection were refused since their query id was never set."""
        return self._unset[collection]

    def _limit_key(self, request: Request, count: int) -> None:
        key = key_of(request)
        wait_s = self._by_key.take(f"{key.collection}/{key.name}", count) if key else 0
        if key and wait_s:
            raise RateLimited(f"the key {key.name!r} sends too many events; nothing was taken", retry_after_s=wait_s)

    def _wait_s(self, collection: str, content: Content, ahead: Counter[str]) -> int:
        """Return how long the user of an entry must wait; people without a name are not limited.

        Args:
            ahead: Events of the request that wait already, by user: each waits for a turn of its own.
        """
        joined = [one for one in content if isinstance(one, FeedbackEvent) and one.user]
        if not joined:
            return 0
        user = f"{collection}/{joined[0].user}"
        wait_s = self._by_user.take(user, len(joined))
        if not wait_s:
            return 0
        wait_s += math.floor(ahead[user] * _MINUTE_S / self._per_minute)
        ahead[user] += len(joined)
        return wait_s

    def _check(self, collection: str, offer: Offer, doubt: str, *, takes_lists: bool, trusts_ids: bool) -> Offer:
        if isinstance(offer, list):
            return offer
        checked: list[Impression | FeedbackEvent] = []
        counted = self._counted(collection)
        for one in offer:
            if isinstance(one, FeedbackEvent) and one.name and counted is not None and one.name not in counted:
                return [FieldFault("name", f"{one.name!r} {_UNCOUNTED}")]
            if is_unset(one.query_id):
                self._unset[collection] += 1
                return [FieldFault("query_id", f"is {one.query_id!r}, {_UNSET}")]
            is_list = isinstance(one, Impression)
            issued = (takes_lists if is_list else trusts_ids) or self._query_ids.issued(collection, one.query_id)
            if not issued and (is_list or self._ids_are == "require"):
                return [FieldFault("query_id", _FOREIGN_LIST if is_list else _FOREIGN)]
            why = doubt or ("" if issued else "unsigned")
            if isinstance(one, Impression) or one.distrusted == why:
                checked.append(one)
            else:
                checked.append(replace(one, distrusted=why))
        return tuple(checked)


def _is_back_end(request: Request) -> bool:
    """Return whether a request comes from whoever runs the app, who may bring lists that others served."""
    key = key_of(request)
    return key is not None and key.role == "admin"
