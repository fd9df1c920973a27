"""Lets all processes of a server count together: each into a file of its own.

`foundation.telemetry.exposition` adds up what they counted.
"""

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
