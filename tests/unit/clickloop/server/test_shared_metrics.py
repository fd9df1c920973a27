"""Processes of a server count together from the first number on."""

from __future__ import annotations

import subprocess
import sys

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
