"""Runs the service: processes that answer requests and share the memory-mapped index, and one beside them."""

from __future__ import annotations

import os
import signal
import socket
import sys
from contextlib import nullcontext, suppress
from typing import Any, Literal, NoReturn

import uvicorn

from clickloop.server.announcement import AnnouncedProcesses, AnnouncedServer
from clickloop.server.connections import BoundedProtocol
from clickloop.server.listening import bind
from clickloop.server.supervisor import Supervisor
from foundation.settings import Settings
from foundation.telemetry.logs import configure_logs

Role = Literal["all", "api"]
_DRAIN_S = 20
_IDLE_S = 75  # longer than the minute of usual load balancers, which else send a request as the connection is closed
_NOT_STARTED = 3
_APP = "clickloop.server.worker:make_app_of_environment"
_OPTIONS: dict[str, Any] = {
    "factory": True,
    "log_level": "warning",
    "access_log": False,
    "http": BoundedProtocol,
    "ws": "none",
    "timeout_graceful_shutdown": _DRAIN_S,
    "timeout_keep_alive": _IDLE_S,
}


def run(settings: Settings, role: Role) -> None:
    """Serve until stopped; requests under way are answered first, for at most 20 s.

    Args:
        settings: What the operator set.
        role: "all" also collects and retrains, in a process of its own; "api" only answers requests.

    Raises:
        CannotListen: Another process listens at the address, or there is no such address.
    """
    os.environ.update(settings.to_environment())  # for the processes that uvicorn starts
    configure_logs(settings.log_level)
    signal.signal(signal.SIGTERM, _leave)  # uvicorn raises it again when it has drained; the supervisor comes after
    sockets = bind(settings.host, settings.port)  # before anything is started that a taken port would end again
    config = uvicorn.Config(_APP, host=settings.host, port=settings.port, workers=settings.workers, **_OPTIONS)
    with Supervisor(settings) if role == "all" else nullcontext():
        started = (_run_here if settings.workers == 1 else _run_processes)(config, sockets)
        if not started:
            sys.exit(_NOT_STARTED)


def _run_here(config: uvicorn.Config, sockets: list[socket.socket]) -> bool:
    config.load()
    server = AnnouncedServer(config)
    with suppress(KeyboardInterrupt):
        server.run(sockets)
    return server.started


def _run_processes(config: uvicorn.Config, sockets: list[socket.socket]) -> bool:
    processes = AnnouncedProcesses(config, sockets)
    processes.run()
    return processes.started


def _leave(*_: object) -> NoReturn:
    sys.exit()
