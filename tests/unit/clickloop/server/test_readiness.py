"""What `/readyz` says of a replica, whatever its parts say or fail to say."""

from __future__ import annotations

import pytest

from clickloop.server.readiness import Readiness
from foundation.errors import NotReady


class Part:
    def __init__(self, *sentences: str) -> None:
        self.sentences = list(sentences)

    def problems(self) -> list[str]:
        return self.sentences


class Broken:
    def problems(self) -> list[str]:
        raise RuntimeError("cannot tell")


def make(*parts: Part | Broken, loaded: bool = True) -> Readiness:
    return Readiness(lambda: {"default": {"documents": 1}}, lambda: loaded, parts)


def test_a_replica_that_loads_is_not_ready() -> None:
    with pytest.raises(NotReady):
        make(loaded=False).tell()


def test_without_problems_it_is_ready() -> None:
    assert make(Part(), Part()).tell() == {
        "status": "ready",
        "problems": [],
        "collections": {"default": {"documents": 1}},
    }


def test_each_sentence_is_told_once_in_the_order_of_the_parts() -> None:
    told = make(Part("the log is away"), Part("the log is away", "a version does not load")).tell()

    assert (told["status"], told["problems"]) == ("degraded", ["the log is away", "a version does not load"])


def test_a_part_that_cannot_speak_silences_no_other() -> None:
    told = make(Broken(), Part("the log is away")).tell()

    assert told["status"] == "degraded"
    assert told["problems"] == ["Broken cannot tell how it is; the log says why", "the log is away"]
