"""What every compatible intake does with a request: read its entries, parse, keep, and say what became of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import sqlalchemy as sa
from fastapi import Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from collector.intake.policy import IntakePolicy, Offer
from collector.intake.publisher import write
from collector.intake.schemas.foreign import Parsed, Taken
from foundation.clock import Clock
from foundation.contracts import FeedbackEvent
from foundation.errors import FieldFault, InvalidRequest, NotReady
from foundation.eventlog.protocol import EventLog
from foundation.privacy.privacy import Privacy
from foundation.settings import Settings
from foundation.telemetry.metrics import EVENTS
from foundation.web.bodies import NDJSON_TYPES, Entry, read_entries
from foundation.web.requests import read_body

MergeItems = Callable[[str, Mapping[str, Mapping[str, Any]]], Mapping[str, str]]
"""Lays properties over documents of a collection; tells what became of each, without those it left out."""


class IntakeVerdict(BaseModel):
    """What became of one entry of a request: its place from 0, and why it was not kept."""

    index: int
    status: Literal["accepted", "ignored", "refused"]
    reasons: list[str]


@dataclass(frozen=True, slots=True)
class IntakePipeline:
    """What the routes share.

    Attributes:
        log: Where accepted content is appended before the reply.
        clock: Stamps what is received.
        settings: Limits, and what a source declares.
        merge_items: Where the properties of Metarank's items go.
        policy: Looks at what was parsed before it is kept.
        privacy: What is kept of people.
    """

    log: EventLog
    clock: Clock
    settings: Settings
    merge_items: MergeItems
    policy: IntakePolicy
    privacy: Privacy

    async def entries(self, request: Request, *, lines: bool = False) -> list[Entry]:
        """Return the entries of a body, never none; with `lines`, NDJSON is known by its looks too."""
        raw = await read_body(request, self.settings.max_body_bytes)
        content_type = request.headers.get("content-type", "") if lines else ""
        if lines and _looks_like_lines(raw):
            content_type = min(NDJSON_TYPES)
        entries = read_entries(raw, content_type, self.settings.max_batch)
        if not entries:
            raise InvalidRequest("the body holds no event", (FieldFault("body", "send at least one event"),))
        return entries

    async def take(
        self,
        request: Request,
        collection: str,
        entries: Sequence[Entry],
        parse: Callable[[Any], Parsed],
        *,
        brings_lists: bool = False,
    ) -> Result:
        """Parse every entry, keep the good ones, and return what became of each.

        Args:
            brings_lists: See `IntakePolicy.examine`.

        Raises:
            RateLimited: Too many events came; nothing was taken.
            NotReady: Nothing can be written now; items may have been, and may come again.
        """
        parsed: list[Parsed] = [[entry.fault] if entry.fault else parse(entry.value) for entry in entries]
        offers = [one.content if isinstance(one, Taken) else one for one in parsed]
        examined = self.policy.examine(request, collection, offers, brings_lists=brings_lists)
        parsed = [_checked(one, offer) for one, offer in zip(parsed, examined, strict=True)]
        taken = [one for one in parsed if isinstance(one, Taken)]
        items: dict[str, dict[str, Any]] = {}
        for one in taken:
            for id_, properties in one.items.items():
                items.setdefault(id_, {}).update(properties)
        merged = await run_in_threadpool(self._merge, collection, items) if items else {}
        await write(self.log, [content for one in taken for content in one.content], self.privacy)
        _count(parsed)
        return Result(parsed, merged)

    def _merge(self, collection: str, items: Mapping[str, Mapping[str, Any]]) -> Mapping[str, str]:
        try:
            return self.merge_items(collection, items)
        except sa.exc.SQLAlchemyError as problem:
            raise NotReady("documents cannot be written now; nothing was taken, send the events again") from problem


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a request's entries, and of the documents that its items name."""

    parsed: Sequence[Parsed]
    merged: Mapping[str, str]

    @property
    def refused(self) -> int:
        """How many entries were refused."""
        return sum(isinstance(one, list) for one in self.parsed)

    def verdicts(self) -> list[IntakeVerdict]:
        """Return the verdict on each entry."""
        return [self._verdict(index, one) for index, one in enumerate(self.parsed)]

    def refuse_if_all_bad(self) -> None:
        """Raise InvalidRequest, with the faults of every entry, unless one is good."""
        if self.refused == len(self.parsed):
            faults = [FieldFault(f"{index}.{one.field}", one.reason) for index, one in self._faults()]
            raise InvalidRequest(f"refused every event: {faults[0].field} {faults[0].reason}", tuple(faults))

    def first_reason(self) -> str:
        """Return what is wrong with the first bad entry."""
        return next((fault.reason for _, fault in self._faults()), "")

    def _faults(self) -> list[tuple[int, FieldFault]]:
        return [(index, fault) for index, one in enumerate(self.parsed) if isinstance(one, list) for fault in one]

    def _verdict(self, index: int, one: Parsed) -> IntakeVerdict:
        if isinstance(one, list):
            reasons = [f"{fault.field} {fault.reason}" for fault in one]
            return IntakeVerdict(index=index, status="refused", reasons=reasons)
        untitled = [id_ for id_ in one.items if id_ not in self.merged]
        reason = one.ignored or (
            untitled and f"there is no document {untitled[0]!r}, and the item has no title or text"
        )
        return IntakeVerdict(
            index=index, status="ignored" if reason else "accepted", reasons=[reason] if reason else []
        )


def _checked(parsed: Parsed, offer: Offer) -> Parsed:
    """Return an entry with the content that the policy let in, or the faults it found."""
    if isinstance(offer, list):
        return offer
    return replace(parsed, content=offer) if isinstance(parsed, Taken) else parsed


def _looks_like_lines(raw: bytes) -> bool:
    lines = [line for line in raw.split(b"\n") if line.strip()]
    return len(lines) > 1 and all(line.lstrip().startswith(b"{") for line in lines)


def _count(parsed: Sequence[Parsed]) -> None:
    for one in parsed:
        if isinstance(one, list):
            EVENTS.labels("unknown", "refused").inc()
        elif one.ignored:
            EVENTS.labels("other", "ignored").inc()
        elif one.items:
            EVENTS.labels("item", "accepted").inc()
        for content in one.content if isinstance(one, Taken) else ():
            if isinstance(content, FeedbackEvent):
                EVENTS.labels(content.type, "distrusted" if content.distrusted else "accepted").inc()
            else:
                EVENTS.labels("impression", "accepted").inc()
