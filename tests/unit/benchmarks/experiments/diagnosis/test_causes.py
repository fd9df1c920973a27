"""A diagnosis is right that names the planted cause first, and nothing where nothing was planted."""

from __future__ import annotations

import pytest

from benchmarks.experiments.diagnosis.causes import NamedCauses


@pytest.mark.parametrize(
    ("planted", "named", "right"),
    [
        ("drift", ("drift", "latency"), True),
        ("drift", ("power", "drift"), False),
        ("drift", (), False),
        ("", (), True),
        ("", ("power",), False),
    ],
)
def test_the_first_name_decides(planted: str, named: tuple[str, ...], right: bool) -> None:
    assert NamedCauses(planted, named).right == right
