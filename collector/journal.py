"""Writes what the intakes accepted to the event log: durable before any reply."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import sqlalchemy as sa

from foundation.contracts import FeedbackEvent, Impression
from foundation.errors import NotReady
from foundation.eventlog import EventLog, Record
from foundation.privacy import Privacy
from foundation.records import event_record, impression_record


async def write(log: EventLog, content: Sequence[Impression | FeedbackEvent], privacy: Privacy) -> None:
    """Append all of `content` or nothing, as `privacy` lets it be kept; returns when it is durable.

    Raises:
        Overloaded: Too much is waiting to be written; nothing was taken.
        NotReady: The log cannot be written now; nothing was taken.
    """
    if not content:
        return
    try:
        appended = log.append([_record(privacy.conceal(one)) for one in content])
        await asyncio.shield(asyncio.wrap_future(appended))  # what is queued is written, whoever stops waiting
    except sa.exc.SQLAlchemyError as problem:
        raise NotReady("the event log cannot be written now; nothing was taken, send the events again") from problem


def _record(content: Impression | FeedbackEvent) -> Record:
    return impression_record(content) if isinstance(content, Impression) else event_record(content)
