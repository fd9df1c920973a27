"""What an owner may say of a personal order."""

from __future__ import annotations

from typing import Any

import pytest

from serving.rules.checks import check_changes
from serving.rules.settings import READERS, read_relevance


@pytest.mark.parametrize(
    ("name", "given", "place"),
    [
        ("personal", {}, ""),
        ("personal", {"fields": ["brand", "new"], "max_places": 10, "by": 5}, ""),
        ("mine", {}, "mine"),
        ("personal", {"by": 6}, "personal.by"),
        ("personal", {"by": float("nan")}, "personal.by"),
        ("personal", {"max_places": 0}, "personal.max_places"),
        ("personal", {"half_life_days": 0}, "personal.half_life_days"),
        ("personal", {"fields": ["brand", "price"]}, "personal.fields[1]"),
        ("personal", {"fields": ["colour"]}, "personal.fields[0]"),
    ],
)
def test_what_makes_no_sense_names_its_place(name: str, given: dict[str, Any], place: str) -> None:
    term = READERS["term"].validate_python({"kind": "personal", **given})
    faults = check_changes({name: term}, {"brand": "keyword", "new": "boolean", "price": "number"})
    assert [fault.field for fault in faults] == ([place] if place else [])


def test_it_is_no_term_that_all_share() -> None:
    relevance = read_relevance(1, {("term", "personal"): {"kind": "personal", "by": 2}})
    assert (relevance.terms, relevance.personal and relevance.personal.by) == ((), 2)
    assert relevance.is_empty
