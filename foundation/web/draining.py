"""Reads on after a body is refused: most clients send all of it before they look for an answer."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.types import Message, Receive, Scope

_DRAIN_LIMIT_S = 5.0


def announces_more(scope: Scope, limit_bytes: int) -> bool:
    """Return whether a request says beforehand that its body is longer than `limit_bytes`."""
    length = dict(scope["headers"]).get(b"content-length", b"0")
    return length.isdigit() and (len(length) > 18 or int(length) > limit_bytes)


class Incoming:
    """The body of a request while it comes in; what is left of it can be thrown away."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope = scope
        self._receive = receive
        self._ended = dict(scope["headers"]).get(b"expect", b"").lower() == b"100-continue"  # nothing comes unasked

    async def receive(self) -> Message:
        """Return the next message, as ASGI's `receive` does."""
        message = await self._receive()
        self._ended = not message.get("more_body", False)
        return message

    async def throw_away(self, max_bytes: int) -> None:
        """Read the rest, for at most five seconds, and keep nothing of it.

        Nothing is read where more than `max_bytes` are announced. Nor is anything from a client that asked whether it
        may send (`Expect: 100-continue`) and got no yes: nothing is on its way.
        """
        if announces_more(self._scope, max_bytes):
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_LIMIT_S):
                while not self._ended and max_bytes > 0:
                    max_bytes -= len((await self.receive()).get("body", b""))
