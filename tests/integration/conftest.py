"""What these tests share: a log in the test's database with its consumer, and parts over an encoder of no size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from clickloop.container import Container
from collector.join.consumer import Consumer
from foundation.clock import FrozenClock
from foundation.eventlog.embedded import EmbeddedLog
from foundation.settings import Settings
from tests.feedback import SETTINGS
from tests.tiny_encoder import make_tiny_model


@pytest.fixture
def log(any_engine: sa.Engine) -> Iterator[EmbeddedLog]:
    log = EmbeddedLog(any_engine)
    yield log
    log.close()


@pytest.fixture
def consumer(any_engine: sa.Engine, log: EmbeddedLog, clock: FrozenClock) -> Consumer:
    return Consumer(any_engine, log.subscribe("collector"), SETTINGS, clock)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def parts(model: Path, tmp_path: Path) -> Iterator[Container]:
    """All parts in a home of their own, without a document."""
    (tmp_path / "onnx").symlink_to(model.parent / "onnx")
    container = Container(Settings(home=tmp_path, model=str(model), encoder_threads=1, log_level="error"))
    yield container
    container.content.close()
    container.engine.dispose()
