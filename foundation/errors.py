"""The one tree of errors, each with its HTTP status and whether a retry can help.

ClickloopError
├── InvalidRequest          422  the request is wrong; `fields` names where
│   └── UnreadableBody      400  not JSON, not UTF-8
├── BodyTooLarge            413
│   └── RecordTooLarge      413  what one entry would keep is too large for the log
├── UnsupportedMediaType    415  the body is no JSON, or packed in an unknown way
├── MalformedRequest        400  not HTTP
├── RequestTimeout          408  the request did not come whole in time
├── HeadersTooLarge         431
├── Unauthenticated         401  no key, or one that is not known
├── Forbidden               403  the key is for something else
├── ForeignPage             403  a page of another site made a browser send it
├── Misdirected             421  the service has no such name
├── Exposed                 500  others could reach it without a key
├── RateLimited             429  too many events; retry after a while
├── NotFound                404
├── Conflict                409  the thing exists in another state
├── NotReady                503  no version serves yet; retry
│   └── StoreAway           503  a database or the event log does not answer; retry
│       └── StoreFull       507  it has no room left; retry when there is some
├── MissingExtra            500  a setting needs what is not installed
├── Overloaded              503  shed; retry after a while
├── ArtifactDamaged         500  bytes do not match their digest
├── SchemaOutdated          500  the database is at another revision
├── FolderClosed            500  a folder cannot be written to
└── in clickloop.client, for apps
    ├── RequestRefused      400  the service refused a request
    ├── EventsRefused       422  the service refused events
    ├── Undelivered         503  the service could not be reached in time
    └── QueueFull           503  too many events wait for it
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

_BEFORE_CAPITAL = re.compile(r"(?<=.)(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One thing wrong at one place of a request.

    Attributes:
        field: Dotted path of the offending field, as the client wrote it.
        reason: What is wrong and what would be right.
    """

    field: str
    reason: str


class ClickloopError(Exception):
    """Base of everything clickloop raises on purpose.

    The first line of a subclass's docstring is its title for people.
    """

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False
    retry_after_s: int = 1

    def __init_subclass__(cls) -> None:
        """Name the kind of problem for machines: NotFound is "not-found"."""
        cls.slug = _BEFORE_CAPITAL.sub("-", cls.__name__).lower()

    def __init__(self, detail: str, fields: tuple[FieldFault, ...] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields = fields

    @property
    def title(self) -> str:
        """The kind of error in a few words."""
        return (type(self).__doc__ or "Error").strip().splitlines()[0].rstrip(".")


class InvalidRequest(ClickloopError):
    """The request is not valid."""

    status = 422


class UnreadableBody(InvalidRequest):
    """The request body cannot be read."""

    status = 400


class BodyTooLarge(ClickloopError):
    """The request body is too large."""

    status = 413


class RecordTooLarge(BodyTooLarge):
    """What one entry would keep is too large."""


class UnsupportedMediaType(ClickloopError):
    """The body is not of a type that is taken here."""

    status = 415


class MalformedRequest(ClickloopError):
    """The request is not HTTP as this service speaks it."""

    status = 400


class HeadersTooLarge(ClickloopError):
    """The request's address and headers are too large."""

    status = 431


class RequestTimeout(ClickloopError):
    """The request did not come in time."""

    status = 408
    retryable = True


class Unauthenticated(ClickloopError):
    """The request carries no valid key."""

    status = 401


class Forbidden(ClickloopError):
    """The key does not allow this."""

    status = 403


class ForeignPage(ClickloopError):
    """A page of another origin may not do this."""

    status = 403


class Misdirected(ClickloopError):
    """The service does not answer under this name."""

    status = 421


class Exposed(ClickloopError):
    """Others could reach this without a key."""


class RateLimited(ClickloopError):
    """Too many events came in too short a time.

    Args:
        retry_after_s: Whole seconds after which the same request may succeed.
    """

    status = 429
    retryable = True

    def __init__(self, detail: str, fields: tuple[FieldFault, ...] = (), retry_after_s: int = 1) -> None:
        super().__init__(detail, fields)
        self.retry_after_s = retry_after_s


class NotFound(ClickloopError):
    """There is no such thing."""

    status = 404


class Conflict(ClickloopError):
    """The request does not fit the present state."""

    status = 409


class NotReady(ClickloopError):
    """The service is not ready to answer."""

    status = 503
    retryable = True


class MissingExtra(ClickloopError):
    """A setting needs a part that is not installed."""


class Overloaded(ClickloopError):
    """The service is too busy to answer."""

    status = 503
    retryable = True


class StoreAway(NotReady):
    """A store does not answer now."""


class StoreFull(StoreAway):
    """A store has no room left."""

    status = 507
    retry_after_s = 30


class ArtifactDamaged(ClickloopError):
    """A stored artifact does not match its digest."""


class SchemaOutdated(ClickloopError):
    """The database schema is not at this release's revision."""


class FolderClosed(ClickloopError):
    """A folder cannot be written to."""


@contextmanager
def needs_extra(extra: str, setting: str) -> Iterator[None]:
    """Import what an extra brings inside this block.

    Args:
        setting: The setting, command or module that asks for it, as its user names it.

    Raises:
        MissingExtra: The import failed; the message says what to install.
    """
    try:
        yield
    except ImportError as missing:
        raise MissingExtra(
            f"{setting} needs {missing.name}, which is missing: pip install 'clickloop[{extra}]'"
        ) from missing
