"""What the client raises; the tree in `foundation.errors` goes on here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foundation.errors import ClickloopError, FieldFault

if TYPE_CHECKING:
    from clickloop.client.outbox import Refusal


class RequestRefused(ClickloopError):
    """The service refused the client's request."""

    status = 400


class EventsRefused(ClickloopError):
    """The service refused events.

    Attributes:
        refusals: The latest of them, each with the service's reasons.
    """

    status = 422

    def __init__(self, detail: str, fields: tuple[FieldFault, ...] = (), *, refusals: Sequence[Refusal] = ()) -> None:
        super().__init__(detail, fields)
        self.refusals = tuple(refusals)


class Undelivered(ClickloopError):
    """The service could not be reached in time."""

    status = 503
    retryable = True


class QueueFull(ClickloopError):
    """Too many events wait for the service."""

    status = 503
    retryable = True
