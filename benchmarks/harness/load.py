"""Load on a service from a process of its own, with as little work a request as HTTP allows.

In a closed loop each client sends its next request when its last is answered. In an open loop
requests are sent when they are due, answered or not, and time counts from that moment: a service that
stands still is seen by every request that was due meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import numpy as np

_MAX_CONNECTIONS = 512
_GRACE_S = 30.0
_LOST = 0


@dataclass(frozen=True, slots=True)
class Shot:
    """One request.

    Attributes:
        at_s: When it was due, from the start.
        took_s: From then to the last byte of the answer.
        status: HTTP status, 0 when no answer came.
        skipped: Whether the answer says that stages were left out.
    """

    at_s: float
    took_s: float
    status: int
    skipped: bool


@dataclass(frozen=True, slots=True)
class Volley:
    """What a load gave.

    Attributes:
        seconds: How long requests were sent.
        answers: What came, of each shot with status 200, when it was to be kept.
    """

    shots: list[Shot]
    seconds: float
    answers: list[dict[str, Any]]

    def answered(self) -> list[Shot]:
        """Return the requests that got what they asked for."""
        return [shot for shot in self.shots if 200 <= shot.status < 300]

    def refused(self) -> list[Shot]:
        """Return the requests that were told to come again."""
        return [shot for shot in self.shots if shot.status in (429, 503)]

    def failed(self) -> list[Shot]:
        """Return the requests that got neither."""
        return [shot for shot in self.shots if not 200 <= shot.status < 300 and shot.status not in (429, 503)]

    def goodput(self, within_s: float) -> float:
        """Return the answers a second that came within a time."""
        return sum(shot.took_s <= within_s for shot in self.answered()) / self.seconds


def quantile_ms(shots: Sequence[Shot], share: float) -> float:
    """Return a quantile of the times of requests in milliseconds; infinite without any."""
    return 1000 * float(np.quantile([shot.took_s for shot in shots], share)) if shots else float("inf")


def due_times(rate: float, seconds: float, seed: int) -> list[float]:
    """Return when the requests of an open loop are due, seconds from its start: a Poisson process."""
    gaps = np.random.default_rng(seed).exponential(1 / rate, max(1, round(rate * seconds)))
    times: list[float] = np.cumsum(gaps).tolist()
    return times


def shoot(
    url: str,
    path: str,
    bodies: Sequence[Any],
    *,
    seconds: float,
    clients: int = 0,
    rate: float = 0.0,
    keep: bool = False,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Volley:
    """Post JSON from a process of its own for some seconds.

    Args:
        url: The service.
        bodies: What is posted, in turn; the first again after the last. Texts are posted as they are, one byte
            a character (Latin-1); anything else as JSON.
        seconds: How long requests are sent.
        clients: Of a closed loop.
        rate: Requests a second of an open loop, when there are no clients.
        keep: Whether answers are brought home.
        headers: Sent with every request.
    """
    order = {
        "url": url,
        "path": path,
        "bodies": list(bodies),
        "clients": clients,
        "rate": rate,
        "seconds": seconds,
        "keep": keep,
        "headers": dict(headers),
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.harness.load"],
        input=json.dumps(order).encode(),
        stdout=subprocess.PIPE,
        check=True,
        timeout=seconds + 4 * _GRACE_S,
    )
    told = json.loads(done.stdout)
    return Volley([Shot(*shot) for shot in told["shots"]], told["seconds"], told["answers"])


class _Connection(asyncio.Protocol):
    """One keep-alive connection that has at most one request under way."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_result((_LOST, b""))
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0 or self._answer is None:
            return
        head = bytes(self._buffer[:head_end]).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if len(self._buffer) >= head_end + 4 + length:
            body = bytes(self._buffer[head_end + 4 :])
            self._buffer.clear()
            if not self._answer.done():
                self._answer.set_result((int(head[9:12]), body))

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        if self._transport is None:
            return _LOST, b""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            async with asyncio.timeout(_GRACE_S):
                return await self._answer
        except TimeoutError:
            self._transport.abort()
            self._transport = None
            return _LOST, b""


class _Gun:
    """Sends requests to one service over as many connections as are needed."""

    def __init__(self, url: str, path: str, bodies: list[Any], headers: dict[str, str], *, keep: bool) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._path = parts.hostname or "", parts.port or 80, path
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._requests = [self._write(_to_bytes(body)) for body in bodies]
        self._free: list[_Connection] = []
        self._opened = asyncio.Semaphore(_MAX_CONNECTIONS)
        self._sent = 0
        self._keep = keep
        self._answers: list[bytes] = []
        self.shots: list[Shot] = []

    async def closed_loop(self, clients: int, seconds: float) -> None:
        began = perf_counter()

        async def ask_on() -> None:
            while (at := perf_counter() - began) < seconds:
                await self._shoot(began, at)

        await asyncio.gather(*(ask_on() for _ in range(clients)))

    async def open_loop(self, rate: float, seconds: float) -> None:
        began = perf_counter()
        under_way = {}
        for at in due_times(rate, seconds, seed=0):
            if (wait := at - (perf_counter() - began)) > 0:
                await asyncio.sleep(wait)
            under_way[asyncio.create_task(self._shoot(began, at))] = at
        _, never = await asyncio.wait(under_way, timeout=_GRACE_S)
        for task in never:
            task.cancel()
            self.shots.append(Shot(under_way[task], perf_counter() - began - under_way[task], _LOST, skipped=False))

    def answers(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self._answers]  # now that nobody waits

    async def _shoot(self, began: float, at: float) -> None:
        request = self._requests[self._sent % len(self._requests)]
        self._sent += 1
        async with self._opened:
            connection = await self._connect()
            status, body = await connection.ask(request)
            if connection.is_open:
                self._free.append(connection)
        skipped = status == 200 and b'"skipped":[]' not in body
        self.shots.append(Shot(at, perf_counter() - began - at, status, skipped))
        if self._keep and 200 <= status < 300:
            self._answers.append(body)

    async def _connect(self) -> _Connection:
        while self._free:
            connection = self._free.pop()
            if connection.is_open:
                return connection
        try:
            _, made = await asyncio.get_running_loop().create_connection(_Connection, self._host, self._port)
        except OSError:
            return _Connection()  # which is not open: the request counts as lost
        return made

    def _write(self, body: bytes) -> bytes:
        head = f"POST {self._path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n{self._headers}"
        return head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def _to_bytes(body: Any) -> bytes:
    return body.encode("latin-1") if isinstance(body, str) else json.dumps(body).encode()


async def _serve_order(order: dict[str, Any]) -> dict[str, Any]:
    gun = _Gun(order["url"], order["path"], order["bodies"], order["headers"], keep=order["keep"])
    if order["clients"]:
        await gun.closed_loop(order["clients"], order["seconds"])
    else:
        await gun.open_loop(order["rate"], order["seconds"])
    return {
        "shots": [list(asdict(shot).values()) for shot in gun.shots],
        "seconds": order["seconds"],
        "answers": gun.answers(),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_serve_order(json.load(sys.stdin)))))
