"""Receivers can tell that a message is ours and whole, by the check that the documentation shows."""

import re
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest

from ab_testing.webhooks.message import sign
from foundation.clock import SystemClock

PAGE = Path(__file__).parents[4] / "docs" / "experiments.md"
SECRET, OTHER = "whsec_" + "A" * 32, "whsec_" + "B" * 32
BODY = '{"type": "experiment.decided", "data": {"name": "Größe"}}'


@pytest.fixture
def now() -> int:
    """The present second; the documented check reads the machine's own clock."""
    return int(SystemClock().now().timestamp())


@pytest.fixture(scope="module")
def is_ours(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The check that the page shows, as a receiver would run it."""
    example = re.search(r"```python\n(import base64.*?)```", PAGE.read_text(), re.DOTALL)
    assert example
    program = tmp_path_factory.mktemp("example") / "receiver.py"
    program.write_text(example[1])
    return run_path(str(program))["is_ours"]


def test_the_documented_check_knows_a_message_of_ours(is_ours: Any, now: int) -> None:
    headers = sign([SECRET], "d-1", now, BODY)
    assert is_ours(headers, BODY.encode(), SECRET)


def test_while_a_secret_changes_both_are_good(is_ours: Any, now: int) -> None:
    headers = sign([SECRET, OTHER], "d-1", now, BODY)
    assert is_ours(headers, BODY.encode(), SECRET)
    assert is_ours(headers, BODY.encode(), OTHER)


@pytest.mark.parametrize("changed", [{"webhook-id": "d-2"}, {"webhook-timestamp": "1"}, {"body": "{}"}])
def test_what_was_changed_or_is_old_is_refused(is_ours: Any, now: int, changed: dict[str, str]) -> None:
    headers = sign([SECRET], "d-1", now, BODY) | changed
    assert not is_ours(headers, headers.get("body", BODY).encode(), SECRET)
    assert not is_ours(sign([SECRET], "d-1", now - 3600, BODY), BODY.encode(), SECRET)
    assert not is_ours(sign([OTHER], "d-1", now, BODY), BODY.encode(), SECRET)
