"""Threads that outlive what breaks in them, whatever it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from clickloop.server.supervisor import Supervisor
from collector.privacy.retention import Retention
from foundation.clock import FrozenClock
from foundation.database.leases import Leases
from foundation.processes.rounds import Rounds
from foundation.settings import Settings
from foundation.telemetry.logs import configure_logs

# kafka-python reads its message schemas by a function that Python 3.11 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:(read|open)_text is deprecated:DeprecationWarning")


class Breaking:
    """Something that breaks the first times it is done, in a way that nobody expects."""

    def __init__(self, times: int, then: Callable[..., Any] = lambda *_, **__: None) -> None:
        self.left = times
        self.went_well = threading.Event()
        self._then = then

    def __call__(self, *args: Any, **options: Any) -> Any:
        if self.left:
            self.left -= 1
            raise ZeroDivisionError
        self.went_well.set()
        return self._then(*args, **options)


def test_what_breaks_is_told_once_until_a_round_goes_well(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info")
    rounds = Rounds("odd work")
    for breaks in (True, True, True, False, True):
        with rounds.guarded():
            assert not breaks

    said = capsys.readouterr()
    assert (said.out + said.err).count("round failed, will be tried again") == 2


class Producer:
    """A producer of Kafka that is connected."""

    def __init__(self, **_: Any) -> None: ...

    def partitions_for(self, topic: str) -> set[int]:
        return {len(topic)}

    def close(self, timeout: float) -> None:
        assert timeout >= 0


@pytest.fixture
def topics(monkeypatch: pytest.MonkeyPatch) -> Breaking:
    pytest.importorskip("kafka")
    from kafka.errors import KafkaError  # noqa: PLC0415  of an extra

    from foundation.eventlog.kafka import log as kafka  # noqa: PLC0415  of an extra

    class Away(Breaking):
        first = True

        def __call__(self, *args: Any, **options: Any) -> Any:
            if self.first:
                self.first = False
                raise KafkaError
            return super().__call__(*args, **options)

    topics = Away(1)
    monkeypatch.setattr(kafka, "ensure_topic", topics)
    monkeypatch.setattr(kafka, "KafkaProducer", Producer)
    monkeypatch.setattr(kafka, "_TRY_EVERY_S", 0.05)
    return topics


def test_the_keeper_of_kafka_goes_on(engine: sa.Engine, topics: Breaking) -> None:
    from foundation.eventlog.kafka.log import KafkaLog  # noqa: PLC0415  of an extra

    log = KafkaLog(engine, "127.0.0.1:1")
    assert log.away
    assert topics.went_well.wait(5)
    deadline = time.monotonic() + 5
    while log.away:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    log.close()


def test_a_lease_is_renewed_after_a_round_that_broke(
    engine: sa.Engine, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    leases = Leases(engine, clock, "me")
    lease = leases.take("work", timedelta(minutes=1))
    assert lease
    renewal = Breaking(1, lambda *_: True)
    monkeypatch.setattr(leases, "renew", renewal)

    with leases.renewing(lease, timedelta(minutes=1), every_s=0.02):
        assert renewal.went_well.wait(5)


def test_old_feedback_is_removed_after_a_round_that_broke(
    engine: sa.Engine, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.privacy.retention._FIRST_S", 0.02)
    monkeypatch.setattr("collector.privacy.retention._EVERY_S", 0.02)
    settings = Settings(_env_file=None, retention_days=30)
    retention, stop = Retention(engine, settings, clock, Leases(engine, clock, "me")), threading.Event()
    sweep = Breaking(1, lambda _stop: {})
    monkeypatch.setattr(retention, "sweep", sweep)
    thread = threading.Thread(target=retention.run, args=(stop,), daemon=True)
    thread.start()

    assert sweep.went_well.wait(5)
    stop.set()
    thread.join(5)


def test_the_background_process_is_started_when_there_is_room_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clickloop.server.supervisor._FIRST_PAUSE_S", 0.02)
    start = Breaking(1)
    monkeypatch.setattr("clickloop.server.supervisor.start_child", start)

    with Supervisor(Settings(_env_file=None)):
        assert start.went_well.wait(5)


def test_the_watch_over_the_clock_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from retrainer import schedule  # noqa: PLC0415  beside what it breaks

    monkeypatch.setattr(schedule, "_WATCH_EVERY_S", 0.02)
    look = Breaking(1)
    monkeypatch.setattr(schedule, "bring_forward", look)
    watched: Any = type("Watched", (), {"_stopped": threading.Event(), "_scheduler": None})()
    thread = threading.Thread(target=schedule.Schedule._watch_clock, args=(watched,), daemon=True)
    thread.start()

    assert look.went_well.wait(5)
    watched._stopped.set()
    thread.join(5)
