"""Publishes what the intakes accepted to the event log: durable before any reply."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future

import sqlalchemy as sa

from foundation.contracts import FeedbackEvent, Impression
from foundation.errors import NotReady
from foundation.eventlog.protocol import APPEND_LIMIT_S, EventLog, Record, await_append
from foundation.eventlog.records import event_record, impression_record
from foundation.privacy.privacy import Privacy


async def publish(log: EventLog, content: Sequence[Impression | FeedbackEvent], privacy: Privacy) -> None:
    """Append all of `content` or nothing, as `privacy` lets it be kept; returns when it is durable.

    Raises:
        Overloaded: Too much is waiting to be written; nothing was taken.
        NotReady: The log cannot be written now, or not in time; sent again, the events count once.
    """
    if not content:
        return
    try:
        appended = log.append([_record(privacy.conceal(one)) for one in content])
        await _finish(appended)
    except sa.exc.SQLAlchemyError as problem:
        raise NotReady("the event log cannot be written now; nothing was taken, send the events again") from problem


async def _finish(appended: Future[None]) -> None:
    """Wait for an append as long as a request may; what is queued is written, whoever else stops waiting."""
    waiting = asyncio.wrap_future(appended)
    waiting.add_done_callback(lambda one: one.cancelled() or one.exception())  # raised below, if anybody waits still
    await asyncio.wait([waiting], timeout=APPEND_LIMIT_S)
    await_append(appended, 0.0)


def _record(content: Impression | FeedbackEvent) -> Record:
    return impression_record(content) if isinstance(content, Impression) else event_record(content)
