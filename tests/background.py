"""What `clickloop serve` keeps in a process beside it, in this one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from clickloop.container import Parts
from clickloop.server.background import Background
from foundation.settings import Settings


@contextmanager
def collecting(settings: Settings) -> Iterator[None]:
    """Collect and retrain as long as the block lasts."""
    parts = Parts(settings)
    background = Background(parts, threading.Event())
    background.start()
    yield
    background.stop()
    parts.log.close()
    parts.engine.dispose()
