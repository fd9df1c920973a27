from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.click_models.labels import Signals, label
from foundation.contracts import CURVE_RANKS, PRIOR_CURVE, ClickCurve, Evidence, Label

NOTHING = (0.0,) * CURVE_RANKS


def at(rank: int, times: float = 1.0) -> tuple[float, ...]:
    return tuple(times if place == rank else 0.0 for place in range(1, CURVE_RANKS + 1))


def row(document: str, rank: int, shown: float, clicked: float, query: str = "q", satisfied: float = 0.0) -> Evidence:
    return Evidence(query, document, at(rank, shown), at(rank, clicked), users=int(clicked), satisfied=satisfied)


def by_document(labels: list[Label]) -> dict[str, float]:
    return {one.document_id: one.relevance for one in labels}


def test_no_evidence_gives_no_labels_and_the_prior_curve() -> None:
    assert label([], {}) == ([], PRIOR_CURVE)


def test_a_click_far_down_says_more_than_one_on_top() -> None:
    evidence = [row("top", 1, 1, 1, "a"), row("deep", 8, 1, 1, "b")]
    prior = {"a": {"top": 0.2, "x": 0.2}, "b": {"deep": 0.2, "x": 0.2}}

    labels, _ = label(evidence, prior, PRIOR_CURVE)

    assert by_document(labels)["deep"] > by_document(labels)["top"] > 0.2


def test_documents_never_shown_gain_when_the_shown_ones_fail() -> None:
    prior = {"q": {"shown": 0.6, "hidden": 0.3}}

    labels, _ = label([row("shown", 1, 6, 0)], prior, PRIOR_CURVE)

    assert by_document(labels)["hidden"] > 0.7
    assert by_document(labels).get("shown", 0.0) < 0.1


def test_several_documents_can_be_relevant_where_clicks_say_so() -> None:
    queries = [f"q{number}" for number in range(20)]
    evidence = [row(name, rank, 10, 10 * chance, query) for query in queries for name, rank, chance in CLICKED]
    prior = {query: {"a": 0.4, "b": 0.4, "c": 0.1} for query in queries}

    labels, _ = label(evidence, prior, PRIOR_CURVE)

    assert by_document(labels)["a"] > 0.9
    assert by_document(labels)["b"] > 0.9


CLICKED = (("a", 1, 0.9), ("b", 2, 0.5), ("c", 3, 0.0))


def test_satisfied_users_count_beyond_their_click() -> None:
    prior = {"a": {"d": 0.3}, "b": {"d": 0.3}}

    labels, _ = label([row("d", 1, 1, 1, "a"), row("d", 1, 1, 1, "b", satisfied=1)], prior, PRIOR_CURVE)

    found = {one.query_key: one.relevance for one in labels}
    assert found["b"] > found["a"]


def test_signals_count_as_much_as_they_are_said_to() -> None:
    evidence = [row("d", 1, 1, 1, satisfied=1)]

    deaf, _ = label(evidence, {"q": {"d": 0.3}}, PRIOR_CURVE, Signals(0.0, 0.0))
    usual, _ = label(evidence, {"q": {"d": 0.3}}, PRIOR_CURVE)

    assert deaf[0].relevance < usual[0].relevance


def test_labels_are_surest_where_relevance_is_nearly_certain() -> None:
    assert Label("q", "d", 0.5, 1.0).uncertainty == 0.5
    assert Label("q", "d", 0.99, 1.0).uncertainty < 0.1
    assert Label("q", "d", 1.0, 1.0).uncertainty == 0


def test_users_are_read_by_their_own_curve_when_there_is_enough_of_them() -> None:
    random = np.random.default_rng(3)
    truth = ClickCurve(tuple(0.9 / k for k in range(1, 21)), tuple(0.3 / k for k in range(1, 21)))
    evidence, prior = [], {}
    for number in range(300):
        right = int(random.integers(1, 6))
        for rank in range(1, 11):
            chance = (truth.relevant if rank == right else truth.other)[rank - 1]
            evidence.append(row(f"d{rank}", rank, 40, float(random.binomial(40, chance)), f"q{number}"))
        prior[f"q{number}"] = {f"d{rank}": 0.2 for rank in range(1, 6)}

    _, curve = label(evidence, prior)

    assert curve.relevant[:5] == pytest.approx(truth.relevant[:5], rel=0.15)
    assert curve.other[:5] == pytest.approx(truth.other[:5], rel=0.25)


def test_queries_with_more_examined_lists_weigh_more_but_not_without_bound() -> None:
    evidence = [row("d", 1, 1, 1, "once"), row("d", 1, 9, 9, "often"), row("d", 1, 5000, 5000, "always")]

    labels, _ = label(evidence, {name: {"d": 0.5} for name in ("once", "often", "always")}, PRIOR_CURVE)

    weight = {one.query_key: one.weight / one.relevance for one in labels}
    assert weight["often"] == pytest.approx(3 * weight["once"])
    assert weight["always"] < 5


def test_queries_whose_clicks_leave_open_which_document_answers_weigh_less() -> None:
    evidence = [row("d", 1, 1, 1, "clear"), row("d", 1, 1, 1, "open")]

    labels, _ = label(evidence, {"clear": {"d": 0.6}, "open": {"d": 0.05}}, PRIOR_CURVE)

    weight = {one.query_key: one.weight for one in labels}
    assert weight["open"] < weight["clear"] / 2


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_relevance_is_a_probability_and_the_order_of_evidence_does_not_matter(seed: int) -> None:
    random = np.random.default_rng(seed)
    evidence = [
        row(f"d{place}", place, shown, float(random.integers(0, int(shown) + 1)), f"q{query}")
        for query in range(4)
        for place in range(1, 7)
        for shown in [float(random.integers(1, 9))]
    ]
    prior = {f"q{query}": {f"d{place}": 0.1 for place in range(9)} for query in range(4)}

    labels, curve = label(evidence, prior)
    again, same = label([evidence[place] for place in random.permutation(len(evidence))], prior)

    assert (labels, curve) == (again, same)
    assert all(0 <= one.relevance <= 1 for one in labels)
