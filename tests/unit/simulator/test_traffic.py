from collections import Counter

import pytest

from foundation.errors import InvalidRequest
from simulator.collection import JudgedCollection
from simulator.traffic import Traffic, zipf_shares


def collection(train: int = 50) -> JudgedCollection:
    queries = {f"q{number}": f"text {number}" for number in range(train)} | {"held": "held out"}
    judged = {f"q{number}": {"d": 1} for number in range(train)}
    return JudgedCollection([], queries, {"train": judged, "test": {"held": {"d": 1}}})


def test_popular_queries_follow_zipfs_law() -> None:
    traffic = Traffic(collection(), seed=3, zipf=0.8)

    asked = Counter(traffic.visit(number).query_id for number in range(20_000))

    shares = [asked[query] / 20_000 for query in traffic.queries]
    assert shares == pytest.approx(list(zipf_shares(50, 0.8)), abs=0.01)
    assert shares[0] / shares[1] == pytest.approx(2**0.8, rel=0.12)


def test_held_out_queries_are_never_asked() -> None:
    traffic = Traffic(collection(3), seed=1)

    assert {traffic.visit(number).query_id for number in range(500)} == {"q0", "q1", "q2"}


def test_a_visit_depends_on_seed_and_number_alone() -> None:
    backwards = [Traffic(collection(), seed=5).visit(number) for number in reversed(range(50))]

    assert backwards[::-1] == [Traffic(collection(), seed=5).visit(number) for number in range(50)]
    assert Traffic(collection(), seed=5).queries != Traffic(collection(), seed=6).queries


def test_a_fifth_of_the_people_never_sign_in() -> None:
    traffic = Traffic(collection(), persons=100)

    visits = [traffic.visit(number) for number in range(5000)]

    users = {visit.user for visit in visits if visit.user}
    assert len(users) == 80
    assert all(visit.session for visit in visits)
    assert sum(not visit.user for visit in visits) / 5000 == pytest.approx(0.2, abs=0.03)


def test_people_come_back_in_new_sessions() -> None:
    traffic = Traffic(collection(), persons=2)

    sessions = {traffic.visit(number).session for number in range(60) if traffic.visit(number).person == 1}

    assert len(sessions) == 10


def test_chances_of_different_purposes_differ() -> None:
    traffic = Traffic(collection())

    assert traffic.chance(4).random() == traffic.chance(4).random()
    assert traffic.chance(4, 1).random() != traffic.chance(4, 2).random()


@pytest.mark.parametrize(("persons", "zipf"), [(0, 0.8), (10, -1)])
def test_impossible_traffic_is_refused(persons: int, zipf: float) -> None:
    with pytest.raises(InvalidRequest, match="persons"):
        Traffic(collection(), persons=persons, zipf=zipf)


def test_people_ask_what_they_are_interested_in() -> None:
    judged = collection()
    wanted = dict.fromkeys(judged.split("train"), 0.0) | {"q3": 1.0, "q4": 4.0}
    traffic = Traffic(judged, zipf=0.0, interest=wanted)
    asked = [traffic.visit(number).query_id for number in range(500)]
    assert set(asked) == {"q3", "q4"}
    assert 3 < asked.count("q4") / asked.count("q3") < 5.5
    with pytest.raises(InvalidRequest):
        Traffic(judged, interest=dict.fromkeys(wanted, 0.0))


def test_people_of_another_name_are_others() -> None:
    visits = [[Traffic(collection(), people=name).visit(number) for number in range(50)] for name in ("person", "bot")]
    people, bots = ({one.user for one in some} - {""} for some in visits)
    assert people
    assert not people & bots
