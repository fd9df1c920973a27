"""What every intake asks before it takes events: are they too many, do they belong to an answer, who sends them.

An event that is let in with doubts says so in `distrusted`: it is kept, and does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fastapi import Request

from collector.bots import is_crawler
from foundation.buckets import Buckets
from foundation.contracts import FeedbackEvent, Impression
from foundation.errors import FieldFault, RateLimited
from foundation.settings import Settings
from foundation.signing import QueryIds
from foundation.web import key_of

Content = tuple[Impression | FeedbackEvent, ...]
Offer = Content | list[FieldFault]
"""What one entry of a request amounts to, or what is wrong with it."""

_MINUTE_S = 60
_FOREIGN = "was not issued by this service for this collection; send the query_id of a search's answer"


class Door:
    """Looks at events before they are written. Limits hold per process.

    Args:
        query_ids: Tells which answers were served.
    """

    def __init__(self, query_ids: QueryIds, settings: Settings) -> None:
        self._query_ids = query_ids
        self._ids_are = settings.sign_queries
        self._per_minute = settings.events_per_minute_user
        self._by_key = Buckets(settings.events_per_second_key, settings.events_per_second_key)
        self._by_user = Buckets(self._per_minute / _MINUTE_S, self._per_minute)

    def examine(
        self, request: Request, collection: str, offers: Sequence[Offer], *, brings_lists: bool = False
    ) -> list[Offer]:
        """Return the offers as they may be written, with faults in place of what must not be.

        Args:
            brings_lists: Whether this intake takes lists of other engines, whose ids were issued elsewhere.

        Raises:
            RateLimited: The key sends too much, or all that is good is from users who do; nothing was taken.
        """
        self._limit_key(request, sum(len(one) for one in offers if isinstance(one, tuple)))
        doubt = "crawler" if is_crawler(request.headers.get("user-agent", "")) else ""
        examined: list[Offer] = []
        waits_s: list[int] = []
        for offer in offers:
            wait_s = self._wait_s(collection, offer) if isinstance(offer, tuple) else 0
            if wait_s:
                waits_s.append(wait_s)
                limit = f"sends more than {self._per_minute:g} events a minute; again in {wait_s} s"
                examined.append([FieldFault("user", limit)])
            else:
                examined.append(self._check(collection, offer, doubt, brings_lists=brings_lists))
        if waits_s and not any(isinstance(one, tuple) for one in examined):
            raise RateLimited(
                "no event is good but those of users who send too many; nothing was taken", retry_after_s=min(waits_s)
            )
        return examined

    def _limit_key(self, request: Request, count: int) -> None:
        key = key_of(request)
        wait_s = self._by_key.take(f"{key.collection}/{key.name}", count) if key else 0
        if key and wait_s:
            raise RateLimited(f"the key {key.name!r} sends too many events; nothing was taken", retry_after_s=wait_s)

    def _wait_s(self, collection: str, content: Content) -> int:
        """Return how long the user of an entry must wait; people without a name are not limited."""
        heard = [one for one in content if isinstance(one, FeedbackEvent) and one.user]
        return self._by_user.take(f"{collection}/{heard[0].user}", len(heard)) if heard else 0

    def _check(self, collection: str, offer: Offer, doubt: str, *, brings_lists: bool) -> Offer:
        if isinstance(offer, list):
            return offer
        trusts_ids = brings_lists or self._ids_are == "off"
        checked: list[Impression | FeedbackEvent] = []
        for one in offer:
            if not isinstance(one, FeedbackEvent):
                checked.append(one)
                continue
            issued = trusts_ids or self._query_ids.issued(collection, one.query_id)
            if not issued and self._ids_are == "require":
                return [FieldFault("query_id", _FOREIGN)]
            checked.append(replace(one, distrusted=doubt or ("" if issued else "unsigned")))
        return tuple(checked)
