"""Runs the service: processes that answer requests and share the memory-mapped index, and one beside them."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import nullcontext
from typing import Literal, NoReturn

import uvicorn

from clickloop.companion import Companion
from foundation.settings import Settings

Role = Literal["all", "api"]
_DRAIN_S = 20
_IDLE_S = 75  # longer than the minute of usual load balancers, which else send a request as the connection is closed


def run(settings: Settings, role: Role, workers: int) -> None:
    """Serve until stopped; requests under way are answered first, for at most 20 s.

    Args:
        settings: What the operator set.
        role: "all" also collects and retrains, in a process of its own; "api" only answers requests.
        workers: Processes that answer.
    """
    os.environ.update(settings.to_environment())  # for the processes that uvicorn starts
    signal.signal(signal.SIGTERM, _leave)  # uvicorn raises it again when it has drained; the companion comes after
    with Companion(settings) if role == "all" else nullcontext():
        uvicorn.run(
            "clickloop.answering:make_app_of_environment",
            factory=True,
            workers=workers,
            host=settings.host,
            port=settings.port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=_DRAIN_S,
            timeout_keep_alive=_IDLE_S,
        )


def _leave(*_: object) -> NoReturn:
    sys.exit()
