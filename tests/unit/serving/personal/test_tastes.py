"""Tastes are read once in seconds, and a store that is away or slow holds up nobody."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from foundation.clock import FrozenClock
from foundation.contracts import ChosenList
from foundation.errors import StoreAway
from serving.index.corpus import Corpus
from serving.personal.taste import Taste
from serving.personal.tastes import KEPT, Tastes
from serving.rules.personal_term import PersonalTerm
from tests.catalogs import make_corpus
from tests.conftest import START

TERM = PersonalTerm(kind="personal")


class Store:
    """What people chose; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False
        self.free = threading.Event()
        self.free.set()

    def read(self, collection: str, person: str, now: datetime) -> Sequence[ChosenList]:
        self.asked.append(f"{collection}/{person}")
        self.free.wait(5)
        if self.away:
            raise StoreAway("the database is away")
        return [ChosenList("q1", now, {"a": 1, "b": 2}, {"b": 1.0})]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus([{"id": name, "title": f"toner {name}"} for name in "ab"])


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(START)


def test_a_person_is_read_once_in_seconds(store: Store, clock: FrozenClock, corpus: Corpus) -> None:
    tastes = Tastes(store.read, clock, limit_s=5)
    tellings = [tastes.of("shop", "anna", corpus, TERM) for _ in range(3)]
    assert tellings[0] is tellings[2]
    assert isinstance(tellings[0], Taste)
    tastes.of("other", "anna", corpus, TERM)
    clock.advance(KEPT + timedelta(milliseconds=1))
    tastes.of("shop", "anna", corpus, TERM)
    assert store.asked == ["shop/anna", "other/anna", "shop/anna"]


def test_what_was_chosen_on_its_own_pages_moves_no_page_of_a_search(
    store: Store, clock: FrozenClock, corpus: Corpus
) -> None:
    tastes = Tastes(store.read, clock, limit_s=5)
    own, other = (tastes.of("shop", "anna", corpus, TERM, query_id=query_id) for query_id in ("q1", "q2"))
    assert (own and own.choices, other and other.choices) == (0, 1)


def test_a_store_that_is_away_is_asked_again_by_the_next_search(
    store: Store, clock: FrozenClock, corpus: Corpus
) -> None:
    tastes = Tastes(store.read, clock, limit_s=5)
    store.away = True
    assert tastes.of("shop", "anna", corpus, TERM) is None
    store.away = False
    assert tastes.of("shop", "anna", corpus, TERM) is not None


def test_a_store_that_hangs_is_waited_for_by_few(store: Store, clock: FrozenClock, corpus: Corpus) -> None:
    tastes = Tastes(store.read, clock, limit_s=0.01)
    store.free.clear()
    assert [tastes.of("shop", f"p{number}", corpus, TERM) for number in range(20)] == [None] * 20
    assert len(store.asked) == 8
    store.free.set()
