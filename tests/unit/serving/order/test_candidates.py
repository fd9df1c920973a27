"""What an engine's list says of its documents."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from serving.order.candidates import Candidate, engine_prior

SCORES = st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=1000)


def listed(scores: list[float | None]) -> list[Candidate]:
    return [Candidate(str(place), score) for place, score in enumerate(scores)]


@given(scores=SCORES)
def test_the_prior_never_rises_within_the_engines_list(scores: list[float | None]) -> None:
    prior = engine_prior(listed(scores))
    assert np.isfinite(prior).all()
    assert (np.diff(prior) < 0).all()


@given(
    scores=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=100),
    scale=st.floats(1e-3, 1e3),
    shift=st.floats(-1e3, 1e3),
)
def test_the_scale_of_an_engines_scores_says_nothing(scores: list[float], scale: float, shift: float) -> None:
    falling = sorted({round(score) for score in scores}, reverse=True)
    moved = [scale * score + shift for score in falling]
    assert np.allclose(engine_prior(listed([*map(float, falling)])), engine_prior(listed([*moved])), atol=1e-3)


def test_a_lead_in_score_is_a_lead_in_the_prior() -> None:
    close, far = engine_prior(listed([9.0, 8.9, 1.0])), engine_prior(listed([9.0, 2.0, 1.0]))
    assert close[0] - close[1] < far[0] - far[1]


def test_scores_count_only_where_all_are_told() -> None:
    assert (engine_prior(listed([9.0, None, 1.0])) == engine_prior(listed([None, None, None]))).all()
