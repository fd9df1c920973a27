"""What the tests of learners share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.small_transformer import make_small_transformer


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Learn on one thread, as a training process does."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small encoder."""
    return make_small_transformer(tmp_path_factory.mktemp("model") / "base")
