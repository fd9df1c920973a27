"""Who sets what is not installed is told what to install."""

from __future__ import annotations

import sys

import pytest

from foundation.errors import MissingExtra
from foundation.extras import needs_extra


def test_a_missing_extra_is_named_with_the_setting_that_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with (
        pytest.raises(MissingExtra, match=r"CLICKLOOP_MLFLOW_URL needs mlflow, which is missing.*clickloop\[mlflow\]"),
        needs_extra("mlflow", "CLICKLOOP_MLFLOW_URL"),
    ):
        import mlflow  # noqa: F401, PLC0415  the import is what is tested
