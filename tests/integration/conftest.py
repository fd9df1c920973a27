"""What these tests share: a log in the test's database, and its consumer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from collector.join.consumer import Consumer
from foundation.clock import FrozenClock
from foundation.eventlog.embedded import EmbeddedLog
from tests.feedback import SETTINGS


@pytest.fixture
def log(any_engine: sa.Engine) -> Iterator[EmbeddedLog]:
    log = EmbeddedLog(any_engine)
    yield log
    log.close()


@pytest.fixture
def consumer(any_engine: sa.Engine, log: EmbeddedLog, clock: FrozenClock) -> Consumer:
    return Consumer(any_engine, log.subscribe("collector"), SETTINGS, clock)
