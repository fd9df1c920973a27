from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.contracts import CURVE_RANKS, PRIOR_CURVE, Evidence
from foundation.packed_evidence import QueryEvidence, pack
from serving.encode.query import Query
from serving.ranking.click_boost import read_boosts
from serving.ranking.live_evidence import LiveMemory
from serving.ranking.memory import QueryMemory, Recalled, Remembered
from tests.unit.serving.conftest import embed_words

ReadQuery = Callable[[str], Query]
NOTHING = (0.0,) * CURVE_RANKS


def row(clicks: float, lists: float, users: float, query: str = "q", **more: float) -> Evidence:
    return Evidence(query, "d", (lists, *NOTHING[1:]), (clicks, *NOTHING[1:]), users, **more)


def lift(evidence: Evidence) -> float:
    others = (evidence.users, evidence.satisfied, evidence.dissatisfied)
    counts = np.array([[*evidence.shown, *evidence.clicked, *others]], np.float64)
    return float(read_boosts(QueryEvidence("q", ("d",), counts), PRIOR_CURVE).bounded()[0])


def test_the_same_query_gives_its_choices_in_full_and_a_distant_one_nothing(ask: ReadQuery) -> None:
    memory = QueryMemory([Remembered("print pages", ask("print pages").vector, {"d": 0.5})], 32)

    recalled = memory.recall("pages print", ask("pages print").vector)
    assert recalled.meaning == recalled.best_meaning == pytest.approx({"d": 0.5}, abs=1e-5)
    assert memory.recall("zebra", -ask("print pages").vector).meaning == {}


def test_a_query_never_recalls_itself_nor_what_is_left_out(ask: ReadQuery) -> None:
    past = [Remembered(text, ask(text).vector, {"d": 1.0}) for text in ("print", "print it")]
    memory = QueryMemory(past, 32)

    recalled = memory.recall("print", ask("print").vector, {"print it"})
    assert recalled.meaning == recalled.spelling == {}


def test_an_inflected_word_is_recalled_by_its_spelling(ask: ReadQuery) -> None:
    memory = QueryMemory([Remembered("numbering", ask("numbering").vector, {"d": 1.0})], 32)

    assert memory.recall("numbered", ask("numbered").vector).spelling["d"] > 0


def test_the_sum_the_largest_and_the_popular_are_told_apart(ask: ReadQuery) -> None:
    asked = {"print": {"d": 0.5}, "printing": {"d": 1.0}, "zebra": {"d": 1.0, "e": 0.5}}
    memory = QueryMemory([Remembered(text, ask(text).vector, choices) for text, choices in asked.items()], 32)

    recalled = memory.recall("printings", ask("printings").vector)

    assert recalled.spelling["d"] > recalled.best_spelling["d"] > 0
    assert [recalled.popular(name) for name in "def"] == [2.5, 0.5, 0.0]
    assert "e" not in recalled.spelling


def test_two_memories_add_up_and_the_larger_choice_stays(ask: ReadQuery) -> None:
    first, second = ({"d": 1.0}, {"d": 0.5})
    one = Recalled(first, first, first, first, (first,))
    both = one.plus(Recalled(second, second, second, second, (second,)))

    assert (both.meaning["d"], both.best_meaning["d"], both.popular("d")) == (1.5, 1.0, 1.5)


def test_clicks_of_several_people_lift_and_skips_drop() -> None:
    assert lift(row(clicks=4, lists=4, users=4)) > lift(row(clicks=2, lists=2, users=2)) > 0
    assert lift(row(clicks=0, lists=5, users=0)) < lift(row(clicks=0, lists=1, users=0)) < 0


def test_one_person_alone_lifts_within_a_bound() -> None:
    assert lift(row(clicks=50, lists=50, users=1)) < 2 < lift(row(clicks=50, lists=50, users=20))


rows_of_evidence = st.builds(
    lambda shown, share, satisfied, dissatisfied: Evidence(
        "q",
        "d",
        tuple(shown),
        tuple(lists * share for lists in shown),
        satisfied=satisfied,
        dissatisfied=dissatisfied,
    ),
    st.lists(st.floats(0, 1e4), min_size=CURVE_RANKS, max_size=CURVE_RANKS),
    st.floats(0, 1),
    st.floats(0, 1e4),
    st.floats(0, 1e4),
)


@given(rows_of_evidence, st.floats(0, 1e6))
def test_whatever_evidence_says_its_effect_is_bounded_by_people(evidence: Evidence, people: float) -> None:
    effect = lift(replace(evidence, users=people))

    assert -2 <= effect <= 1.5 * math.log2(1 + people)


@given(rows_of_evidence, st.floats(0, 1e6), st.floats(0, 1e6))
def test_more_people_never_lift_less(evidence: Evidence, one: float, other: float) -> None:
    few, many = sorted((one, other))

    assert lift(replace(evidence, users=few)) <= lift(replace(evidence, users=many))


def test_nothing_lifts_that_nobody_speaks_for() -> None:
    assert lift(row(clicks=0, lists=0, users=0, satisfied=9)) == 0
    assert lift(row(clicks=9, lists=9, users=0.5)) < 1 < lift(row(clicks=9, lists=9, users=1))


def test_what_versions_that_are_gone_knew_is_forgotten(ask: ReadQuery) -> None:
    live = LiveMemory(embed_words, 32)
    live.update(pack([row(clicks=9, lists=9, users=3, query="old")]), change=1)
    kept, gone = live.memory_since(0)[0], live.memory_since(1)[0]

    live.keep({0})

    assert live.memory_since(0)[0] is kept
    assert live.memory_since(1)[0] is not gone


def test_disappointment_takes_back_a_click() -> None:
    assert lift(row(clicks=2, lists=2, users=2, dissatisfied=2.0)) < lift(row(clicks=2, lists=2, users=2))


def test_live_memory_needs_two_people_to_tell_others(ask: ReadQuery) -> None:
    live = LiveMemory(embed_words, 32)

    live.update(pack([row(clicks=9, lists=9, users=1)]), change=1)
    assert live.memory_since(0)[0].past == []
    live.update(pack([row(clicks=9, lists=9, users=3)]), change=2)
    assert [past.key for past in live.memory_since(0)[0].past] == ["q"]
    assert live.change == 2


def test_a_version_sees_only_what_is_newer_than_its_training(ask: ReadQuery) -> None:
    live = LiveMemory(embed_words, 32)
    live.update(pack([row(clicks=9, lists=9, users=3, query="old")]), change=1)
    live.update(pack([row(clicks=9, lists=9, users=3, query="new")]), change=2)

    assert live.memory_since(1)[1] == {"new"}
    assert live.memory_since(2)[1] == frozenset()


def test_evidence_that_turned_is_forgotten(ask: ReadQuery) -> None:
    live = LiveMemory(embed_words, 32)
    live.update(pack([row(clicks=9, lists=9, users=3)]), change=1)

    live.update(pack([row(clicks=0, lists=90, users=3)]), change=2)

    assert live.memory_since(0)[0].past == []
    assert (known := live.evidence("q")) is not None
    assert known.documents == ("d",)
