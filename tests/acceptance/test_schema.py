"""Schemathesis against the real service: every check, on what the OpenAPI page says.

`CLICKLOOP_SCHEMATHESIS_S=600 pytest -m slow tests/acceptance/test_schema.py` tries for ten minutes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.harness.server import Server

SECONDS = int(os.environ.get("CLICKLOOP_SCHEMATHESIS_S", "20"))
ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 300)
def test_whatever_the_page_allows_is_answered_as_the_page_says(service: Server) -> None:
    options = ["--checks", "all", "--max-time", str(SECONDS), "--continue-on-failure", "--suppress-health-check", "all"]
    algolia = ["-H", "X-Algolia-Application-Id: a", "-H", "X-Algolia-API-Key: k"]
    page = f"{service.url}/openapi.json"
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", page, *options, *algolia]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603  our own command

    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
