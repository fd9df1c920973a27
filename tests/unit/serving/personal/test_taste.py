"""A taste is read from choices where they show one, and moves little."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from foundation.contracts import ChosenList
from serving.index.corpus import Corpus
from serving.personal.taste import Taste, read_taste
from serving.rules.personal_term import PersonalTerm
from tests.catalogs import make_corpus

NOW = datetime(2026, 11, 30, tzinfo=UTC)
TERM = PersonalTerm(kind="personal", fields=("brand",), max_places=2)
DOCUMENTS: list[dict[str, Any]] = [
    {"id": f"{brand}{number}", "title": f"toner {brand}{number}", "brand": brand}
    for number in range(40)
    for brand in "xyz"
]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus(DOCUMENTS)


def lists_of(prefer: str, random: np.random.Generator, count: int = 30) -> list[ChosenList]:
    """Return lists of ten from which somebody chose one of a brand, or any where that is empty."""
    lists = []
    for number in range(count):
        names = [DOCUMENTS[place]["id"] for place in random.choice(len(DOCUMENTS), 10, replace=False)]
        liked = [name for name in names if name.startswith(prefer)] or names
        chosen = {str(random.choice(liked)): 1.0}
        ranks = {name: rank for rank, name in enumerate(names, 1)}
        lists.append(ChosenList(f"q{number}", NOW - timedelta(days=number), ranks, chosen))
    return lists


def lifts(taste: Taste, corpus: Corpus, *names: str) -> list[float]:
    rows = np.array([corpus.row(name) for name in names], np.int64)
    return [float(one) for one in taste.lift(corpus, rows)]


def test_what_is_chosen_more_than_shown_is_preferred_within_the_bound(corpus: Corpus) -> None:
    taste = read_taste(lists_of("x", np.random.default_rng(1)), corpus, TERM, NOW)
    x, y, z = lifts(taste, corpus, "x1", "y1", "z1")
    assert list(taste.fields) == ["brand"]
    assert x > 0.2 > max(y, z)
    assert max(abs(x), abs(y), abs(z)) <= TERM.by


def test_whoever_picks_at_random_is_hardly_moved(corpus: Corpus) -> None:
    every = np.arange(len(DOCUMENTS))
    tastes = [read_taste(lists_of("", np.random.default_rng(seed)), corpus, TERM, NOW) for seed in range(40)]
    assert np.median([np.abs(taste.lift(corpus, every)).max() for taste in tastes]) < 0.1 * TERM.by


def test_a_preference_for_the_first_rank_is_no_taste(corpus: Corpus) -> None:
    names = [f"x{number}" for number in range(10)] + [f"y{number}" for number in range(10)]
    ranks = [{name: rank for rank, name in enumerate(names[start::10], 1)} for start in range(10)]
    lists = [ChosenList(f"q{n}", NOW, one, {next(iter(one)): 1.0}) for n, one in enumerate(ranks)]
    by_rank = read_taste(lists, corpus, TERM, NOW)
    turned = [ChosenList(one.query_id, NOW, {n: 3 - r for n, r in one.ranks.items()}, one.chosen) for one in lists]
    against_rank = read_taste(turned, corpus, TERM, NOW)
    assert lifts(by_rank, corpus, "x1")[0] < lifts(against_rank, corpus, "x1")[0]


def test_vectors_tell_a_taste_that_no_field_does(corpus: Corpus) -> None:
    direction = corpus.means([0])[0]
    near = {corpus.name(row): float(corpus.means([row])[0] @ direction) for row in range(len(DOCUMENTS))}
    random, lists = np.random.default_rng(3), []
    for number in range(30):
        names = [DOCUMENTS[place]["id"] for place in random.choice(len(DOCUMENTS), 10, replace=False)]
        ranks = {name: rank for rank, name in enumerate(names, 1)}
        lists.append(ChosenList(f"q{number}", NOW, ranks, {max(names, key=lambda name: near[name]): 1.0}))
    taste = read_taste(lists, corpus, PersonalTerm(kind="personal"), NOW)
    assert (bool(taste.meaning.any()), dict(taste.fields)) == (True, {})
    ordered = sorted(near, key=lambda name: near[name])
    far, close = lifts(taste, corpus, ordered[0], ordered[-1])
    assert close > far


@pytest.mark.parametrize("lists", [[], [ChosenList("q", NOW, {"gone": 1, "x1": 2}, {"gone": 1.0})]])
def test_nothing_known_moves_nothing(corpus: Corpus, lists: list[ChosenList]) -> None:
    taste = read_taste(lists, corpus, TERM, NOW)
    assert (taste.choices, taste.is_known, lifts(taste, corpus, "x1", "y1")) == (0, False, [0.0, 0.0])


def test_nobody_is_moved_further_than_the_owner_allows_and_scores_tell_the_order(corpus: Corpus) -> None:
    taste = read_taste(lists_of("x", np.random.default_rng(1)), corpus, TERM, NOW)
    names = ["y1", "y2", "y3", "z1", "x1", "x2", "z2"]
    rows = [corpus.row(name) or 0 for name in names]
    scores = np.linspace(1.0, 0.9, len(names)).astype(np.float32)
    order, moved = taste.arrange(corpus, rows, range(len(names)), scores)
    assert [names[place] for place in order[2:4]] == ["x1", "x2"]
    assert all(abs(place - stood) <= TERM.max_places for place, stood in enumerate(order))
    assert (np.diff((scores + moved)[order]) <= 1e-6).all()
