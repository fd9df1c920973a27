"""Connections that are bounded in number, and what comes and goes over each in size and time.

uvicorn bounds neither a request's head nor the time it takes to come, nor the time that an answer waits for its
reader. What a request sends as its body is bounded by `foundation.web.body_reader`, which can answer in words.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from foundation.errors import ClickloopError, HeadersTooLarge, MalformedRequest, Overloaded, RequestTimeout
from foundation.telemetry.metrics import REQUESTS
from foundation.web.problems import problem_response
from foundation.web.request_metrics import UNROUTED

MAX_HEAD_BYTES = 32 * 2**10
"""Address and headers of a request together."""
MAX_HEADERS = 128
MAX_PIPELINED = 16
"""Requests that wait for the answer to the one before, on one connection."""
MAX_UNREAD_BYTES = 64 * 2**20
"""Answers in memory that their clients do not take, of all connections together."""
HEAD_S = 10.0
"""From the opening of a connection, or the first byte of a further request, to the end of its headers."""
REST_S = 10.0
"""For the rest of a request that is already answered."""
READING_S = 30.0
"""In which a client takes at least some of an answer that waits for it."""

_MAX_CONNECTIONS = 1000


def max_connections() -> int:
    """Return how many connections a process holds at most; half of its file descriptors are for other things."""
    if sys.platform == "win32":
        return _MAX_CONNECTIONS
    import resource  # noqa: PLC0415  there is none on Windows

    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MAX_CONNECTIONS if files == resource.RLIM_INFINITY else min(_MAX_CONNECTIONS, files // 2)


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with limits.

    Where there are too many connections, the one that has waited longest for its client is closed for a new one;
    those that never sent a whole request go first.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._due: dict[str, asyncio.TimerHandle] = {}
        self._fault: ClickloopError | None = None
        self._unparsed_bytes = 0
        self._in_request = False
        self._requests = 0
        self._since_s = self.loop.time()
        self._unread_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn's own
        """Take a connection in, for another one where there are too many."""
        super().connection_made(transport)
        self._allow("head", HEAD_S, self._give_up)
        if len(self.connections) > max_connections():
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget all that was awaited."""
        for timer in self._due.values():
            timer.cancel()
        self._due.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came; what leads to nothing is bounded."""
        self._unparsed_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._unparsed_bytes > MAX_HEAD_BYTES:
            self._refuse(_too_large())
        elif self._unparsed_bytes and not self._in_request and "head" not in self._due:
            self._allow("head", HEAD_S, self._give_up)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header in."""
        if len(self.headers) >= MAX_HEADERS:
            self._stop_parsing(_too_large())
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin with a request whose head is there."""
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MAX_HEAD_BYTES:
            self._stop_parsing(_too_large())
        if len(self.pipeline) >= MAX_PIPELINED:
            self._stop_parsing(Overloaded(f"more than {MAX_PIPELINED} requests wait on this connection"))
        self._forget("head")
        self._in_request, self._unparsed_bytes = True, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body in."""
        self._unparsed_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request that is there as a whole."""
        self._in_request, self._unparsed_bytes = False, 0
        self._requests += 1
        self._since_s = self.loop.time()
        self._forget("rest")
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the rest of an answered request, and for its reader, no longer than is allowed."""
        self._since_s = self.loop.time()
        if self._in_request and not self.pipeline:
            self._allow("rest", REST_S, self.transport.abort)
        super().on_response_complete()
        self._close_in_time()

    def pause_writing(self) -> None:
        """Watch a client that does not read as fast as it is answered."""
        super().pause_writing()
        self._watch_reading()
        self._make_memory()

    def resume_writing(self) -> None:
        """Write on."""
        self._unread_bytes = 0
        if not self.transport.is_closing():
            self._forget("reading")
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that nothing was asked over for a while."""
        super().timeout_keep_alive_handler()
        self._close_in_time()

    def shutdown(self) -> None:
        """Close, after the answer under way."""
        super().shutdown()
        self._close_in_time()

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be parsed, or what a callback of the parser did not allow."""
        self._refuse(self._fault or MalformedRequest(msg))

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: whoever asks for another protocol is answered in this one, and asks anew for more."""
        self.cycle.keep_alive = False

    def _allow(self, what: str, seconds: float, then: Callable[[], None]) -> None:
        self._forget(what)
        self._due[what] = self.loop.call_later(seconds, then)

    def _forget(self, what: str) -> None:
        if timer := self._due.pop(what, None):
            timer.cancel()

    def _close_in_time(self) -> None:
        if self.transport.is_closing() and self.transport.get_write_buffer_size():
            self._watch_reading()

    def _stop_parsing(self, fault: ClickloopError) -> None:
        self._fault = fault
        raise ValueError(fault.detail)  # ends the parser, which then asks for an answer of status 400

    def _give_up(self) -> None:
        """Close a connection over which a head did not come in time; who sent some of it is told."""
        if self._unparsed_bytes:
            self._refuse(RequestTimeout("the request's headers did not come in time"))
        else:
            self.transport.close()

    def _refuse(self, problem: ClickloopError) -> None:
        """Answer what never became a request, if nothing else is being answered, and close."""
        REQUESTS.labels(UNROUTED, "OTHER", str(problem.status)).inc()
        if self.cycle is None or self.cycle.response_complete:
            answer = problem_response(problem, "")
            lines = [name + b": " + value + b"\r\n" for name, value in answer.raw_headers]
            head = b"".join([STATUS_LINE[problem.status], *lines, b"connection: close\r\n\r\n"])
            self.transport.write(head + bytes(answer.body))
        self.transport.close()
        self._close_in_time()

    def _watch_reading(self) -> None:
        self._unread_bytes = self.transport.get_write_buffer_size()
        self._allow("reading", READING_S, self._check_reading)

    def _check_reading(self) -> None:
        if self.transport.get_write_buffer_size() >= self._unread_bytes:
            self.transport.abort()
        else:
            self._watch_reading()

    def _make_room(self) -> None:
        others = [one for one in self._all() if one is not self and one.waits]
        if others:
            min(others, key=lambda one: (one._requests > 0, one._since_s)).transport.abort()
        else:
            self._refuse(Overloaded("too many connections are being answered; try again in a second"))

    def _make_memory(self) -> None:
        """Drop the clients with the largest unread answers until the others fit in memory."""
        unread = sorted((one._unread_bytes, id(one), one) for one in self._all() if one._unread_bytes)
        total = sum(size for size, _, _ in unread)
        while total > MAX_UNREAD_BYTES:
            size, _, largest = unread.pop()
            total -= size
            largest._unread_bytes = 0
            largest.transport.abort()

    def _all(self) -> list[BoundedProtocol]:
        return [one for one in self.connections if isinstance(one, BoundedProtocol)]

    @property
    def waits(self) -> bool:
        """Whether the connection waits for its client, and for nothing of the service."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body


def _too_large() -> HeadersTooLarge:
    return HeadersTooLarge(f"address and headers may have {MAX_HEAD_BYTES} bytes and {MAX_HEADERS} headers together")
