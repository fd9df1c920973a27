"""Settings that make no sense are refused with the place and the reason."""

from __future__ import annotations

from typing import Any

import pytest

from serving.index.fields.values import FieldType
from serving.rules.checks import check_changes
from serving.rules.settings import READERS, Kind

TYPES: dict[str, FieldType] = {"brand": "keyword", "price": "number"}


def faults(kind: Kind, given: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one.field, one.reason) for one in check_changes({"n": READERS[kind].validate_python(given)}, TYPES)]


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("synonyms", {"words": ["c++", "cpp"]}),
        ("synonyms", {"words": ["lcd"], "to": ["flat panel"]}),
        ("rule", {"pin": [{"id": "a"}]}),
        ("rule", {"banner": {}}),
        ("rule", {"filter": {"brand": ["acme"]}, "since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"}),
        ("rule", {"redirect": "/sale"}),
        ("term", {"kind": "number", "field": "price", "low": 100, "high": 0}),
    ],
)
def test_what_makes_sense_is_taken(kind: Kind, given: dict[str, Any]) -> None:
    assert faults(kind, given) == []


@pytest.mark.parametrize(
    ("kind", "given", "place", "reason"),
    [
        ("synonyms", {"words": ["tv"]}, "n.words", "at least two"),
        ("synonyms", {"words": ["tv", "TV"]}, "n.words", "that differ"),
        ("synonyms", {"words": [], "to": ["tv"]}, "n.words", "at least one"),
        ("synonyms", {"words": ["tv", "!"]}, "n.words[1]", "a letter or a digit"),
        ("synonyms", {"words": ["tv", "x" * 201]}, "n.words[1]", "at most 200"),
        ("rule", {}, "n", "must do something"),
        ("rule", {"pin": [{"id": "a", "rank": 0}]}, "n.pin[0].rank", "from 1 to 1000"),
        ("rule", {"boost": [{"filter": {"brand": "a"}, "by": 0}]}, "n.boost[0].by", "above 0"),
        ("rule", {"boost": [{"filter": {"brand": "a"}, "by": float("nan")}]}, "n.boost[0].by", "above 0"),
        ("rule", {"filter": {"bland": "a"}}, "n.filter.bland", "did you mean"),
        ("rule", {"redirect": "javascript:alert(1)"}, "n.redirect", "http"),
        ("rule", {"hide": ["a"], "since": "2026-01-01T00:00:00"}, "n.since", "zone"),
        (
            "rule",
            {"hide": ["a"], "since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
            "n.until",
            "later than since",
        ),
        ("rule", {"hide": ["a"], "when": {"queries": ["!"]}}, "n.when.queries[0]", "a letter or a digit"),
        ("rule", {"banner": {"html": "x" * 10_001}}, "n.banner", "at most 10000 bytes"),
        ("term", {"kind": "boost", "filter": {"brand": "a"}, "by": 101}, "n.by", "from -100 to 100"),
        ("term", {"kind": "number", "field": "price", "low": 0, "high": float("inf")}, "n.high", "must be a number"),
    ],
)
def test_what_makes_none_is_refused(kind: Kind, given: dict[str, Any], place: str, reason: str) -> None:
    found = faults(kind, given)
    assert [one for one, _ in found] == [place]
    assert reason in found[0][1]
