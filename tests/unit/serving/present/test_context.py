"""A chatbot gets the best passages once each, within its budget, in reading order where they touch."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from serving.present.context import RankedPassage, assemble, count_tokens

TEXTS = (
    "Open the print dialog and choose the envelope tab.",
    "Select the tray that holds envelopes before printing.",
    "Invoices are sent on the first day of each month.",
    "Passwords expire after ninety days without a change.",
)


def passages(*numbers: tuple[int, int, int, float]) -> list[RankedPassage]:
    return [RankedPassage(document, place, TEXTS[text], score) for document, place, text, score in numbers]


def test_the_best_passages_come_first() -> None:
    excerpts = assemble(passages((0, 0, 2, 0.1), (1, 0, 0, 0.9), (2, 0, 3, 0.5)), budget=1000)
    assert [excerpt.document for excerpt in excerpts] == [1, 2, 0]


def test_neighbours_are_joined_in_reading_order() -> None:
    (excerpt,) = assemble(passages((0, 1, 1, 0.9), (0, 0, 0, 0.2)), budget=1000)
    assert excerpt.text == f"{TEXTS[0]} {TEXTS[1]}"
    assert excerpt.score == 0.9


def test_what_has_been_said_is_not_said_again() -> None:
    excerpts = assemble(passages((0, 0, 0, 0.9), (1, 0, 0, 0.8), (2, 0, 2, 0.1)), budget=1000)
    assert [excerpt.document for excerpt in excerpts] == [0, 2]


@given(
    budget=st.integers(1, 60),
    scores=st.lists(st.floats(0, 1), min_size=4, max_size=4),
)
def test_the_budget_is_never_exceeded(budget: int, scores: list[float]) -> None:
    found = [
        RankedPassage(number, 0, text, score) for number, (text, score) in enumerate(zip(TEXTS, scores, strict=True))
    ]
    excerpts = assemble(found, budget)
    assert sum(excerpt.tokens for excerpt in excerpts) <= budget
    assert sum(count_tokens(excerpt.text) for excerpt in excerpts) <= budget


def test_no_passages_make_no_context() -> None:
    assert assemble([], 100) == []
