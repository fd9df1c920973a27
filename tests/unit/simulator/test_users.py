from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import InvalidRequest
from simulator.users import CascadeUser, PositionUser, TrustUser, User, gain, make_population, make_user

VISITS = 20_000


def click_rates(user: User, grades: Sequence[int]) -> list[float]:
    rng = np.random.default_rng(7)
    counts = np.zeros(len(grades))
    for _ in range(VISITS):
        for rank in user.clicks(grades, rng):
            counts[rank - 1] += 1
    return [float(rate) for rate in counts / VISITS]


def test_a_position_user_looks_at_rank_k_with_probability_k_to_the_minus_eta() -> None:
    rates = click_rates(PositionUser(noise=0.1, eta=1.0), [1, 1, 0, 1, 0])

    assert rates == pytest.approx([1, 1 / 2, 0.1 / 3, 1 / 4, 0.1 / 5], abs=0.012)


def test_a_trust_user_believes_the_top() -> None:
    relevant = click_rates(TrustUser(), [1] * 10)
    other = click_rates(TrustUser(), [0] * 10)

    assert relevant[0] == pytest.approx(0.95, abs=0.01)
    assert relevant[9] == pytest.approx(0.80 / 10, abs=0.01)
    assert other == pytest.approx([(0.1 + 0.2 / k) / k for k in range(1, 11)], abs=0.01)


def test_a_cascade_user_leaves_after_being_satisfied() -> None:
    user = CascadeUser(noise=0, attraction=1, stop_after_hit=0.9, stop_after_skip=0.2)

    rates = click_rates(user, [1, 0, 1])

    assert rates == pytest.approx([1, 0, 0.1 * 0.8], abs=0.01)


def test_a_patient_cascade_user_without_stops_reads_everything() -> None:
    user = CascadeUser(noise=0.2, attraction=0.8, stop_after_hit=0, stop_after_miss=0, stop_after_skip=0)

    assert click_rates(user, [0, 1, 0]) == pytest.approx([0.2, 0.8, 0.2], abs=0.012)


@pytest.mark.parametrize("user", [PositionUser(), TrustUser(noise=0.2), CascadeUser()])
@pytest.mark.parametrize("grades", [[], [0, 0, 1], [1, 0, 0, 1], [0] * 10])
def test_the_click_rate_is_the_share_of_lists_with_a_click(user: User, grades: list[int]) -> None:
    rng = np.random.default_rng(5)
    clicked = sum(bool(user.clicks(grades, rng)) for _ in range(VISITS)) / VISITS

    assert user.click_rate(grades) == pytest.approx(clicked, abs=0.012)


def test_grades_between_are_clicked_between() -> None:
    rates = click_rates(PositionUser(noise=0.1, eta=0, max_grade=3), [0, 1, 2, 3])

    assert rates == pytest.approx([0.1, 0.1 + 0.9 / 7, 0.1 + 0.9 * 3 / 7, 1.0], abs=0.012)
    assert gain(9, 3) == 1
    assert gain(-1, 3) == 0


@given(
    st.sampled_from(["position", "cascade", "trust"]),
    st.lists(st.integers(0, 3), max_size=15),
    st.floats(0, 0.3),
    st.integers(0, 2**32),
)
def test_clicks_are_ascending_ranks_and_repeat_with_their_seed(
    family: str, grades: list[int], noise: float, seed: int
) -> None:
    user = make_user(family, noise, max_grade=3)

    clicks = user.clicks(grades, np.random.default_rng(seed))

    assert clicks == sorted(set(clicks))
    assert all(1 <= rank <= len(grades) for rank in clicks)
    assert clicks == user.clicks(grades, np.random.default_rng(seed))


def test_without_noise_only_relevant_results_are_clicked() -> None:
    for family in ("position", "cascade", "trust"):
        rates = click_rates(make_user(family, noise=0), [0, 0, 1])
        assert rates[:2] == [0, 0]
        assert rates[2] > 0


def test_a_mixed_population_holds_every_family_and_a_person_stays_the_same() -> None:
    population = make_population("mixed")

    assert {type(population.person(number)) for number in range(3)} == {PositionUser, CascadeUser, TrustUser}
    assert population.person(5) == population.person(5)
    assert isinstance(make_population().person(11), TrustUser)


def test_what_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="no user family 'psychic'"):
        make_user("psychic")
    with pytest.raises(InvalidRequest, match=r"noise 0\.9"):
        make_user("trust", 0.9)
