"""Stored settings are read whatever release wrote them."""

from __future__ import annotations

from typing import Any

from serving.rules.settings import ItemKey, read_features, read_relevance


def test_what_this_release_cannot_read_is_left_out_and_all_else_acts() -> None:
    items: dict[ItemKey, dict[str, Any]] = {
        ("rule", "good"): {"hide": ["a"]},
        ("rule", "of a later release"): {"hide": ["a"], "sing": True},
        ("term", "unknown"): {"kind": "mood"},
        ("synonyms", "tv"): {"words": ["tv", "television"]},
    }
    relevance = read_relevance(7, items)
    assert (relevance.number, len(relevance.book), relevance.terms) == (7, 1, ())
    assert relevance.synonyms.rules == (("tv", ("television",)), ("television", ("tv",)))
    assert not relevance.is_empty


def test_synonyms_go_one_way_or_both() -> None:
    both = read_relevance(1, {("synonyms", "s"): {"words": ["a1", "b1", "c1"]}}).synonyms.rules
    assert both == (("a1", ("b1", "c1")), ("b1", ("a1", "c1")), ("c1", ("a1", "b1")))
    one_way = read_relevance(1, {("synonyms", "s"): {"words": ["a1", "b1"], "to": ["c1"]}}).synonyms.rules
    assert one_way == (("a1", ("c1",)), ("b1", ("c1",)))


def test_features_are_read_beside_the_rest() -> None:
    items: dict[ItemKey, dict[str, Any]] = {("feature", "price"): {}, ("feature", "brand"): {"values": 3}}
    assert read_features(items) == {"price": 12, "brand": 3}
    assert read_relevance(1, items).is_empty
