"""What `clickloop serve` keeps in a process beside it, in this one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from clickloop.container import Container
from clickloop.server.background import Background
from foundation.settings import Settings


@contextmanager
def collecting(settings: Settings) -> Iterator[None]:
    """Collect and retrain as long as the block lasts."""
    container = Container(settings)
    background = Background(container, threading.Event())
    background.start()
    yield
    background.stop()
    container.log.close()
    container.engine.dispose()
