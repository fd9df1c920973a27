"""The examples of the page on chatbots run as they stand there, and their feedback arrives."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from benchmarks.harness.server import Server
from collector.tables import impressions
from foundation.database.engine import make_engine, reading
from foundation.privacy.privacy import open_privacy

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 60.0
EXAMPLES: list[str] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "chatbot.md").read_text(), re.DOTALL)


def example(package: str) -> str:
    """Return the page's example that uses a package; skip where it is not installed."""
    pytest.importorskip(
        {"langchain": "langchain_core", "llamaindex": "llama_index.core"}[package],
        reason=f"needs the extra: pip install 'clickloop[{package}]'",
    )
    (found,) = [text for text in EXAMPLES if f"clickloop.integrations.{package}" in text]
    return found


def run(script: str, service: Server, question: str) -> str:
    done = subprocess.run(  # noqa: S603  an example of ours
        [sys.executable, "-c", script, question],
        cwd=ROOT,
        env=os.environ | {"CLICKLOOP_URL": service.url},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr + service.log_path.read_text()[-4000:]
    return done.stdout


def await_outcome(service: Server, query_id: str) -> Any:
    """Return the impression of a query once its click is folded."""
    engine = make_engine(service.settings.resolved_database_url())
    wanted = sa.select(impressions).where(impressions.c.query_id == query_id, impressions.c.clicks == 1)
    try:
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            with reading(engine) as connection:
                row = connection.execute(wanted).one_or_none()
            if row:
                return row
            assert time.monotonic() < deadline, "the feedback does not arrive"
            time.sleep(0.05)
    finally:
        engine.dispose()


@pytest.mark.parametrize(("package", "thumb"), [("langchain", "up"), ("llamaindex", "down")])
def test_an_example_prints_passages_and_its_thumb_reaches_the_impression(
    service: Server, package: str, thumb: str
) -> None:
    printed = run(example(package), service, "how do I print an envelope").splitlines()

    assert printed[0] == "1 print envelope | How to print one envelope or several of them."
    said = re.fullmatch(rf"thumb {thumb} for print-envelope under (\S+)", printed[-1])
    assert said, printed[-1]
    shown = await_outcome(service, said[1])
    assert (shown.surface, shown.unit) == (
        "context",
        open_privacy(service.settings.home, service.settings).person("u1"),
    )
