"""Records that cross a border."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.contracts import CURVE_RANKS, PRIOR_CURVE, ClickCurve, Manifest, query_key


@pytest.mark.parametrize(
    ("query", "key"),
    [("  Print   Margins\t", "print margins"), ("STRASSE", "strasse"), ("Straße", "strasse"), ("", ""), ("\n", "")],
)
def test_queries_that_differ_in_case_and_space_share_a_key(query: str, key: str) -> None:
    assert query_key(query) == key


@given(st.text())
def test_a_query_key_is_its_own_key(query: str) -> None:
    assert query_key(query_key(query)) == query_key(query)


def test_the_prior_curve_gives_relevant_documents_more_clicks_at_every_rank() -> None:
    assert len(PRIOR_CURVE.relevant) == len(PRIOR_CURVE.other) == CURVE_RANKS
    assert all(0 < low < high < 1 for low, high in zip(PRIOR_CURVE.other, PRIOR_CURVE.relevant, strict=True))
    assert list(PRIOR_CURVE.relevant) == sorted(PRIOR_CURVE.relevant, reverse=True)


def test_log_odds_are_the_likelihood_ratio_of_clicks_and_skips() -> None:
    curve = ClickCurve(relevant=(0.8, 0.4), other=(0.2, 0.1))
    expected = 2 * math.log(0.8 / 0.2) + math.log(0.2 / 0.8) + 3 * math.log(0.6 / 0.9)
    assert curve.log_odds((3.0, 3.0), (2.0, 0.0)) == pytest.approx(expected)


def test_ranks_beyond_the_curve_count_as_its_last() -> None:
    curve = ClickCurve(relevant=(0.8, 0.4), other=(0.2, 0.1))
    assert curve.log_odds((0.0, 0.0, 1.0), (0.0, 0.0, 1.0)) == pytest.approx(math.log(0.4 / 0.1))


def test_unseen_documents_have_no_odds() -> None:
    assert PRIOR_CURVE.log_odds((0.0,) * CURVE_RANKS, (0.0,) * CURVE_RANKS) == 0.0


def test_a_manifest_survives_json_and_keeps_its_name() -> None:
    manifest = Manifest("e" * 64, adapter="a" * 64, fusion="linear", weights={"bm25": 0.5, "dense": 0.5})
    read = Manifest.from_json(json.loads(json.dumps(manifest.to_json())))
    assert read == manifest
    assert read.id == manifest.id


@pytest.mark.parametrize(
    "change",
    [{"adapter": "x"}, {"weights": {"bm25": 1.0}}, {"fusion": "rrf"}, {"curve": {"relevant": [0.5], "other": [0.1]}}],
)
def test_any_change_of_a_manifest_is_another_version(change: dict[str, Any]) -> None:
    manifest = Manifest("encoder")
    assert Manifest.from_json(manifest.to_json() | change).id != manifest.id
