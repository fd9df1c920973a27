"""What the figures of a query mean, and which queries a report puts first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.fold.outcomes import Outcome
from collector.reports.queries import CountedSearch, cluster_queries, count_queries, order_queries, verdict_of

AT = datetime(2026, 1, 5, tzinfo=UTC)
GOOD, BAD = Outcome(clicked=(1,), ratings={"a": 5}), Outcome(clicked=(1,), ratings={"a": 1})
CLICKED, NOTHING = Outcome(clicked=(1,)), Outcome()


def search(
    query: str, unit: str = "u1", minutes: float = 0, outcome: Outcome = NOTHING, results: int = 3
) -> CountedSearch:
    at = AT + timedelta(minutes=minutes)
    return CountedSearch(f"{query}/{unit}/{minutes}", query, unit, at, results, outcome)


def figures(*searches: CountedSearch) -> dict[str, Any]:
    return {one.query: one for one in count_queries(searches)}


def test_people_are_counted_once() -> None:
    toner = figures(search("toner"), search("toner", minutes=60), search("toner", "u2"))["toner"]

    assert (toner.searches, toner.users) == (3, 2)


def test_shares_are_of_all_searches_for_the_query() -> None:
    found = figures(search("toner", "u1", outcome=CLICKED), search("toner", "u2"), search("toner", "u3", results=0))[
        "toner"
    ]

    assert (found.click_rate, found.zero_result_rate, found.abandoned_rate) == (1 / 3, 1 / 3, 1 / 3)


def test_a_list_that_answered_without_a_click_is_not_abandoned() -> None:
    assert figures(search("toner", outcome=Outcome(resolved=True)))["toner"].abandoned_rate == 0


@pytest.mark.parametrize(
    ("second", "share"),
    [
        (search("toner black", minutes=2), 1.0),
        (search("toner", minutes=2), 0.0),
        (search("toner black", minutes=6), 0.0),
        (search("toner black", "u2", minutes=2), 0.0),
    ],
)
def test_asking_something_else_soon_is_a_reformulation(second: CountedSearch, share: float) -> None:
    found = figures(search("toner"), second)["toner"]

    assert found.reformulated_rate * (found.searches if second.query_key == "toner" else 1) == share


def test_searches_of_nobody_are_one_persons_and_reformulate_nothing() -> None:
    found = figures(search("toner", ""), search("toner", "", minutes=1), search("ink", "", minutes=2))

    assert (found["toner"].searches, found["toner"].users) == (2, 1)
    assert found["toner"].reformulated_rate == 0


def test_after_a_click_it_is_none() -> None:
    assert figures(search("toner", outcome=CLICKED), search("ink", minutes=1))["toner"].reformulated_rate == 0


def test_ratings_are_averaged_and_satisfaction_is_a_share_of_what_is_known() -> None:
    found = figures(search("toner", "u1", outcome=GOOD), search("toner", "u2", outcome=BAD), search("toner", "u3"))

    toner = found["toner"]
    assert (toner.mean_rating, toner.ratings, toner.csat) == (3.0, 2, 0.5)
    assert figures(search("ink"))["ink"].csat is None


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (NOTHING, 0),
        (GOOD, 1),
        (BAD, -1),
        (Outcome(ratings={"a": 1, "b": 5}), 1),
        (Outcome(conversions={"a": 1}), 1),
        (Outcome(dwell={"a": 2.0}), -1),
        (Outcome(resolved=False), -1),
        (Outcome(resolved=True, dwell={"a": 2.0}), 1),
    ],
)
def test_one_satisfying_document_is_enough(outcome: Outcome, verdict: int) -> None:
    assert verdict_of(outcome) == verdict


def test_orders_put_the_queries_with_most_such_searches_first_and_leave_out_the_others() -> None:
    searches = [
        *(search("toner", f"u{n}", outcome=BAD) for n in range(3)),
        *(search("ink", f"i{n}", results=0) for n in range(2)),
        search("paper", "u9", outcome=GOOD),
        search("paper", "u8", outcome=GOOD),
        *(search("glue", f"v{n}") for n in range(4)),
    ]
    found = count_queries(searches)

    assert [one.query for one in order_queries(found, "volume")] == ["glue", "toner", "ink", "paper"]
    assert [one.query for one in order_queries(found, "zero-result")] == ["ink"]
    assert [one.query for one in order_queries(found, "abandoned")] == ["glue"]
    assert [one.query for one in order_queries(found, "low-csat")] == ["toner"]
    assert order_queries(found, "reformulated") == []


def test_queries_of_low_satisfaction_that_share_words_are_one_cluster() -> None:
    queries = ["print label", "print label twice", "reset password", "label print"]
    found = count_queries([search(query, f"u{n}", outcome=BAD) for query in queries for n in range(len(query))])

    clusters = cluster_queries(order_queries(found, "low-csat"))

    assert [set(one.queries) for one in clusters] == [
        {"print label", "print label twice", "label print"},
        {"reset password"},
    ]
    assert clusters[0].words == ["label", "print"]
    assert clusters[0].csat == 0.0
    assert clusters[0].dissatisfied == sum(map(len, ("print label", "print label twice", "label print")))


SEARCHES = st.lists(
    st.builds(
        search,
        st.sampled_from(["toner", "ink", "black toner"]),
        st.sampled_from(["u1", "u2"]),
        st.integers(0, 30),
        st.sampled_from([GOOD, BAD, CLICKED, NOTHING]),
        st.integers(0, 3),
    ),
    unique_by=lambda one: one.query_id,
)


@given(SEARCHES)
def test_shares_are_shares_and_every_search_is_counted(searches: list[CountedSearch]) -> None:
    found = count_queries(searches)

    assert sum(one.searches for one in found) == len(searches)
    for one in found:
        shares = (one.click_rate, one.zero_result_rate, one.abandoned_rate, one.reformulated_rate, one.csat or 0.0)
        assert all(0 <= share <= 1 for share in shares)


@given(SEARCHES)
def test_every_query_of_low_satisfaction_is_in_one_cluster(searches: list[CountedSearch]) -> None:
    low = order_queries(count_queries(searches), "low-csat")

    assert sorted(query for one in cluster_queries(low) for query in one.queries) == sorted(one.query for one in low)
