"""Suggestions complete the words of queries that enough people asked, and never give a person away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.language.folding import fold
from serving.present.suggestions import SuggestedQuery, Suggestions, is_private

ASKED = [
    SuggestedQuery("print envelope", 2.0),
    SuggestedQuery("print label", 3.0),
    SuggestedQuery("blank print", 9.0),
    SuggestedQuery("mail merge", 1.0),
]


def test_what_begins_as_typed_comes_first_by_weight() -> None:
    assert Suggestions(ASKED).complete("Pri", 5) == ["print label", "print envelope", "blank print"]


def test_any_word_may_be_begun() -> None:
    assert Suggestions(ASKED).complete("env", 5) == ["print envelope"]
    assert Suggestions(ASKED).complete("print  e", 5) == ["print envelope"]


def test_nothing_typed_suggests_nothing() -> None:
    assert Suggestions(ASKED).complete("  ", 5) == []


@pytest.mark.parametrize(
    "text", ["mail jane.roe@example.org", "card 4111 1111 1111 1111", "call 0171-5551234", "order 1234567"]
)
def test_what_looks_private_is_never_shown(text: str) -> None:
    assert is_private(text)
    assert Suggestions([SuggestedQuery(text, 99.0)]).complete(text[:3], 5) == []


@pytest.mark.parametrize("text", ["office 365", "error 404", "windows 11 update", "iso 9001"])
def test_short_numbers_are_not_private(text: str) -> None:
    assert not is_private(text)


@given(st.lists(st.text(min_size=1, max_size=20), max_size=20), st.text(max_size=5))
def test_every_suggestion_holds_what_was_typed(texts: list[str], typed: str) -> None:
    prefix = " ".join(fold(typed).split())
    for found in Suggestions(SuggestedQuery(text, 1.0) for text in texts).complete(typed, 10):
        assert prefix in " ".join(fold(found).split())


@given(
    st.lists(
        st.builds(SuggestedQuery, st.text("ab ", min_size=1, max_size=12), st.sampled_from([1.0, 2.0, 3.0])),
        max_size=40,
        unique_by=lambda one: one.text,
    ),
    st.text("ab ", max_size=3),
    st.integers(1, 5),
)
def test_the_best_are_found_as_by_looking_at_every_query(asked: list[SuggestedQuery], typed: str, limit: int) -> None:
    prefix = " ".join(typed.split())

    def keys(one: SuggestedQuery) -> list[str]:
        words = one.text.split()
        return [" ".join(words[start:]) for start in range(len(words))]

    fitting = [one for one in asked if prefix and any(key.startswith(prefix) for key in keys(one))]
    best = sorted(fitting, key=lambda one: (not keys(one)[0].startswith(prefix), -one.weight, one.text))
    assert Suggestions(asked).complete(typed, limit) == [one.text for one in best][:limit]
