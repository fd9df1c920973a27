"""One page of metrics for all processes of a server: any of them adds up what each counted.

Imports prometheus-client, which reads the variable below when it is first imported; see
`clickloop.server.shared_metrics`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import cast

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from foundation.telemetry.metrics import METRICS

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_collect_all = cast("Callable[[CollectorRegistry], object]", MultiProcessCollector)
"""Registers a collector that reads the files of all processes; the library gives its maker no types."""


def render_metrics() -> bytes:
    """Return the metrics of all processes that share with this one, in Prometheus' text form."""
    folder = os.environ.get(_VARIABLE)
    if folder is None:
        return generate_latest(METRICS)
    forget_dead_processes(Path(folder))
    together = CollectorRegistry()
    _collect_all(together)
    return generate_latest(together)


def forget_dead_processes(folder: Path) -> None:
    """Remove what processes of this server that ended say of the present; what they counted stays."""
    for file in folder.glob("gauge_live*_*.db"):
        if not _runs(int(file.stem.rpartition("_")[2])):
            file.unlink(missing_ok=True)


def _runs(process_id: int) -> bool:
    """Return whether a process of this server, which counts processes as this one does, is still there."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is there, and somebody else's
    return True
