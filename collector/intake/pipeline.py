"""What every intake does with a request: read its entries, parse, check, publish, and say what became of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from fastapi import Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from collector.intake.event_ids import EventIds
from collector.intake.policy import IntakePolicy, Offer
from collector.intake.publisher import publish
from collector.intake.schemas.parsed import Parsed, Taken
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
"""Lays properties over documents of a collection; returns what became of each, without those it left out."""

_CONFLICT = "is in conflict: another event came under this id before; give each event an id of its own"


class IntakeVerdict(BaseModel):
    """What became of one entry of a request: its place from 0, and why it was not kept."""

    index: int
    status: Literal["accepted", "ignored", "refused"]
    reasons: list[str]


@dataclass(frozen=True, slots=True)
class IntakePipeline:
    """The way of all feedback from a request to the log; `merge_items` takes the properties of Metarank's items."""

    log: EventLog
    clock: Clock
    settings: Settings
    merge_items: MergeItems
    policy: IntakePolicy
    privacy: Privacy

    async def read_entries(self, request: Request, content_type: str = "", *, guess_lines: bool = False) -> list[Entry]:
        """Return the entries of a body, never none.

        Args:
            content_type: One of NDJSON makes each line an entry.
            guess_lines: Whether a body that looks like NDJSON is read as such.
        """
        raw = await read_body(request, self.settings.max_body_bytes)
        if guess_lines and _looks_like_lines(raw):
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
        known_ids: EventIds | None = None,
    ) -> Result:
        """Parse every entry, keep the good ones, and return what became of each.

        Args:
            brings_lists: See `IntakePolicy.examine`.
            known_ids: The ids that senders gave to earlier events; other events under them are refused.

        Raises:
            RateLimited: Too many events came; nothing was taken.
            NotReady: Nothing can be written now; items may have been, and may come again.
        """
        parsed: list[Parsed] = [[entry.fault] if entry.fault else parse(entry.value) for entry in entries]
        offers = [one.content if isinstance(one, Taken) else one for one in parsed]
        examined = self.policy.examine(request, collection, offers, brings_lists=brings_lists)
        parsed = [_checked(one, offer) for one, offer in zip(parsed, examined, strict=True)]
        if known_ids is not None:
            parsed = _refuse_conflicts(parsed, known_ids)
        taken = [one for one in parsed if isinstance(one, Taken)]
        items: dict[str, dict[str, Any]] = {}
        for one in taken:
            for id_, properties in one.items.items():
                items.setdefault(id_, {}).update(properties)
        merged = await run_in_threadpool(self._merge, collection, items) if items else {}
        content = [each for one in taken for each in one.content]
        await publish(self.log, content, self.privacy)
        if known_ids is not None:  # not before: what is not durable may come again with other content
            known_ids.remember(each for each in content if isinstance(each, FeedbackEvent))
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

    def faults(self) -> tuple[FieldFault, ...]:
        """Return the faults of all entries, each after the place of its entry."""
        return tuple(
            FieldFault(f"{index}.{fault.field}", fault.reason)
            for index, one in enumerate(self.parsed)
            if isinstance(one, list)
            for fault in one
        )

    def refuse_if_all_bad(self) -> None:
        """Raise InvalidRequest, with the faults of every entry, unless one is good."""
        if self.refused == len(self.parsed):
            faults = self.faults()
            raise InvalidRequest(f"refused every event: {faults[0].field} {faults[0].reason}", faults)

    def _verdict(self, index: int, one: Parsed) -> IntakeVerdict:
        if isinstance(one, list):
            reasons = [f"{fault.field} {fault.reason}" for fault in one]
            return IntakeVerdict(index=index, status="refused", reasons=reasons)
        reason = one.ignored
        if untitled := [id_ for id_ in one.items if id_ not in self.merged]:
            reason = reason or f"there is no document {untitled[0]!r}, and the item has no title or text"
        return IntakeVerdict(
            index=index, status="ignored" if reason else "accepted", reasons=[reason] if reason else []
        )


def _checked(parsed: Parsed, offer: Offer) -> Parsed:
    """Return an entry with the content that the policy let in, or the faults it found."""
    if isinstance(parsed, list) or isinstance(offer, list):
        return offer if isinstance(offer, list) else parsed
    return Taken(offer, parsed.items, parsed.ignored)


def _looks_like_lines(raw: bytes) -> bool:
    lines = [line for line in raw.split(b"\n") if line.strip()]
    return len(lines) > 1 and all(line.lstrip().startswith(b"{") for line in lines)


def _refuse_conflicts(parsed: Sequence[Parsed], known_ids: EventIds) -> list[Parsed]:
    """Return the entries, with a fault in place of each whose event came under the id of another one."""
    events = [
        (place, each)
        for place, one in enumerate(parsed)
        if isinstance(one, Taken)
        for each in one.content
        if isinstance(each, FeedbackEvent)
    ]
    refused = {events[number][0] for number in known_ids.conflicting(event for _, event in events)}
    return [[FieldFault("id", _CONFLICT)] if place in refused else one for place, one in enumerate(parsed)]


def _count(parsed: Sequence[Parsed]) -> None:
    """Count in the metrics what became of each entry, and what content it had."""
    counts: Counter[tuple[str, str]] = Counter()
    for one in parsed:
        if isinstance(one, list):
            counts["unknown", "refused"] += 1
            continue
        if one.ignored:
            counts["other", "ignored"] += 1
        elif one.items:
            counts["item", "accepted"] += 1
        for each in one.content:
            if isinstance(each, FeedbackEvent):
                counts[each.type, "distrusted" if each.distrusted else "accepted"] += 1
            else:
                counts["impression", "accepted"] += 1
    for labels, count in counts.items():
        EVENTS.labels(*labels).inc(count)
