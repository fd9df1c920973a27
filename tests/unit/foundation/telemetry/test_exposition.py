"""What processes that ended say of the present is not added up."""

import os
from pathlib import Path

from foundation.telemetry.exposition import forget_dead_processes

NO_PROCESS = 2**22 + 1  # above the highest number that Linux gives


def test_gauges_of_dead_processes_go_and_their_counts_stay(tmp_path: Path) -> None:
    kept = {f"gauge_livesum_{os.getpid()}.db", f"counter_{NO_PROCESS}.db", f"gauge_mostrecent_{NO_PROCESS}.db"}
    for name in (*kept, f"gauge_livesum_{NO_PROCESS}.db"):
        (tmp_path / name).touch()
    forget_dead_processes(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept
