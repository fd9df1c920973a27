"""Terms of the score are worth what they say, and nothing where a document has no value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from serving.index.corpus import Corpus
from serving.rules.rule_book import Situation
from serving.rules.terms import Term, check_term, weigh
from tests.catalogs import make_corpus

NOW = datetime(2026, 11, 30, tzinfo=UTC)
READER: TypeAdapter[Any] = TypeAdapter(Term)
VIENNA = (48.2, 16.4)
HERE, FAR = {"lat": 48.2, "lon": 16.4}, {"lat": 48.2, "lon": 17.75}
DOCUMENTS: list[dict[str, Any]] = [
    {
        "id": "new",
        "title": "new",
        "sold": 99,
        "price": 10,
        "released": "2026-11-30",
        "shop": {"lat": 48.2, "lon": 16.4},
    },
    {
        "id": "old",
        "title": "old",
        "sold": 9,
        "price": 30,
        "released": "2026-10-31",
        "shop": {"lat": 48.2, "lon": 17.75},
    },
    {"id": "bare", "title": "bare", "brand": "acme"},
    {"id": "many", "title": "many", "sold": [1, 2], "released": "2027-01-01"},
]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus(DOCUMENTS)


def worth(corpus: Corpus, place: tuple[float, float] | None = VIENNA, **term: Any) -> list[float]:
    situation = Situation("", {}, "page", NOW, place)
    rows = np.array([corpus.row(one["id"]) for one in DOCUMENTS])
    found: list[float] = weigh(READER.validate_python(term), corpus, rows, situation).round(3).tolist()
    return found


def test_a_boost_is_for_what_its_filter_lets_through(corpus: Corpus) -> None:
    assert worth(corpus, kind="boost", filter={"brand": "acme"}, by=2) == [0, 0, 2, 0]
    assert worth(corpus, kind="boost", filter={"id": ["old", "none"]}, by=-1) == [0, -1, 0, 0]


def test_a_number_counts_evenly_between_two_bounds(corpus: Corpus) -> None:
    assert worth(corpus, kind="number", field="price", low=0, high=20, by=2) == [1, 2, 0, 0]
    assert worth(corpus, kind="number", field="price", low=30, high=10, by=1) == [1, 0, 0, 0]


def test_popularity_counts_by_its_logarithm_up_to_all(corpus: Corpus) -> None:
    assert worth(corpus, kind="popularity", field="sold", full=99, by=2) == [2, 1, 0, 0]


def test_age_halves_with_each_half_life_and_what_is_to_come_is_new(corpus: Corpus) -> None:
    assert worth(corpus, kind="age", field="released", half_life_days=30, by=4) == [4, 2, 0, 4]


def test_distance_halves_from_where_it_is_asked(corpus: Corpus) -> None:
    near, far, *others = worth(corpus, kind="distance", field="shop", half_km=100, by=2)
    assert (near, others) == (2, [0, 0])
    assert far == pytest.approx(1, abs=0.01)  # 100 km along the parallel
    assert worth(corpus, None, kind="distance", field="shop", half_km=100) == [0, 0, 0, 0]


def test_a_field_that_is_another_now_is_worth_nothing(corpus: Corpus) -> None:
    assert worth(corpus, kind="number", field="brand", low=0, high=1) == [0, 0, 0, 0]
    assert worth(corpus, kind="age", field="nowhere", half_life_days=1) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("term", "place", "reason"),
    [
        ({"kind": "number", "field": "prise", "low": 0, "high": 1}, "t.field", 'did you mean "price"'),
        ({"kind": "number", "field": "released", "low": 0, "high": 1}, "t.field", "must be a number, is a date"),
        ({"kind": "number", "field": "price", "low": 1, "high": 1}, "t.high", "must differ"),
        ({"kind": "popularity", "field": "sold", "full": 0}, "t.full", "above 0"),
        ({"kind": "age", "field": "released", "half_life_days": 0}, "t.half_life_days", "above 0"),
        ({"kind": "age", "field": "price", "half_life_days": 1}, "t.field", "must be a date"),
        ({"kind": "distance", "field": "brand", "half_km": 1}, "t.field", "brand.lat"),
        ({"kind": "distance", "field": "shop", "half_km": 0}, "t.half_km", "above 0"),
        ({"kind": "boost", "filter": {"bland": "x"}}, "t.filter.bland", "not a field"),
    ],
)
def test_what_makes_no_sense_is_said(corpus: Corpus, term: dict[str, Any], place: str, reason: str) -> None:
    fault = check_term(READER.validate_python(term), corpus.fields.types, "t")
    assert fault is not None
    assert fault.field == place
    assert reason in fault.reason


@given(st.floats(-10, 10), st.floats(0.1, 1e4), st.floats(-1e6, 1e6))
def test_no_term_is_worth_more_than_it_says(by: float, half: float, days: float) -> None:
    corpus = make_corpus([{"id": "a", "title": "a", "at": "2026-11-30", "n": 5}])
    situation = Situation("", {}, "page", datetime(2026, 11, 30, tzinfo=UTC) + timedelta(days=days / 10), None)
    for term in (
        {"kind": "age", "field": "at", "half_life_days": half, "by": by},
        {"kind": "popularity", "field": "n", "full": half, "by": by},
        {"kind": "number", "field": "n", "low": -half, "high": half, "by": by},
    ):
        worth = weigh(READER.validate_python(term), corpus, np.array([0]), situation)
        assert abs(worth[0]) <= abs(by) + 1e-9
