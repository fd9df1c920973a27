"""How far the collector is behind, as a process sees it that does not collect."""

from __future__ import annotations

from collector.join.lag import STANDS_AFTER_S, LagWatch


class Place:
    """A place in a log, as told."""

    def __init__(self) -> None:
        self.waiting = 0
        self.committed = 0

    def lag(self) -> int:
        return self.waiting

    def progress(self) -> int:
        return self.committed


class Stage:
    def __init__(self) -> None:
        self.now_s = 0.0
        self.place = Place()
        self.watch = LagWatch(lambda: self.place, lambda: self.now_s)  # type: ignore[arg-type,return-value]  # it reads no more

    def look(self, after_s: float, waiting: int, committed: int) -> list[str]:
        self.now_s += after_s
        self.place.waiting, self.place.committed = waiting, committed
        self.watch.measure()
        return self.watch.problems()


def test_a_collector_that_moves_is_not_told_of_however_much_waits() -> None:
    stage = Stage()

    assert [stage.look(STANDS_AFTER_S, 1000, moved) for moved in range(1, 5)] == [[]] * 4


def test_one_that_stands_while_records_wait_is_told_of_until_it_moves() -> None:
    stage = Stage()
    stage.look(1, 5, 10)
    early = stage.look(STANDS_AFTER_S - 1, 5, 10)
    late = stage.look(2, 7, 10)

    assert early == []
    assert late == ["the collector folds nothing: 7 records have waited for 11 s"]
    assert stage.look(1, 6, 11) == []


def test_nothing_waits_for_one_that_has_nothing_to_do() -> None:
    stage = Stage()
    stage.look(1, 0, 10)

    assert stage.look(1000, 0, 10) == []
    assert stage.look(1, 3, 10) == []


def test_a_log_that_began_anew_is_told_of_for_ten_minutes() -> None:
    stage = Stage()
    stage.look(1, 0, 500)

    told = stage.look(1, 3, 0)
    assert told == ["the event log began anew 0 s ago: what it held and nobody had read is lost"]
    assert stage.look(599, 0, 3) != []
    assert stage.look(2, 0, 3) == []
