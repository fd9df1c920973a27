"""Weeks of a desk: what comes, goes and is edited, what is asked, and who lies."""

from __future__ import annotations

from collections import Counter

from clickloop.cli.projects.weeks import Week, judge_in, mislead, plan_weeks
from simulator.collection import JudgedCollection

NAMES = [f"d{number:03}" for number in range(100)]


def collection() -> JudgedCollection:
    documents = [{"id": name, "title": name, "text": "one two three", "url": "", "fields": {}} for name in NAMES]
    splits = {
        split: {f"{split}-{name}": {name: 1} for name in NAMES[start::2]}
        for start, split in enumerate(("train", "test"))
    }
    queries = {query: query for judged in splits.values() for query in judged}
    return JudgedCollection(documents, queries, splits)


def plan(count: int = 13, poisoned: int = 7, seed: int = 0) -> list[Week]:
    return plan_weeks(collection(), count, poisoned, seed)


def test_what_is_there_follows_from_what_came_and_went() -> None:
    there: set[str] = set()
    for week in plan():
        there = (there | {one["id"] for one in week.changed}) - set(week.removed)
        assert there == week.documents


def test_articles_come_go_and_are_edited_each_at_most_once() -> None:
    first, *later = plan()
    changes = Counter(name for week in later for name in [*(one["id"] for one in week.changed), *week.removed])
    assert len(changes) == 36
    assert set(changes.values()) == {1}
    edited = [one["text"] for week in later for one in week.changed if one["id"] in first.documents]
    assert len(edited) == 18
    assert all(text.startswith("one two Edited in week") for text in edited)


def test_people_ask_other_topics_at_other_times_and_nothing_that_no_article_answers() -> None:
    weeks = plan()
    early, late = weeks[0].interest, weeks[6].interest
    assert max(early, key=lambda query: early[query]) != max(late, key=lambda query: late[query])
    for week in weeks:
        asked = {query for query, much in week.interest.items() if much > 0}
        assert asked == {query for query in week.interest if query.removeprefix("train-") in week.documents}


def test_one_week_is_poisoned() -> None:
    assert [week.number for week in plan() if week.poisoned] == [7]
    assert not any(week.poisoned for week in plan(poisoned=0))


def test_a_single_week_changes_nothing() -> None:
    (week,) = plan(count=1)
    assert week.documents == set(NAMES)
    assert len(week.changed) == len(NAMES)
    assert not week.removed


def test_a_seed_decides() -> None:
    assert plan() == plan()
    assert plan()[0].documents != plan(seed=1)[0].documents


def test_only_queries_that_an_article_answers_are_judged() -> None:
    week = Week(1, frozenset({"a"}), (), (), {}, poisoned=False)
    assert judge_in(week, {"q": {"a": 1, "b": 2}, "p": {"b": 1}, "o": {"a": 0}}) == {"q": {"a": 1}}


def test_false_people_praise_what_stands_low_and_answers_nothing() -> None:
    assert mislead({"q": {"c": 1, "a": 1}}, {"q": ["a", "b", "c", "d"]}) == {"q": {"d": 1}}
