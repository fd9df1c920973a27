from __future__ import annotations

import math

import pytest

from collector.click_models.calibration import calibrate
from collector.click_models.labels import USUAL_SIGNALS
from collector.fold.outcomes import Outcome


def rated(stars: int, seconds: float | None, times: int) -> list[Outcome]:
    return [Outcome(ratings={"d": stars}, dwell={} if seconds is None else {"d": seconds})] * times


def test_without_rated_lists_the_signals_are_the_usual_ones() -> None:
    found = calibrate([Outcome(dwell={"d": 90.0})] * 10)

    assert found.satisfied == pytest.approx(USUAL_SIGNALS.satisfied)
    assert found.dissatisfied == pytest.approx(USUAL_SIGNALS.dissatisfied)


def test_many_ratings_give_the_share_of_long_stays_among_liked_and_disliked_documents() -> None:
    liked = rated(5, 60, 9000) + rated(4, None, 1000)
    disliked = rated(1, 60, 3000) + rated(2, None, 7000)

    assert calibrate(liked + disliked).satisfied == pytest.approx(math.log(0.9 / 0.3), abs=0.02)


def test_short_stays_that_users_like_as_often_say_nothing() -> None:
    found = calibrate(rated(5, 3, 5000) + rated(1, 3, 5000))

    assert found.dissatisfied == pytest.approx(0, abs=0.02)


def test_a_signal_never_speaks_against_its_name() -> None:
    found = calibrate(rated(5, None, 5000) + rated(1, 60, 5000))

    assert found.satisfied == 0


def test_middling_ratings_are_left_out() -> None:
    assert calibrate(rated(3, 60, 5000)) == calibrate([])
