"""A process that answers requests."""

from __future__ import annotations

import ctypes
import sys

from fastapi import FastAPI
from threadpoolctl import threadpool_limits

from clickloop.server.app import make_app
from clickloop.server.garbage import collect_seldom
from foundation.processes.children import end_with_supervisor
from foundation.settings import Settings

_SWITCH_INTERVAL_S = 0.0005
_MALLOC = {-1: 512 << 20, -2: 64 << 20, -3: 1 << 30, -8: 2}
"""M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD and M_ARENA_MAX of malloc.h."""


def make_app_of_environment() -> FastAPI:
    """Return the service as the environment's settings want it, in a process made ready for it."""
    end_with_supervisor()
    _keep_memory()
    threadpool_limits(1)  # threads inside a millisecond's sum only wait for each other
    sys.setswitchinterval(_SWITCH_INTERVAL_S)  # so that no background thread holds a request up for 5 ms at a time
    app = make_app(Settings())
    collect_seldom()
    return app


def _keep_memory() -> None:
    """Let the allocator keep what a search gave back: pages that come and go cost half of its time (glibc only)."""
    try:
        tune = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return  # another C library, whose defaults stay
    for parameter, value in _MALLOC.items():
        tune(parameter, value)
