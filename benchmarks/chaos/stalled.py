"""Three hundred connections that never finish what they began to send, and searches that must not notice."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.harness.fixtures import index
from benchmarks.harness.load import Volley, shoot
from benchmarks.harness.report import Bar, at_most
from benchmarks.harness.server import Server, bench_settings, children

CONNECTIONS = 300
SECONDS = 60.0
QUICK_SECONDS = 12.0
MAX_GROWTH_MIB = 100.0

_WARM_S = 5.0
_RATE = 10.0
_ROUTES = ("POST /v1/search", "POST /v1/context", "POST /v1/events", "PUT /v1/documents", "POST /feedback")
_HALF_BYTES = 100_000
_PIECE = b"a" * 16_384
_LOOK_S = 0.25
_AGAIN_S = 1.0

Tell = Callable[[str], None]


def measure(documents: list[dict[str, Any]], queries: list[str], quick: bool, tell: Tell) -> list[Bar]:
    """Return what half a header, half a body and endless headers on five routes cost searches and memory."""
    seconds = QUICK_SECONDS if quick else SECONDS
    with bench_settings() as settings, Server(settings) as server:
        index(server.remote, documents)
        _search(server.url, queries, _WARM_S)
        with _Memory(server.process_id) as memory, _Stalled(server.url) as stalled:
            volley = _search(server.url, queries, seconds)
        tell(f"{stalled.opened} connections opened, {len(volley.shots)} searches")
    lost = len(volley.shots) - len(volley.answered())
    said = f"{CONNECTIONS} stalled connections on {len(_ROUTES)} routes for {seconds:g} s"
    return [
        at_most("chaos.stalled_lost", f"{said}: of {len(volley.shots)} searches lost or refused", lost, 0),
        at_most("chaos.stalled_memory_mib", f"{said}: growth of memory, MiB", memory.growth_mib, MAX_GROWTH_MIB),
    ]


def _search(url: str, queries: list[str], seconds: float) -> Volley:
    bodies = [{"query": query, "user": f"u{number}"} for number, query in enumerate(queries)]
    return shoot(url, "/v1/search", bodies, rate=_RATE, seconds=seconds)


class _Stalled:
    """The connections, from a thread of their own; one that is closed is opened again a second later.

    Attributes:
        opened: How often one was opened.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = parts.hostname or "", parts.port or 80
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.opened = 0

    def __enter__(self) -> _Stalled:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open_all(), self._loop)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open_all(self) -> None:
        self._tasks = [asyncio.create_task(self._stall_on(*_beginning(number))) for number in range(CONNECTIONS)]

    async def _close_all(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _stall_on(self, start: bytes, piece: bytes) -> None:
        while True:
            with suppress(OSError):  # however the service ends a connection
                await self._stall(start, piece)
            await asyncio.sleep(_AGAIN_S)

    async def _stall(self, start: bytes, piece: bytes) -> None:
        reader, writer = await asyncio.open_connection(*self._address)
        self.opened += 1
        try:
            writer.write(start)
            while not reader.at_eof():
                writer.write(piece)
                await writer.drain()
                with suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(len(_PIECE)), _LOOK_S)
        finally:
            writer.close()


def _beginning(number: int) -> tuple[bytes, bytes]:
    """Return what a connection sends first, and what it sends then again and again."""
    head = (
        f"{_ROUTES[number % len(_ROUTES)]} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()
    )
    kinds = (
        (head + b"X-Half: a", b""),
        (head + b'Content-Length: %d\r\n\r\n{"query": "' % (2 * _HALF_BYTES) + b"a" * _HALF_BYTES, b""),
        (head + b"X-Endless: ", _PIECE),
    )
    return kinds[number % len(kinds)]


class _Memory:
    """Watches the memory of a process and those it started.

    Attributes:
        growth_mib: How much more it had, at most, than at the beginning.
    """

    def __init__(self, process: int) -> None:
        self._process = process
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.growth_mib = 0.0

    def __enter__(self) -> _Memory:
        self._before = _resident_mib(self._process)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK_S):
            self.growth_mib = max(self.growth_mib, _resident_mib(self._process) - self._before)


def _resident_mib(process: int) -> float:
    """Return the memory of a process and all it started; those that are just gone have none."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    own = next((line for line in status.splitlines() if line.startswith("VmRSS:")), "VmRSS: 0 kB")
    return int(own.split()[1]) / 1024 + sum(map(_resident_mib, children(process)))
