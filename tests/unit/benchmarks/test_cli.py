"""What the command line of the benches refuses."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from benchmarks.cli import app


@pytest.mark.parametrize("bars", ["two", "1,\u00b2", "9" * 5000])
def test_a_bar_that_is_no_number_is_named(bars: str) -> None:
    result = CliRunner().invoke(app, ["ingest", "--bars", bars])
    assert result.exit_code == 2
    assert "is no number of a bar" in result.output
