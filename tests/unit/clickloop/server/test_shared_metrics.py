"""Processes of a server count together; what those that ended say of the present is not added up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from clickloop.server.shared_metrics import _forget_dead_processes

NO_PROCESS = 2**22 + 1  # above the highest number that Linux gives


def test_gauges_of_dead_processes_go_and_their_counts_stay(tmp_path: Path) -> None:
    kept = {f"gauge_livesum_{os.getpid()}.db", f"counter_{NO_PROCESS}.db", f"gauge_mostrecent_{NO_PROCESS}.db"}
    for name in (*kept, f"gauge_livesum_{NO_PROCESS}.db"):
        (tmp_path / name).touch()
    _forget_dead_processes(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept


SERVE = """
import sys
from contextlib import contextmanager
import clickloop.server.shared_metrics

@contextmanager
def share(home):
    print("prometheus_client" in sys.modules)
    sys.exit()

clickloop.server.shared_metrics.share_metrics = share
from clickloop.cli.main import app
app(["serve"])
"""


def test_nothing_that_counts_is_imported_before_a_server_knows_where_it_counts() -> None:
    told = subprocess.run([sys.executable, "-c", SERVE], check=True, capture_output=True, text=True)  # noqa: S603  ours
    assert told.stdout == "False\n"
