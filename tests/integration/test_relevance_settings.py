"""The owner's settings are kept as revisions, on each kind of database."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from foundation.clock import FrozenClock
from foundation.errors import InvalidRequest, NotFound
from serving.catalog.changes import read_changes
from serving.rules.settings import ItemKey
from serving.rules.store import NOTHING, RelevanceRevisions

TV: ItemKey = ("synonyms", "tv")
SALE: ItemKey = ("rule", "sale")
TELEVISION = {"words": ["tv", "television"]}
HIDE = {"hide": ["a"]}


@pytest.fixture
def revisions(any_engine: sa.Engine, clock: FrozenClock) -> RelevanceRevisions:
    return RelevanceRevisions(any_engine, clock)


def serving(revisions: RelevanceRevisions, collection: str = "default") -> dict[ItemKey, dict[str, Any]]:
    return revisions.standing(collection)[1]


def test_nothing_stands_before_anything_was_said(revisions: RelevanceRevisions) -> None:
    assert revisions.standing("default") == (NOTHING, {})
    assert revisions.history("default", 9) == []
    with pytest.raises(NotFound):
        revisions.of("default", 1)


def test_a_change_lays_itself_over_what_stands(revisions: RelevanceRevisions) -> None:
    first = revisions.change("default", {TV: TELEVISION}, actor="key:maria", note="asked for")
    revisions.change("default", {SALE: HIDE}, actor="cli:otto")
    assert serving(revisions) == {TV: TELEVISION, SALE: HIDE}
    assert serving(revisions, "other") == {}
    assert (first.number, first.actor, first.note) == (1, "key:maria", "asked for")

    revisions.change("default", {TV: None, ("rule", "never there"): None}, actor="cli:otto")
    assert serving(revisions) == {SALE: HIDE}
    assert revisions.of("default", 1)[1] == {TV: TELEVISION}
    assert [(one.number, one.actor) for one in revisions.history("default", 2)] == [(3, "cli:otto"), (2, "cli:otto")]


def test_what_changes_nothing_is_no_revision(revisions: RelevanceRevisions) -> None:
    first = revisions.change("default", {TV: TELEVISION}, actor="key:maria")
    assert revisions.change("default", {TV: dict(TELEVISION)}, actor="key:otto") == first
    assert len(revisions.history("default", 9)) == 1


def test_a_draft_waits_and_what_follows_rests_on_what_serves(revisions: RelevanceRevisions) -> None:
    revisions.change("default", {TV: TELEVISION}, actor="a")
    draft = revisions.change("default", {SALE: HIDE, TV: None}, actor="a", serves=False)
    assert serving(revisions) == {TV: TELEVISION}
    revisions.change("default", {("term", "t"): {"kind": "boost"}}, actor="a")
    assert serving(revisions) == {TV: TELEVISION, ("term", "t"): {"kind": "boost"}}
    assert revisions.of("default", draft.number)[1] == {SALE: HIDE}

    served = revisions.serve("default", draft.number, actor="b")
    assert serving(revisions) == {SALE: HIDE}
    assert (served.serves, served.actor, served.note) == (True, "b", "revision 2 again")


def test_an_earlier_revision_serves_again_and_its_history_stays(revisions: RelevanceRevisions) -> None:
    revisions.change("default", {TV: TELEVISION}, actor="a")
    revisions.change("default", {TV: {"words": ["tv", "telly"]}}, actor="a")
    revisions.serve("default", 1, actor="b", note="complaints")
    assert serving(revisions) == {TV: TELEVISION}
    assert [revisions.of("default", number)[1][TV]["words"][1] for number in (1, 2, 3)] == [
        "television",
        "telly",
        "television",
    ]
    with pytest.raises(NotFound):
        revisions.serve("default", 9, actor="b")


def test_too_many_are_refused_as_a_whole(revisions: RelevanceRevisions) -> None:
    many: dict[ItemKey, Any] = {("term", f"t{number}"): {"kind": "boost"} for number in range(21)}
    with pytest.raises(InvalidRequest, match="at most 20"):
        revisions.change("default", many, actor="a")
    assert revisions.history("default", 9) == []


def test_all_is_withdrawn_with_its_collection(revisions: RelevanceRevisions) -> None:
    revisions.withdraw("default", actor="a")
    assert revisions.history("default", 9) == []
    revisions.change("default", {TV: TELEVISION, SALE: HIDE}, actor="a")
    revisions.withdraw("default", actor="a")
    assert serving(revisions) == {}


def test_replicas_see_that_something_changed(any_engine: sa.Engine, revisions: RelevanceRevisions) -> None:
    before = read_changes(any_engine).relevance
    revisions.change("shop", {TV: TELEVISION}, actor="a")
    after = read_changes(any_engine).relevance
    assert (before, after) == ({}, {"shop": 1})
