"""Clocks of clients that are wrong: what a request says of its own moment corrects the moments of its events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from foundation.errors import FieldFault, InvalidRequest

PARAMETER = "sent_at"
TOLERATED = timedelta(seconds=2)
"""A difference that the way of a request explains; less is left as it is."""


def clock_skew(sent_at: str | None, received_at: datetime) -> timedelta:
    """Return how far a client's clock is behind ours, negative when it is ahead; 0 when it seems right.

    Args:
        sent_at: The moment of sending by the client's clock, ISO 8601 with a zone; None when it does not say.

    Raises:
        InvalidRequest: It is no moment.
    """
    if sent_at is None:
        return timedelta()
    try:
        moment = datetime.fromisoformat(sent_at)
        skew = received_at - moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        skew = None
    if skew is None:
        reason = "must be an ISO 8601 time with a zone, such as 2026-01-05T10:00:00Z"
        raise InvalidRequest(f"the parameter {PARAMETER} {reason}", (FieldFault(PARAMETER, reason),))
    return skew if abs(skew) > TOLERATED else timedelta()
