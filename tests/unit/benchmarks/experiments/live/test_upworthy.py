"""Real tests of many arms: read, followed look by look, and dealt anew."""

import gzip
from pathlib import Path

import pytest

from benchmarks.experiments.live.upworthy import read_tests, upworthy


@pytest.fixture
def headlines(tmp_path: Path) -> Path:
    """Twenty tests of three headlines: in half of them the second is far better, in the others all are alike."""
    path = tmp_path / "tests.csv.gz"
    with gzip.open(path, "wt") as lines:
        lines.write("test_id,arm,impressions,clicks,week\n")
        for test in range(20):
            for arm, clicks in enumerate((50, 150 if test % 2 else 50, 51)):
                lines.write(f"t{test},{arm},3000,{clicks},201446\n")
    return path


def test_tests_are_read_in_order(headlines: Path) -> None:
    tests = read_tests(headlines)
    assert len(tests) == 20
    assert tests[1] == ((3000, 50), (3000, 150), (3000, 51))


def test_clear_winners_are_promoted_and_noise_is_not(headlines: Path) -> None:
    bars = {bar["id"]: bar for bar in upworthy(3, True, headlines)}
    assert set(bars) == {"ab.upworthy.sign", "ab.upworthy.findings", "ab.upworthy.promotions"}
    assert "20 real tests, 20 looks each: 0 invalid by their split, 10 promoted, 10 by one test" in str(
        bars["ab.upworthy.sign"]["what"]
    )
    assert bars["ab.upworthy.sign"]["value"] == 1.0
    assert all(bar["met"] for bar in bars.values())
