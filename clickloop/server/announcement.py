"""Says once where the service answers, as soon as it does."""

from __future__ import annotations

import errno
import socket

import uvicorn
from uvicorn.supervisors import Multiprocess

from clickloop.server.listening import address, listens, taken
from foundation.telemetry.logs import get_log

_READY_TIMEOUT_S = 1.0
_log = get_log("server")


class AnnouncedServer(uvicorn.Server):
    """A server that tells its address when it listens."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen and tell the address.

        Raises:
            AddressTaken: Another process began to listen there since the sockets were bound.
        """
        try:
            await super().startup(sockets)
        except OSError as problem:
            if problem.errno != errno.EADDRINUSE:  # which asyncio's loop raises, and uvloop's passes over
                raise
        if not all(listens(one) for one in sockets or ()):
            await self.lifespan.shutdown()
            raise taken(self.config.host, self.config.port)
        if self.started:
            announce(self.config.host, self.servers[0].sockets[0].getsockname()[1])


class AnnouncedProcesses(Multiprocess):
    """Several processes that tell their address when the first of them answers; then they are `started`.

    One that ends before any has answered ends all: it would end again.
    """

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        self.started = False
        self._taken = False

    def keep_subprocess_alive(self) -> None:
        """Announce when it is time; start again what ended since."""
        if not self.started:
            self._look()
        super().keep_subprocess_alive()

    def run(self) -> None:
        """Run until told to end.

        Raises:
            AddressTaken: Another process began to listen there since the sockets were bound.
        """
        super().run()
        if self._taken:
            raise taken(self.config.host, self.config.port)

    def _look(self) -> None:
        if any(process.exitcode is not None for process in self.processes):
            self.should_exit.set()
        elif any(process.is_ready(_READY_TIMEOUT_S) for process in self.processes):
            self._taken = not all(listens(one) for one in self.sockets)
            self.started = not self._taken
            if self._taken:
                self.should_exit.set()
            else:
                announce(self.config.host, self.sockets[0].getsockname()[1])


def announce(host: str, port: int) -> None:
    """Tell where the service answers."""
    _log.info(f"clickloop answers at {address(host, port)}")
