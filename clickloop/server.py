"""Runs the service: in this process, or in several that share the memory-mapped index."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI
from threadpoolctl import threadpool_limits

from clickloop.app import Role, make_app
from foundation.settings import Settings

_SWITCH_INTERVAL_S = 0.0005
_DRAIN_S = 20
_MALLOC = {-1: 512 << 20, -2: 64 << 20, -3: 1 << 30, -8: 2}
"""M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD and M_ARENA_MAX of malloc.h."""

_BESIDE = ("collect", "retrain")


def run(settings: Settings, role: Role, workers: int) -> None:
    """Serve until stopped; requests under way are answered first, for at most 20 s.

    One process does everything that its role says. Several only answer requests, and what the role
    "all" adds runs in processes of its own beside them.
    """
    if workers == 1:
        prepare_process()
        uvicorn.run(make_app(settings, role), **_options(settings))
        return
    environment = os.environ | settings.to_environment()
    os.environ.update(environment)  # for the workers, which uvicorn starts
    beside = [
        subprocess.Popen([sys.executable, "-m", "clickloop", command], env=environment)  # noqa: S603  no shell, constant words
        for command in (_BESIDE if role == "all" else ())
    ]
    try:
        uvicorn.run("clickloop.server:make_worker", factory=True, workers=workers, **_options(settings))
    finally:
        for process in beside:
            process.terminate()
        for process in beside:
            process.wait()


def make_worker() -> FastAPI:
    """Return the service of one of several processes."""
    prepare_process()
    return make_app(Settings(), "api")


def prepare_process() -> None:
    """Let requests share the cores."""
    _keep_memory()
    threadpool_limits(1)  # threads inside a millisecond's sum only wait for each other
    sys.setswitchinterval(_SWITCH_INTERVAL_S)  # so that no background thread holds a request up for 5 ms at a time


def _keep_memory() -> None:
    """Let the allocator keep what a search gave back: pages that come and go cost half of its time (glibc only)."""
    try:
        tune = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return  # another C library, whose defaults stay
    for parameter, value in _MALLOC.items():
        tune(parameter, value)


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "host": settings.host,
        "port": settings.port,
        "log_level": "warning",
        "access_log": False,
        "timeout_graceful_shutdown": _DRAIN_S,
    }
