"""A version that failed to load is tried again: after a pause, or as soon as one of its artifacts is another."""

from __future__ import annotations

from serving.live.failures import Failures


class Machine:
    """Time and artifacts that stand still until they are told otherwise."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.stamps: tuple[str, ...] = ("damaged",)
        self.failures = Failures(lambda: self.now_s)

    def is_due(self, after_s: float = 0.0) -> bool:
        self.now_s += after_s
        return self.failures.is_due("v", lambda: self.stamps)

    def fail(self) -> None:
        self.failures.note("v", "why", self.stamps)


def test_pauses_grow_to_a_minute() -> None:
    machine = Machine()
    pauses = []
    for _ in range(9):
        machine.fail()
        waited = 0
        while not machine.is_due(after_s=0.5):
            waited += 1
        pauses.append(waited / 2 + 0.5)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_an_artifact_that_is_back_is_tried_within_a_second() -> None:
    machine = Machine()
    for _ in range(9):
        machine.fail()
    assert not machine.is_due(after_s=1)
    machine.stamps = ("restored",)
    assert machine.is_due(after_s=1)


def test_what_is_forgotten_is_tried_at_once() -> None:
    machine = Machine()
    machine.fail()
    assert machine.failures.problem("v") == "why"
    machine.failures.forget("v")
    assert machine.is_due()
    machine.fail()
    machine.failures.keep({"other"})
    assert (machine.is_due(), machine.failures.problem("v")) == (True, "")
