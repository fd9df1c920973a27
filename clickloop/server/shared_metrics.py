"""One page of metrics for all processes of a server: each counts into a file of its own, any of them adds up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from foundation.disk.claims import Claim, name_process
from foundation.disk.folders import make_folder

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def share_metrics(home: Path) -> Iterator[None]:
    """Let this process and those it starts count together; what they counted goes away at the end.

    prometheus-client reads the variable when it is first imported, so nothing that counts may be
    imported before.
    """
    make_folder(home.resolve())
    mine = Claim(home.resolve() / "servers", name_process())
    os.environ[_VARIABLE] = str(mine.folder)
    try:
        yield
    finally:
        mine.release()


def _forget_dead_processes(folder: Path) -> None:
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


def render_metrics() -> bytes:
    """Return the metrics of all processes that share with this one, in Prometheus' text form."""
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415  must not come before the variable
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415  must not come before the variable

    from foundation.telemetry.metrics import METRICS  # noqa: PLC0415  must not come before the variable

    if _VARIABLE not in os.environ:
        return generate_latest(METRICS)
    _forget_dead_processes(Path(os.environ[_VARIABLE]))
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]  # the library has no types here
    return generate_latest(together)
